/** NoamLR: the schedule of the Transformer. */

import { FactorLR } from './counted_lr.js'
import { type CountedOptions, countedOptions, integer, type ScheduleSpec } from './options.js'
import type { Schedulable } from './schedulable.js'

/** Options of `NoamLR`. */
export interface NoamLROptions extends CountedOptions {
  /** Width of the model. */
  dModel: number
  /** Number of updates up to the highest rate. Default 4000. */
  warmupSteps?: number
}

const spec: ScheduleSpec<NoamLROptions> = {
  name: 'NoamLR',
  options: {
    ...countedOptions,
    dModel: integer({ min: 1 }),
    warmupSteps: integer({ min: 1 }, { default: 4000 }),
  },
}

/**
 * Rises linearly, then decays with the inverse square root of time:
 * `lr(t) = lr0 · dModel^-0.5 · min(n^-0.5, n · warmupSteps^-1.5)` with `n = t + 1`, the number of the update. The initial
 * rate is a factor here, in the paper 1. An edit of the rate is overwritten.
 *
 * Throws TypeError or RangeError for a dModel or warmupSteps that is no positive integer.
 *
 * ```ts
 * const optimizer = new optim.Adam(model.parameters(), { lr: 1, betas: [0.9, 0.98], eps: 1e-9 })
 * const scheduler = new lrScheduler.NoamLR(optimizer, { dModel: 512 })
 * ```
 * Source: Vaswani et al. 2017, Attention Is All You Need, arXiv:1706.03762, section 5.3.
 */
export class NoamLR extends FactorLR<NoamLROptions> {
  static readonly spec = spec

  constructor(optimizer: Schedulable, options: NoamLROptions) {
    super(spec, optimizer, options)
  }

  protected override factor(t: number): number {
    const { dModel, warmupSteps } = this.options
    return dModel ** -0.5 * Math.min((t + 1) ** -0.5, (t + 1) * warmupSteps ** -1.5)
  }
}
