/** ConstantLR: a reduced rate for a number of updates. */

import { CountedLR } from './counted_lr.js'
import { type CountedOptions, countedOptions, integer, number, type ScheduleSpec } from './options.js'
import type { Schedulable } from './schedulable.js'

/** Options of `ConstantLR`. */
export interface ConstantLROptions extends CountedOptions {
  /** Factor of the rate until `totalIters`, 0 to 1. Default 1/3. */
  factor?: number
  /** Number of updates with the reduced rate. Default 5. */
  totalIters?: number
}

const spec: ScheduleSpec<ConstantLROptions> = {
  name: 'ConstantLR',
  options: {
    ...countedOptions,
    factor: number({ min: 0, max: 1 }, { default: 1 / 3 }),
    totalIters: integer({ min: 0 }, { default: 5 }),
  },
}

/**
 * Multiplies the rate by `factor` until `totalIters`: `lr(t) = lr0 · factor` for `t < totalIters`, then `lr0`.
 * Chainable. As in PyTorch `totalIters: 0` never ends.
 *
 * Throws TypeError or RangeError for a factor outside 0 to 1 or a totalIters that is no count.
 *
 * ```ts
 * const scheduler = new lrScheduler.ConstantLR(optimizer, { factor: 0.5, totalIters: 4 })
 * ```
 * Source: torch.optim.lr_scheduler.ConstantLR.
 */
export class ConstantLR extends CountedLR<ConstantLROptions> {
  static readonly spec = spec

  constructor(optimizer: Schedulable, options: ConstantLROptions = {}) {
    super(spec, optimizer, options)
  }

  protected override next(t: number, i: number, now: number): number {
    const { factor, totalIters } = this.options
    if (t === 0) return now * factor
    if (t !== totalIters) return now
    // Nothing can be rescaled from 0, where PyTorch divides by it.
    return factor === 0 ? this.base(i) : now * (1 / factor)
  }

  protected override flatAfter(t: number): number {
    const { totalIters } = this.options
    return t < totalIters ? totalIters - 1 - t : Infinity
  }

  protected override closedForm(t: number, i: number): number {
    const { factor, totalIters } = this.options
    return this.base(i) * (factor + (t >= totalIters ? 1 - factor : 0))
  }
}
