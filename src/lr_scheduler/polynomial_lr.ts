/** PolynomialLR: decay to zero along a power. */

import { CountedLR } from './counted_lr.js'
import { type CountedOptions, countedOptions, integer, number, type ScheduleSpec } from './options.js'
import type { Schedulable } from './schedulable.js'

/** Options of `PolynomialLR`. */
export interface PolynomialLROptions extends CountedOptions {
  /** Number of updates until the rate is zero. Default 5. */
  totalIters?: number
  /** Exponent; 1 is a straight line. Default 1. */
  power?: number
}

const spec: ScheduleSpec<PolynomialLROptions> = {
  name: 'PolynomialLR',
  options: {
    ...countedOptions,
    totalIters: integer({ min: 0 }, { default: 5 }),
    power: number({}, { default: 1 }),
  },
}

/**
 * Decays the rate to zero along a power: `lr(t) = lr0 · (1 - min(t, total) / total)^power`. Chainable.
 *
 * Throws TypeError or RangeError for a totalIters that is no count or a power that is no number.
 *
 * ```ts
 * const scheduler = new lrScheduler.PolynomialLR(optimizer, { totalIters: 1000, power: 2 })
 * ```
 * Source: torch.optim.lr_scheduler.PolynomialLR.
 */
export class PolynomialLR extends CountedLR<PolynomialLROptions> {
  static readonly spec = spec

  constructor(optimizer: Schedulable, options: PolynomialLROptions = {}) {
    super(spec, optimizer, options)
  }

  protected override next(t: number, _i: number, now: number): number {
    const { totalIters, power } = this.options
    if (this.state._is_initial || t > totalIters) return now
    return now * ((1 - t / totalIters) / (1 - (t - 1) / totalIters)) ** power
  }

  protected override closedForm(t: number, i: number): number {
    const { totalIters, power } = this.options
    const done = totalIters === 0 ? 1 : Math.min(totalIters, t) / totalIters
    return this.base(i) * (1 - done) ** power
  }
}
