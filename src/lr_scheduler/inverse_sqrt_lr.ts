/** InverseSqrtLR: a linear warm-up, then decay with the inverse square root of time. */

import { FactorLR } from './counted_lr.js'
import { type CountedOptions, countedOptions, integer, type ScheduleSpec } from './options.js'
import type { Schedulable } from './schedulable.js'

/** Options of `InverseSqrtLR`. */
export interface InverseSqrtLROptions extends CountedOptions {
  /** Number of updates up to the initial rate of the groups. Default 4000. */
  warmupSteps?: number
}

const spec: ScheduleSpec<InverseSqrtLROptions> = {
  name: 'InverseSqrtLR',
  options: { ...countedOptions, warmupSteps: integer({ min: 1 }, { default: 4000 }) },
}

/**
 * Rises linearly to the initial rate, then decays with the inverse square root of time:
 * `lr(t) = lr0 · min(n / w, √(w / n))` with `n = t + 1`, the number of the update, and `w = warmupSteps`. An edit of the
 * rate is overwritten.
 *
 * Throws TypeError or RangeError for warmupSteps that is no positive integer.
 *
 * ```ts
 * const scheduler = new lrScheduler.InverseSqrtLR(optimizer, { warmupSteps: 1000 })
 * ```
 * Source: Vaswani et al. 2017, Attention Is All You Need, arXiv:1706.03762, scaled to peak at the initial rate, as
 * fairseq's inverse_sqrt.
 */
export class InverseSqrtLR extends FactorLR<InverseSqrtLROptions> {
  static readonly spec = spec

  constructor(optimizer: Schedulable, options: InverseSqrtLROptions = {}) {
    super(spec, optimizer, options)
  }

  protected override factor(t: number): number {
    const { warmupSteps } = this.options
    return Math.min((t + 1) / warmupSteps, Math.sqrt(warmupSteps / (t + 1)))
  }
}
