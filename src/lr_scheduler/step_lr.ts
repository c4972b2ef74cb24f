/** StepLR: decay by a factor every so many updates. */

import { CountedLR } from './counted_lr.js'
import { type CountedOptions, countedOptions, integer, number, type ScheduleSpec } from './options.js'
import type { Schedulable } from './schedulable.js'

/** Options of `StepLR`. */
export interface StepLROptions extends CountedOptions {
  /** Number of updates between two decays. */
  stepSize: number
  /** Factor of each decay. Default 0.1. */
  gamma?: number
}

const spec: ScheduleSpec<StepLROptions> = {
  name: 'StepLR',
  options: { ...countedOptions, stepSize: integer({ min: 1 }), gamma: number({ min: 0 }, { default: 0.1 }) },
}

/**
 * Decays the rate by `gamma` every `stepSize` updates: `lr(t) = lr0 · gamma^⌊t / stepSize⌋`. Chainable.
 *
 * Throws TypeError or RangeError for a stepSize that is no positive integer or a negative gamma.
 *
 * ```ts
 * const scheduler = new lrScheduler.StepLR(optimizer, { stepSize: 115, gamma: 0.5 })
 * ```
 * Source: torch.optim.lr_scheduler.StepLR.
 */
export class StepLR extends CountedLR<StepLROptions> {
  static readonly spec = spec

  constructor(optimizer: Schedulable, options: StepLROptions) {
    super(spec, optimizer, options)
  }

  protected override next(t: number, _i: number, now: number): number {
    const { stepSize, gamma } = this.options
    return t === 0 || t % stepSize !== 0 ? now : now * gamma
  }

  protected override flatAfter(t: number): number {
    const { stepSize } = this.options
    return stepSize - 1 - (t % stepSize)
  }

  protected override closedForm(t: number, i: number): number {
    const { stepSize, gamma } = this.options
    return this.base(i) * gamma ** Math.floor(t / stepSize)
  }
}
