/** ExponentialLR: decay by a factor with every update. */

import { CountedLR } from './counted_lr.js'
import { type CountedOptions, countedOptions, number, type ScheduleSpec } from './options.js'
import type { Schedulable } from './schedulable.js'

/** Options of `ExponentialLR`. */
export interface ExponentialLROptions extends CountedOptions {
  /** Factor of each update. */
  gamma: number
}

const spec: ScheduleSpec<ExponentialLROptions> = {
  name: 'ExponentialLR',
  options: { ...countedOptions, gamma: number({ min: 0 }) },
}

/**
 * Decays the rate by `gamma` with every update: `lr(t) = lr0 · gamma^t`. Chainable.
 *
 * Throws TypeError or RangeError for a gamma that is no number of at least 0.
 *
 * ```ts
 * const scheduler = new lrScheduler.ExponentialLR(optimizer, { gamma: 0.97 })
 * ```
 * Source: torch.optim.lr_scheduler.ExponentialLR.
 */
export class ExponentialLR extends CountedLR<ExponentialLROptions> {
  static readonly spec = spec

  constructor(optimizer: Schedulable, options: ExponentialLROptions) {
    super(spec, optimizer, options)
  }

  protected override next(_t: number, _i: number, now: number): number {
    return this.state._is_initial ? now : now * this.options.gamma
  }

  protected override closedForm(t: number, i: number): number {
    return this.base(i) * this.options.gamma ** t
  }
}
