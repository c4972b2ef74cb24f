/** LinearToZeroLR: an optional warm-up, then a straight line to zero. */

import { rangeError } from '../base/errors.js'
import { FactorLR } from './counted_lr.js'
import { type CountedOptions, countedOptions, integer, type ScheduleSpec } from './options.js'
import type { Schedulable } from './schedulable.js'

/** Options of `LinearToZeroLR`. */
export interface LinearToZeroLROptions extends CountedOptions {
  /** Number of updates in all; the one after them would have rate zero. */
  totalSteps: number
  /** Number of updates up to the initial rate of the groups. Default 0. */
  warmupSteps?: number
}

const spec: ScheduleSpec<LinearToZeroLROptions> = {
  name: 'LinearToZeroLR',
  options: {
    ...countedOptions,
    totalSteps: integer({ min: 1 }),
    warmupSteps: integer({ min: 0 }, { default: 0 }),
  },
}

/**
 * Rises linearly, then falls in a straight line to zero: `lr(t) = lr0 · (t + 1) / w` for `t < w`, then
 * `lr0 · (T - t) / (T - w)`, and zero from `T` on, with `T = totalSteps` and `w = warmupSteps`. An edit of the rate is
 * overwritten.
 *
 * Throws TypeError or RangeError for a totalSteps that is no positive integer, or a warm-up that is not shorter.
 *
 * ```ts
 * const scheduler = new lrScheduler.LinearToZeroLR(optimizer, { totalSteps: 1000, warmupSteps: 50 })
 * ```
 * Source: Bergsma et al. 2025, Straight to Zero, arXiv:2502.15938.
 */
export class LinearToZeroLR extends FactorLR<LinearToZeroLROptions> {
  static readonly spec = spec

  constructor(optimizer: Schedulable, options: LinearToZeroLROptions) {
    super(spec, optimizer, options)
  }

  protected override prepare(): void {
    const { totalSteps, warmupSteps } = this.options
    if (warmupSteps >= totalSteps) throw rangeError(spec.name, `warmupSteps to be less than ${totalSteps}`, warmupSteps)
  }

  protected override factor(t: number): number {
    const { totalSteps, warmupSteps } = this.options
    if (t < warmupSteps) return (t + 1) / warmupSteps
    return Math.max(0, totalSteps - t) / (totalSteps - warmupSteps)
  }
}
