/**
 * LRScheduler: what all schedules share, whatever moves them: options, state, preview, snapshots, state dicts and JSON.
 * Not here: counting updates (counted_lr.ts), schedules made of others (composite.ts), any formula (one file each).
 */

import { checkInt } from '../base/check.js'
import { rangeError, typeError } from '../base/errors.js'
import { EndOfSchedule } from './end_of_schedule.js'
import { type CommonOptions, fillIn, joined, type ScheduleSpec } from './options.js'
import { toPlain } from './plain.js'
import {
  checkSchedulable,
  companionKey,
  groupKey,
  initialOf,
  isCompanion,
  type ParamName,
  readParam,
  type Schedulable,
  writeParam,
} from './schedulable.js'
import { checkDict, copyOf, loadOptions, loadState, type SchedulerStateDict, saveOptions } from './state.js'

/** What a plateau watches: a number, or a tensor of one element. */
export type Metric = number | { item(): number }

/** State of every schedule, under PyTorch's keys. Arrays in it are replaced, never changed in place. */
export interface SchedulerState {
  last_epoch: number
  _last_lr: number[]
}

/** A schedule as plain JSON: class, options, state, and the hyper-parameters it owns in each group. */
export interface SchedulerJSON {
  /** The class's exported name. */
  scheduler: string
  /** What it was made with, defaults filled in. */
  options: Record<string, unknown>
  /** What `stateDict` gives. */
  state: SchedulerStateDict
  /** What schedules keep in the optimizer's groups, a record per group. */
  groups: Record<string, unknown>[]
}

/**
 * Base of every schedule. A schedule writes a hyper-parameter (`param`, by default `lr`) of an optimizer's parameter
 * groups; `step()` after each update moves it to the value of the next one.
 *
 * Source: torch.optim.lr_scheduler.LRScheduler.
 */
// biome-ignore lint/suspicious/noExplicitAny: options and state differ per schedule; callers hold any of them.
export abstract class LRScheduler<O extends object = any, S extends object = any> {
  readonly optimizer: Schedulable
  /** The hyper-parameter that is driven. */
  readonly param: ParamName
  /** The schedule's name, and its options with their defaults. */
  readonly spec: ScheduleSpec<O>
  protected options: Required<O>
  protected state: SchedulerState & S

  constructor(spec: ScheduleSpec<O>, optimizer: Schedulable, given: O, param?: ParamName) {
    this.spec = spec
    this.optimizer = checkSchedulable(spec.name, optimizer)
    this.options = fillIn(spec, given, optimizer.paramGroups.length)
    this.param = param ?? (this.options as CommonOptions).param ?? 'lr'
    this.#checkGroups()
    this.state = { last_epoch: 0, _last_lr: this.values(), ...this.ownState() }
  }

  /** Moves to the next update. What `value` means is said at each schedule. */
  abstract step(value?: Metric): void

  /** @internal `step` as composites and previews take it: a metric may be unknown, which is no news for a plateau. */
  abstract advance(metric?: number): void

  /** @internal Takes up to `most` steps at once, all of which leave every value as it is. Returns how many. */
  skipUnchanged(_most: number): number {
    return 0
  }

  /** @internal Whether `step` counts updates: true of all but plateaus and what is made of them alone. */
  get countsUpdates(): boolean {
    return true
  }

  /** @internal One update more, which is no step of the plateaus within: those are fed apart. */
  advanceCounts(): void {
    this.advance()
  }

  /** @internal A step, with its metric, of the plateaus within whose turn it is; nothing else moves. */
  feed(_metric: number): void {}

  /** @internal Back to before the first value; `begin` then writes that. */
  abstract rewind(): void

  /** @internal Writes the first value, from what the groups hold. */
  abstract begin(): void

  /** @internal Becomes the active one of a sequence: the first value again, from the initial one. */
  abstract enter(): void

  /** State besides `SchedulerState`, under PyTorch's keys; called once, by the constructor. */
  protected abstract ownState(): S

  /** Number of steps taken, as PyTorch counts them. */
  get lastEpoch(): number {
    return this.state.last_epoch
  }

  /** Whether `step` must be given a metric: true of a plateau and of whatever contains one. */
  get needsMetric(): boolean {
    return false
  }

  /** The values set by the last step, one per parameter group. */
  getLastLr(): number[] {
    return [...this.state._last_lr]
  }

  /**
   * The values of the next `n` updates, one row per update and one column per parameter group: row 0 is what the next
   * update will use, each further row follows one step; past the end the last value. Nothing is touched.
   *
   * `metrics[i]` is what step i would be given; without a metric a plateau does not move. Throws RangeError for an `n`
   * that is no count, or above ten million. Errors of a function of yours pass through.
   *
   * ```ts
   * const curve = scheduler.preview(100).map(([lr]) => lr)
   * ```
   */
  preview(n: number, metrics?: ArrayLike<number>): number[][] {
    const where = `${this.spec.name}.preview`
    checkInt(where, 'n', n, { min: 0, max: 1e7 })
    checkMetrics(where, metrics)
    const restore = this.snapshot()
    try {
      return this.#rows(n, metrics)
    } finally {
      restore()
    }
  }

  /**
   * Remembers the schedule and the hyper-parameters it writes; the function returned puts both back, as often as it is
   * called. Other options of the groups stay as they are.
   */
  snapshot(): () => void {
    const { options, state } = this
    const kept = { ...state }
    const keys = this.ownKeys()
    const values = this.optimizer.paramGroups.map(group => keys.map(key => group[key]))
    return () => {
      this.options = options
      this.state = { ...kept }
      values.forEach((row, g) => {
        const group = this.optimizer.paramGroups[g]
        for (let k = 0; k < keys.length; k++) {
          if (row[k] === undefined) delete group[keys[k]]
          else if (group[keys[k]] !== row[k]) group[keys[k]] = row[k]
        }
      })
    }
  }

  /** Options and state under PyTorch's keys, plain and copied. Functions are not part of it. */
  stateDict(): SchedulerStateDict {
    return { ...saveOptions(this.spec, this.options, this.optimizer.paramGroups.length), ...copyOf<object>(this.state) }
  }

  /**
   * Takes over a state dict, its options too, as PyTorch does; further keys are ignored. The optimizer's own state
   * dict carries the rates. Throws AnnealError `ERR_STATE` for a key that is missing or of another form, before
   * anything is changed.
   */
  loadStateDict(dict: SchedulerStateDict): void {
    const plain = checkDict(this.spec.name, dict)
    const options = loadOptions(this.spec, this.options, plain)
    this.state = loadState(this.spec, this.state, plain, this.optimizer.paramGroups.length)
    this.options = options
    const companions = this.ownKeys().filter(isCompanion)
    this.optimizer.paramGroups.forEach((group, i) => {
      if (i < this.state._last_lr.length) this.options = joined(this.spec, this.options, i, group, this.param)
      // Groups that had not joined when the dict was written have nothing of this schedule yet.
      else for (const key of companions) delete group[key]
    })
  }

  /**
   * Everything needed to go on elsewhere, for `lrScheduler.fromJSON`: class, options, state, and the values in the
   * groups. Throws AnnealError `ERR_STATE` if an option is a function.
   */
  toJSON(): SchedulerJSON {
    this.takeUp()
    const { lastEpoch: _, ...options } = this.options as Record<string, unknown>
    const keys = this.ownKeys()
    return toPlain(this.spec.name, {
      scheduler: this.spec.name,
      options,
      state: this.stateDict(),
      groups: this.optimizer.paramGroups.map(group => Object.fromEntries(keys.map(key => [key, group[key]]))),
    })
  }

  /** @internal A new one from options, as `fromJSON` needs it. */
  static revive(
    this: new (
      optimizer: Schedulable,
      options: object,
    ) => LRScheduler,
    optimizer: Schedulable,
    options: object,
  ) {
    return new this(optimizer, options)
  }

  /** @internal The groups' keys that this schedule writes. */
  ownKeys(): string[] {
    return [groupKey(this.param), companionKey('initial', this.param)]
  }

  /** @internal Whether group `i` is driven. */
  drives(i: number): boolean {
    const { groups } = this.options as CommonOptions
    return groups == null || groups.includes(i)
  }

  /** The present value of every group. */
  protected values(): number[] {
    return this.optimizer.paramGroups.map(group => readParam(group, this.param))
  }

  /** The initial value of every group, remembered in the group at first use. */
  protected initialValues(): number[] {
    return this.optimizer.paramGroups.map(group => initialOf(group, this.param))
  }

  /** Whether no group was added to the optimizer since the last step. */
  protected get isComplete(): boolean {
    return this.state._last_lr.length >= this.optimizer.paramGroups.length
  }

  /** @internal Takes up the groups that were added since: before every step. */
  takeUp(): void {
    if (this.isComplete) return
    const { _last_lr } = this.state
    const values = this.values()
    for (let i = _last_lr.length; i < values.length; i++) this.join(i)
    this.state._last_lr = [..._last_lr, ...values.slice(_last_lr.length)]
  }

  /** Group `i` joins with the value that it comes with, which becomes its initial one. May be called again. */
  protected join(i: number): void {
    const group = this.optimizer.paramGroups[i]
    initialOf(group, this.param)
    this.options = joined(this.spec, this.options, i, group, this.param)
  }

  /** Sets every driven group to its initial value. */
  protected writeInitial(): void {
    this.initialValues().forEach((value, i) => {
      if (this.drives(i)) writeParam(this.optimizer.paramGroups[i], this.param, value)
    })
    this.state._last_lr = this.values()
  }

  #rows(n: number, metrics?: ArrayLike<number>): number[][] {
    const rows: number[][] = []
    let ended = false
    for (let i = 0; i < n; i++) {
      if (i > 0 && !ended) ended = this.#ends(metrics?.[i - 1])
      rows.push(ended ? [...rows[i - 1]] : this.values())
    }
    return rows
  }

  #ends(metric?: number): boolean {
    try {
      this.advance(metric)
      return false
    } catch (error) {
      if (error instanceof EndOfSchedule) return true
      throw error
    }
  }

  #checkGroups(): void {
    const { paramGroups } = this.optimizer
    for (const [i, group] of paramGroups.entries()) {
      const value = readParam(group, this.param)
      if (typeof value !== 'number') {
        throw rangeError(this.spec.name, `param to be a numeric option of paramGroups[${i}]`, this.param)
      }
    }
    const bad = (this.options as CommonOptions).groups?.find(i => i >= paramGroups.length)
    if (bad !== undefined) throw rangeError(this.spec.name, `groups to be less than ${paramGroups.length}`, bad)
  }
}

function checkMetrics(where: string, metrics?: ArrayLike<number>): void {
  if (metrics === undefined) return
  if (typeof metrics !== 'object' || typeof metrics?.length !== 'number') {
    throw typeError(where, 'metrics to be an array of numbers', metrics)
  }
  for (let i = 0; i < metrics.length; i++) {
    if (typeof metrics[i] !== 'number') throw typeError(where, `metrics[${i}] to be a number`, metrics[i])
  }
}

/** @internal The number that a metric stands for; NaN is one, and never better. */
export function metricOf(where: string, metric: unknown): number {
  const item = (metric as { item?: unknown } | null | undefined)?.item
  const value = typeof item === 'function' ? item.call(metric) : metric
  if (typeof value !== 'number') throw typeError(where, 'metric to be a number', metric)
  return value
}
