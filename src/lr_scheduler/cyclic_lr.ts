/** CyclicLR: the rate goes up and down between two limits. */

import { checkFunction, checkNumber } from '../base/check.js'
import { CountedLR } from './counted_lr.js'
import {
  cycledParam,
  keepMomentum,
  type MomentumOptions,
  momentumKeys,
  momentumOptions,
  startMomentum,
} from './momentum_cycle.js'
import {
  type CountedOptions,
  choice,
  countedOptions,
  entryOf,
  number,
  type Option,
  optional,
  perGroup,
  type ScheduleSpec,
  withEntry,
} from './options.js'
import { type ParamName, type Schedulable, writeParam } from './schedulable.js'

/** Options of `CyclicLR`. */
export interface CyclicLROptions extends CountedOptions, MomentumOptions {
  /** Lower limit; an array has one per parameter group. */
  baseLr: number | number[]
  /** Upper limit of the first cycle; an array has one per parameter group. */
  maxLr: number | number[]
  /** Number of updates upward. Default 2000. */
  stepSizeUp?: number
  /** Number of updates downward. Default the same as upward. */
  stepSizeDown?: number | null
  /** Height of cycle c, or of update t: 1, 2^(1-c), gamma^t. Default 'triangular'. */
  mode?: 'triangular' | 'triangular2' | 'exp_range'
  /** Base of 'exp_range'. Default 1. */
  gamma?: number
  /** A height of your own, a function of the cycle (from 1) or of the update; takes the place of `mode`. */
  scaleFn?: ((x: number) => number) | null
  /** What `scaleFn` is a function of; without one `mode` says it. Default 'cycle'. */
  scaleMode?: 'cycle' | 'iterations'
}

interface CyclicState {
  max_lrs: number[]
  total_size: number
  step_ratio: number
  use_beta1?: boolean
  base_momentums?: number[]
  max_momentums?: number[]
}

const scaleFn: Option<((x: number) => number) | null> = {
  check(where, name, value) {
    return value === null ? null : checkFunction(where, name, value as (x: number) => number)
  },
  default: null,
  key: '_scale_fn_custom',
  save: () => null,
  load: (_, present) => present,
}

const spec: ScheduleSpec<CyclicLROptions> = {
  name: 'CyclicLR',
  options: {
    ...countedOptions,
    baseLr: perGroup({}),
    maxLr: perGroup({}),
    stepSizeUp: number({ above: 0 }, { default: 2000, key: null }),
    stepSizeDown: optional(number({ min: 0 }, { key: null })),
    mode: choice(['triangular', 'triangular2', 'exp_range']),
    gamma: number({}, { default: 1 }),
    scaleFn,
    scaleMode: choice(['cycle', 'iterations']),
    ...momentumOptions(0.8, 0.9),
  },
  state: { total_size: number({ above: 0 }).check, step_ratio: number({ min: 0, max: 1 }).check },
}

/**
 * The rate goes up and down between two limits: `lr(t) = base + (max - base) · x(t) · scale`, where x rises from 0 to 1
 * over `stepSizeUp` updates and falls back over `stepSizeDown`. Momentum runs the other way: it is `maxMomentum` where
 * the rate is lowest. An edit of the rate is overwritten.
 *
 * Throws TypeError or RangeError for bad options, for an array without one entry per parameter group, and for an
 * optimizer without momentum or betas unless `cycleMomentum` is false.
 *
 * ```ts
 * const scheduler = new lrScheduler.CyclicLR(optimizer, { baseLr: 0.001, maxLr: 0.1, stepSizeUp: 500 })
 * ```
 * Source: torch.optim.lr_scheduler.CyclicLR; Smith 2017, Cyclical Learning Rates, arXiv:1506.01186.
 */
export class CyclicLR extends CountedLR<CyclicLROptions, CyclicState> {
  static readonly spec = spec

  constructor(optimizer: Schedulable, options: CyclicLROptions) {
    super(spec, optimizer, options)
    // PyTorch's first value starts from the initial rate of the groups, all others from baseLr.
    this.state.base_lrs = this.listOf(this.options.baseLr)
  }

  protected override extraState(): CyclicState {
    const { maxLr, stepSizeUp, stepSizeDown, baseMomentum, maxMomentum } = this.options
    const total = stepSizeUp + (stepSizeDown ?? stepSizeUp)
    const state: CyclicState = { max_lrs: this.listOf(maxLr), total_size: total, step_ratio: stepSizeUp / total }
    const param = this.cycled()
    if (param === null) return state
    const momenta = { base_momentums: this.listOf(baseMomentum), max_momentums: this.listOf(maxMomentum) }
    return { ...state, use_beta1: param === 'beta1', ...momenta }
  }

  protected override prepare(fresh: boolean): void {
    const { scaleFn, mode } = this.options
    if (scaleFn === null) this.options.scaleMode = mode === 'exp_range' ? 'iterations' : 'cycle'
    if (!fresh) return
    const momentum = this.cycled()
    this.optimizer.paramGroups.forEach((group, i) => {
      if (!this.drives(i)) return
      writeParam(group, this.param, entryOf(this.options.baseLr, i))
      if (momentum !== null) startMomentum(group, i, this.options, momentum)
    })
  }

  /** The value that a group comes with is its lower limit, and no cycle goes below it. */
  protected override join(i: number): void {
    super.join(i)
    const { maxLr, baseMomentum, maxMomentum } = this.options
    const { state } = this
    state.max_lrs = withEntry(state.max_lrs, i, Math.max(this.base(i), entryOf(maxLr, i)))
    if (this.cycled() === null) return
    keepMomentum(this.optimizer.paramGroups[i], i, this.options)
    state.base_momentums = withEntry(state.base_momentums!, i, entryOf(baseMomentum, i))
    state.max_momentums = withEntry(state.max_momentums!, i, entryOf(maxMomentum, i))
  }

  /** @internal */
  override ownKeys(): string[] {
    return [...super.ownKeys(), ...momentumKeys(this.cycled())]
  }

  protected override next(t: number, i: number): number {
    const low = this.base(i)
    return low + (this.state.max_lrs[i] - low) * this.rise(t) * this.scale(t)
  }

  protected override moveTo(t: number, closed: boolean): void {
    super.moveTo(t, closed)
    const momentum = this.cycled()
    if (momentum === null) return
    const { base_momentums: base, max_momentums: max } = this.state
    this.optimizer.paramGroups.forEach((group, i) => {
      if (this.drives(i)) writeParam(group, momentum, max![i] - (max![i] - base![i]) * this.rise(t) * this.scale(t))
    })
  }

  private cycle(t: number): number {
    return Math.floor(1 + t / this.state.total_size)
  }

  private rise(t: number): number {
    const { total_size: total, step_ratio: ratio } = this.state
    const x = 1 + t / total - this.cycle(t)
    return x <= ratio ? x / ratio : (x - 1) / (ratio - 1)
  }

  private scale(t: number): number {
    const { scaleFn, scaleMode, mode, gamma } = this.options
    if (scaleFn) return checkNumber('CyclicLR', 'scaleFn(x)', scaleFn(scaleMode === 'cycle' ? this.cycle(t) : t))
    if (mode === 'triangular') return 1
    return mode === 'triangular2' ? 1 / 2 ** (this.cycle(t) - 1) : gamma ** t
  }

  private cycled(): ParamName | null {
    return cycledParam('CyclicLR', this.optimizer, this.options.cycleMomentum, this.param)
  }

  private listOf(value: number | number[]): number[] {
    return this.optimizer.paramGroups.map((_, i) => entryOf(value, i))
  }
}
