/** REXLR: slow at first, fast at the end. */

import { FactorLR } from './counted_lr.js'
import { type CountedOptions, countedOptions, integer, type ScheduleSpec } from './options.js'
import type { Schedulable } from './schedulable.js'

/** Options of `REXLR`. */
export interface REXLROptions extends CountedOptions {
  /** Number of updates in all; the one after them would have rate zero. */
  totalSteps: number
}

const spec: ScheduleSpec<REXLROptions> = {
  name: 'REXLR',
  options: { ...countedOptions, totalSteps: integer({ min: 1 }) },
}

/**
 * Falls to zero, slowly at first and fast at the end: `lr(t) = lr0 · (1 - z) / (1/2 + (1 - z) / 2)` with
 * `z = min(1, t / totalSteps)`. An edit of the rate is overwritten.
 *
 * Throws TypeError or RangeError for a totalSteps that is no positive integer.
 *
 * ```ts
 * const scheduler = new lrScheduler.REXLR(optimizer, { totalSteps: 1000 })
 * ```
 * Source: Chen, Wolfe and Kyrillidis 2021, REX: Revisiting Budgeted Training, arXiv:2107.04197.
 */
export class REXLR extends FactorLR<REXLROptions> {
  static readonly spec = spec

  constructor(optimizer: Schedulable, options: REXLROptions) {
    super(spec, optimizer, options)
  }

  protected override factor(t: number): number {
    const left = 1 - Math.min(1, t / this.options.totalSteps)
    return left / (0.5 + left / 2)
  }
}
