/** ReduceLROnPlateau: decay when a metric no longer improves. */

import { checkInt } from '../base/check.js'
import { LRScheduler, type Metric, metricOf } from './lr_scheduler.js'
import {
  type CommonOptions,
  choice,
  commonOptions,
  entryOf,
  integer,
  number,
  perGroup,
  type ScheduleSpec,
  withEntry,
} from './options.js'
import { readParam, type Schedulable, writeParam } from './schedulable.js'
import { checkDict, type SchedulerStateDict } from './state.js'

/** Options of `ReduceLROnPlateau`. */
export interface ReduceLROnPlateauOptions extends CommonOptions {
  /** Whether a lower or a higher metric is better. Default 'min'. */
  mode?: 'min' | 'max'
  /** Factor of a decay, 0 up to below 1. Default 0.1. */
  factor?: number
  /** Number of steps without improvement that are let pass. Default 10. */
  patience?: number
  /** What counts as improvement. Default 1e-4. */
  threshold?: number
  /**
   * 'rel': better than `best · (1 ∓ threshold)`; 'abs': than `best ∓ threshold`; 'magnitude': than
   * `best ∓ threshold · |best|`. With negative metrics 'rel' takes slightly worse values as better, as in PyTorch;
   * 'magnitude' does not, and is 'rel' for positive ones. Default 'rel'.
   */
  thresholdMode?: 'rel' | 'abs' | 'magnitude'
  /** Number of steps after a decay in which none is counted as bad. Default 0. */
  cooldown?: number
  /** The rate does not go below this; an array has one per parameter group. Default 0. */
  minLr?: number | number[]
  /** A decay by no more than this is left out. Default 1e-8. */
  eps?: number
}

interface PlateauState {
  min_lrs: number[]
  mode_worse: number
  best: number
  cooldown_counter: number
  num_bad_epochs: number
}

const spec: ScheduleSpec<ReduceLROnPlateauOptions> = {
  name: 'ReduceLROnPlateau',
  options: {
    ...commonOptions,
    mode: choice(['min', 'max']),
    factor: number({ min: 0, below: 1 }, { default: 0.1 }),
    patience: integer({ min: 0 }, { default: 10 }),
    threshold: number({}, { default: 1e-4 }),
    thresholdMode: choice(['rel', 'abs', 'magnitude']),
    cooldown: integer({ min: 0 }, { default: 0 }),
    minLr: perGroup(
      {},
      {
        default: 0,
        joins: () => 0,
        key: 'default_min_lr',
        save: value => (Array.isArray(value) ? null : value),
        load: (saved, present) => saved ?? present,
      },
    ),
    eps: number({ min: 0 }, { default: 1e-8 }),
  },
  state: {
    best: number({ min: -Infinity, max: Infinity }).check,
    mode_worse: number({ min: -Infinity, max: Infinity }).check,
    cooldown_counter: integer({ min: 0 }).check,
    num_bad_epochs: integer({ min: 0 }).check,
  },
}

/**
 * Multiplies the rate by `factor` once the metric has not improved for more than `patience` steps:
 * `lr = max(lr · factor, minLr)`. Chainable. The constructor changes nothing. NaN is never an improvement.
 *
 * `step(metric)` takes a number or a tensor of one element. As an element of a `SequentialLR` it starts from the
 * initial rate, with its counters at zero. Throws TypeError or RangeError for bad options, or a metric that is no number.
 *
 * ```ts
 * const scheduler = new lrScheduler.ReduceLROnPlateau(optimizer, { factor: 0.5, patience: 3 })
 * scheduler.step(testLoss)
 * ```
 * Source: torch.optim.lr_scheduler.ReduceLROnPlateau.
 */
export class ReduceLROnPlateau extends LRScheduler<ReduceLROnPlateauOptions, PlateauState> {
  static readonly spec = spec

  constructor(optimizer: Schedulable, options: ReduceLROnPlateauOptions = {}) {
    super(spec, optimizer, options)
  }

  protected override ownState(): PlateauState {
    const { mode, minLr } = this.options
    const worse = mode === 'min' ? Infinity : -Infinity
    const min_lrs = this.optimizer.paramGroups.map((_, i) => entryOf(minLr, i))
    return { min_lrs, mode_worse: worse, best: worse, cooldown_counter: 0, num_bad_epochs: 0 }
  }

  /** Whether what it is fed should fall or rise. */
  get mode(): 'min' | 'max' {
    return this.options.mode
  }

  override get needsMetric(): boolean {
    return true
  }

  /** Counts a metric; `epoch` sets the count of steps. */
  override step(metric: Metric, epoch?: number): void {
    const value = metricOf('ReduceLROnPlateau.step', metric)
    if (epoch !== undefined) this.state.last_epoch = checkInt('ReduceLROnPlateau.step', 'epoch', epoch, { min: 0 }) - 1
    this.advance(value)
  }

  protected override join(i: number): void {
    super.join(i)
    this.state.min_lrs = withEntry(this.state.min_lrs, i, entryOf(this.options.minLr, i))
  }

  /** JSON has no infinity: `best` before the first metric, and what is worse than any, are null there. */
  override loadStateDict(dict: SchedulerStateDict): void {
    const { mode, best, mode_worse, ...rest } = checkDict('ReduceLROnPlateau', dict)
    const worst = mode === 'max' ? -Infinity : Infinity
    const or = (value: unknown) => (value === null ? worst : value)
    super.loadStateDict({ ...rest, mode, best: or(best), mode_worse: or(mode_worse) })
  }

  /** @internal */
  override advance(metric?: number): void {
    this.takeUp()
    this.state.last_epoch++
    if (metric !== undefined) this.#count(metric)
    this.state._last_lr = this.values()
  }

  /** @internal */
  override get countsUpdates(): boolean {
    return false
  }

  /** @internal */
  override advanceCounts(): void {}

  /** @internal */
  override feed(metric: number): void {
    this.advance(metric)
  }

  /** @internal */
  override rewind(): void {
    this.state = { ...this.state, ...this.ownState(), last_epoch: 0 }
  }

  /** @internal */
  override begin(): void {
    this.state._last_lr = this.values()
  }

  /** @internal */
  override enter(): void {
    this.takeUp()
    this.rewind()
    this.writeInitial()
  }

  #count(metric: number): void {
    const { state, options } = this
    if (this.#isBetter(metric)) {
      state.best = metric
      state.num_bad_epochs = 0
    } else {
      state.num_bad_epochs++
    }
    if (state.cooldown_counter > 0) {
      state.cooldown_counter--
      state.num_bad_epochs = 0
    }
    if (state.num_bad_epochs <= options.patience) return
    this.#reduce()
    state.cooldown_counter = options.cooldown
    state.num_bad_epochs = 0
  }

  #isBetter(metric: number): boolean {
    const { mode, threshold, thresholdMode } = this.options
    const { best } = this.state
    const sign = mode === 'min' ? -1 : 1
    // From infinity anything is better, and infinity times a threshold of 0 would be NaN.
    const margin = thresholdMode === 'abs' || !Number.isFinite(best) ? threshold : threshold * Math.abs(best)
    const bar = thresholdMode === 'rel' ? best * (1 + sign * threshold) : best + sign * margin
    return mode === 'min' ? metric < bar : metric > bar
  }

  #reduce(): void {
    const { factor, eps } = this.options
    this.optimizer.paramGroups.forEach((group, i) => {
      if (!this.drives(i)) return
      const now = readParam(group, this.param)
      const value = Math.max(now * factor, this.state.min_lrs[i])
      if (now - value > eps) writeParam(group, this.param, value)
    })
  }
}
