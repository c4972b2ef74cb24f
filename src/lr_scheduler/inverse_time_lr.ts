/** InverseTimeLR: decay with the inverse of time. */

import { FactorLR } from './counted_lr.js'
import { type CountedOptions, countedOptions, number, type ScheduleSpec } from './options.js'
import type { Schedulable } from './schedulable.js'

/** Options of `InverseTimeLR`. */
export interface InverseTimeLROptions extends CountedOptions {
  /** Speed of the decay: the rate is halved after 1/k updates. */
  k: number
}

const spec: ScheduleSpec<InverseTimeLROptions> = {
  name: 'InverseTimeLR',
  options: { ...countedOptions, k: number({ min: 0 }) },
}

/**
 * Decays the rate with the inverse of time: `lr(t) = lr0 / (1 + k·t)`. An edit of the rate is overwritten.
 *
 * Throws TypeError or RangeError for a k that is no number of at least 0.
 *
 * ```ts
 * const scheduler = new lrScheduler.InverseTimeLR(optimizer, { k: 0.01 })
 * ```
 * Source: Robbins and Monro 1951, A Stochastic Approximation Method; tf.keras InverseTimeDecay.
 */
export class InverseTimeLR extends FactorLR<InverseTimeLROptions> {
  static readonly spec = spec

  constructor(optimizer: Schedulable, options: InverseTimeLROptions) {
    super(spec, optimizer, options)
  }

  protected override factor(t: number): number {
    return 1 / (1 + this.options.k * t)
  }
}
