/** WarmupLR: a warm-up in front of any schedule. */

import { rangeError, typeError } from '../base/errors.js'
import { CompositeLR, checkPart } from './composite.js'
import type { LRScheduler } from './lr_scheduler.js'
import {
  type CountedOptions,
  choice,
  countedOptions,
  integer,
  number,
  optional,
  replayedLastEpoch,
  type ScheduleSpec,
  withEntry,
} from './options.js'
import { initialOf, type Schedulable, writeParam } from './schedulable.js'

/** Options of `WarmupLR`. */
export interface WarmupLROptions extends CountedOptions {
  /** Number of updates of the warm-up; or give epochs and stepsPerEpoch. */
  steps?: number | null
  /** With `stepsPerEpoch`: their product is the number of updates. */
  epochs?: number | null
  /** Updates per epoch: `loader.length`. */
  stepsPerEpoch?: number | null
  /** Shape of the way up. Default 'linear'. */
  mode?: 'linear' | 'exponential'
  /** Factor of the first update, 0 to 1; 'exponential' needs one above 0. Default 0.01. */
  startFactor?: number
  /** The schedule that follows; it decides param and groups. Default none: the rate stays. */
  schedule?: LRScheduler | null
}

/** Length of the warm-up, and where it goes: the first value of the schedule that follows. */
interface WarmupState {
  steps: number
  targets: number[]
}

const count = optional(integer({ min: 0 }, { key: null }))

const spec: ScheduleSpec<WarmupLROptions> = {
  name: 'WarmupLR',
  options: {
    ...countedOptions,
    lastEpoch: replayedLastEpoch,
    steps: count,
    epochs: count,
    stepsPerEpoch: count,
    mode: choice(['linear', 'exponential']),
    startFactor: number({ min: 0, max: 1 }, { default: 0.01 }),
    schedule: optional({ check: checkPart, key: null }),
  },
  state: { steps: integer({ min: 0 }).check },
}

function stepsOf({ steps, epochs, stepsPerEpoch }: WarmupLROptions): number {
  if (steps != null) return steps
  if (epochs != null && stepsPerEpoch != null) return epochs * stepsPerEpoch
  throw typeError('WarmupLR', 'steps, or epochs and stepsPerEpoch, to be given', undefined)
}

/**
 * Warms up to any schedule, then runs it from its start, without a jump: `lr(t) = f(t) · schedule(0)` for `t < steps`,
 * then `schedule(t - steps)`, with `f(t) = s + (1 - s) · t / steps` ('linear') or `s^(1 - t / steps)` ('exponential'),
 * where s is `startFactor`. During the warm-up an edit of the rate is overwritten.
 *
 * With a ReduceLROnPlateau `step(metric)` needs its metric from the first call on. `lastEpoch` goes on as if so many
 * steps had been taken, with a schedule that is new. Throws TypeError or RangeError for bad options or a schedule of
 * another optimizer.
 *
 * ```ts
 * const schedule = new lrScheduler.CosineAnnealingLR(optimizer, { tMax: 900 })
 * const scheduler = new lrScheduler.WarmupLR(optimizer, { steps: 100, schedule })
 * ```
 * Source: Goyal et al. 2017, Accurate, Large Minibatch SGD, arXiv:1706.02677 (linear); MMCV's LrUpdaterHook, 'exp'.
 */
export class WarmupLR extends CompositeLR<WarmupLROptions, WarmupState> {
  static readonly spec = spec

  constructor(optimizer: Schedulable, options: WarmupLROptions) {
    const schedule = options?.schedule ?? null
    super(spec, optimizer, options, schedule === null ? [] : [checkPart('WarmupLR', 'schedule', schedule)])
    this.checkParts()
    if (this.options.mode === 'exponential' && this.options.startFactor === 0) {
      throw rangeError('WarmupLR', "startFactor to be above 0 in mode 'exponential'", 0)
    }
    this.enter()
    for (let t = 0; t <= this.options.lastEpoch; t++) this.advance()
  }

  protected override ownState(): WarmupState {
    return { targets: this.values(), steps: stepsOf(this.options) }
  }

  /** @internal */
  override begin(): void {
    for (const part of this.schedulers) part.begin()
    this.state.targets = this.values()
    this.moveTo(0)
  }

  protected override join(i: number): void {
    super.join(i)
    this.state.targets = withEntry(this.state.targets, i, initialOf(this.optimizer.paramGroups[i], this.param))
  }

  /** @internal */
  override advance(metric?: number): void {
    this.move(part => part.advance(metric))
  }

  /** @internal The warm-up counts updates, whatever follows. */
  override get countsUpdates(): boolean {
    return true
  }

  /** @internal */
  override advanceCounts(): void {
    this.move(part => part.advanceCounts())
  }

  /** @internal */
  override feed(metric: number): void {
    if (this.state.last_epoch < this.state.steps) return
    for (const part of this.schedulers) part.feed(metric)
    this.state._last_lr = this.values()
  }

  private move(move: (part: LRScheduler) => void): void {
    this.takeUp()
    const t = this.state.last_epoch + 1
    if (t <= this.state.steps) {
      this.moveTo(t)
      return
    }
    this.schedulers.forEach(move)
    this.state.last_epoch = t
    this.state._last_lr = this.values()
  }

  private checkParts(): void {
    const { groups, param, schedule } = this.options
    if (schedule && (groups !== null || (param !== 'lr' && param !== schedule.param))) {
      throw rangeError('WarmupLR', 'param and groups to be left to the schedule', groups ?? param)
    }
  }

  private moveTo(t: number): void {
    const factor = this.factor(t)
    this.optimizer.paramGroups.forEach((group, i) => {
      if (this.drives(i)) writeParam(group, this.param, this.state.targets[i] * factor)
    })
    this.state.last_epoch = t
    this.state._last_lr = this.values()
  }

  private factor(t: number): number {
    const { mode, startFactor } = this.options
    const part = this.state.steps === 0 ? 1 : t / this.state.steps
    if (part === 1) return 1
    return mode === 'linear' ? startFactor + (1 - startFactor) * part : startFactor ** (1 - part)
  }
}
