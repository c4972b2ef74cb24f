/** LinearLR: from one factor to another in a straight line. */

import { CountedLR } from './counted_lr.js'
import { type CountedOptions, countedOptions, integer, number, type ScheduleSpec } from './options.js'
import type { Schedulable } from './schedulable.js'

/** Options of `LinearLR`. */
export interface LinearLROptions extends CountedOptions {
  /** Factor of the first update, above 0 and at most 1. Default 1/3. */
  startFactor?: number
  /** Factor from `totalIters` on, 0 to 1. Default 1. */
  endFactor?: number
  /** Number of updates from one to the other. Default 5. */
  totalIters?: number
}

const spec: ScheduleSpec<LinearLROptions> = {
  name: 'LinearLR',
  options: {
    ...countedOptions,
    startFactor: number({ above: 0, max: 1 }, { default: 1 / 3 }),
    endFactor: number({ min: 0, max: 1 }, { default: 1 }),
    totalIters: integer({ min: 0 }, { default: 5 }),
  },
}

/**
 * Moves the factor of the rate linearly: `lr(t) = lr0 · (start + (end - start) · min(t, total) / total)`. Chainable.
 *
 * Throws TypeError or RangeError for a startFactor outside (0, 1], an endFactor outside [0, 1] or a totalIters that is
 * no count.
 *
 * ```ts
 * const scheduler = new lrScheduler.LinearLR(optimizer, { startFactor: 0.1, totalIters: 500 })
 * ```
 * Source: torch.optim.lr_scheduler.LinearLR.
 */
export class LinearLR extends CountedLR<LinearLROptions> {
  static readonly spec = spec

  constructor(optimizer: Schedulable, options: LinearLROptions = {}) {
    super(spec, optimizer, options)
  }

  protected override next(t: number, _i: number, now: number): number {
    const { startFactor, endFactor, totalIters } = this.options
    if (t === 0) return now * startFactor
    if (this.state._is_initial || t > totalIters) return now
    const rise = endFactor - startFactor
    return now * (1 + rise / (totalIters * startFactor + (t - 1) * rise))
  }

  protected override closedForm(t: number, i: number): number {
    const { startFactor, endFactor, totalIters } = this.options
    if (totalIters === 0) return this.base(i) * endFactor
    return this.base(i) * (startFactor + ((endFactor - startFactor) * Math.min(totalIters, t)) / totalIters)
  }
}
