/**
 * CompositeLR: what schedules made of others share. The parts are finished schedules on the same optimizer; each keeps
 * its own state. Not here: when which part moves.
 */

import { rangeError, typeError } from '../base/errors.js'
import { LRScheduler, type Metric, metricOf } from './lr_scheduler.js'
import type { Option, ScheduleSpec } from './options.js'
import type { Schedulable } from './schedulable.js'
import { checkDict, type SchedulerStateDict, stateError } from './state.js'

/** @internal A list of schedules as an option; their state goes under `_schedulers`. */
export const parts: Option<LRScheduler[]> = {
  check(where, name, value) {
    if (!Array.isArray(value)) throw typeError(where, `${name} to be an array of schedulers`, value)
    if (value.length === 0) throw rangeError(where, `${name} to have at least one scheduler`, value)
    return Array.from(value, (entry, i) => checkPart(where, `${name}[${i}]`, entry))
  },
  key: null,
}

/** @internal A schedule. Returns it. */
export function checkPart(where: string, name: string, value: unknown): LRScheduler {
  if (!(value instanceof LRScheduler)) throw typeError(where, `${name} to be a scheduler`, value)
  return value
}

/** Base of the schedules made of others. `step` hands its metric to the parts; without a plateau it needs none. */
export abstract class CompositeLR<O extends object, S extends object = object> extends LRScheduler<O, S> {
  readonly schedulers: readonly LRScheduler[]

  /** The first part decides which hyper-parameter is shown by `preview` and `getLastLr`. */
  constructor(spec: ScheduleSpec<O>, optimizer: Schedulable, given: O, schedulers: readonly LRScheduler[]) {
    super(spec, optimizer, given, schedulers[0]?.param)
    this.schedulers = schedulers
    schedulers.forEach((part, i) => {
      if (part.optimizer !== optimizer) {
        throw rangeError(spec.name, 'all schedulers to belong to the same optimizer', `another one in schedulers[${i}]`)
      }
    })
  }

  override get needsMetric(): boolean {
    return this.schedulers.some(part => part.needsMetric)
  }

  /** @internal */
  override get countsUpdates(): boolean {
    return this.schedulers.some(part => part.countsUpdates)
  }

  /** Moves to the next update; with a plateau among the parts it must be given the metric. */
  override step(metric?: Metric): void {
    const known = this.needsMetric || metric !== undefined
    this.advance(known ? metricOf(`${this.spec.name}.step`, metric) : undefined)
  }

  /** @internal */
  override drives(i: number): boolean {
    return this.schedulers.length === 0 ? super.drives(i) : this.schedulers.some(part => part.drives(i))
  }

  /** @internal */
  override ownKeys(): string[] {
    return [...new Set([...super.ownKeys(), ...this.schedulers.flatMap(part => part.ownKeys())])]
  }

  override snapshot(): () => void {
    const restores = [super.snapshot(), ...this.schedulers.map(part => part.snapshot())]
    return () => {
      for (const restore of restores) restore()
    }
  }

  /** @internal */
  override rewind(): void {
    for (const part of this.schedulers) part.rewind()
  }

  /** @internal */
  override takeUp(): void {
    for (const part of this.schedulers) part.takeUp()
    super.takeUp()
  }

  /** @internal */
  override enter(): void {
    this.takeUp()
    this.writeInitial()
    this.rewind()
    this.begin()
  }

  override stateDict(): SchedulerStateDict {
    return { ...super.stateDict(), _schedulers: this.schedulers.map(part => part.stateDict()) }
  }

  override loadStateDict(dict: SchedulerStateDict): void {
    const dicts = checkDict(this.spec.name, dict)._schedulers
    if (!Array.isArray(dicts) || dicts.length !== this.schedulers.length) {
      throw stateError(this.spec.name, `_schedulers to be an array of ${this.schedulers.length}`, dicts)
    }
    const restore = this.snapshot()
    try {
      super.loadStateDict(dict)
      this.schedulers.forEach((part, i) => {
        part.loadStateDict(dicts[i])
      })
      this.#checkLength()
    } catch (error) {
      restore()
      throw error
    }
  }

  /** The values shown are those of a part. */
  #checkLength(): void {
    const shown = this.state._last_lr
    const fits = this.schedulers.some(part => part.getLastLr().length === shown.length)
    if (!fits && this.schedulers.length > 0)
      throw stateError(this.spec.name, '_last_lr as long as that of a part', shown)
  }
}

/** @internal All parts drive the hyper-parameter that the whole one does. */
export function checkOneParam({ spec, param, schedulers }: CompositeLR<object, object>): void {
  const other = schedulers.find(part => part.param !== param)
  if (other) throw rangeError(spec.name, `all schedulers to drive '${param}'`, other.param)
}
