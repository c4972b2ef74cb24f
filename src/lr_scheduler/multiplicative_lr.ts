/** MultiplicativeLR: a factor of the present rate, given by a function. */

import { CountedLR } from './counted_lr.js'
import { factorOf, type LambdaLROptions, lambdaOptions } from './lambda_lr.js'
import type { ScheduleSpec } from './options.js'
import type { Schedulable } from './schedulable.js'

const spec: ScheduleSpec<LambdaLROptions> = { name: 'MultiplicativeLR', options: lambdaOptions }

/**
 * Multiplies the present rate by a function of the number of updates: `lr(t) = lr(t - 1) · lrLambda(t)`. Chainable.
 *
 * Throws TypeError for what is no function, or whose value is no number, RangeError for a value that is not finite.
 *
 * ```ts
 * const scheduler = new lrScheduler.MultiplicativeLR(optimizer, { lrLambda: () => 0.95 })
 * ```
 * Source: torch.optim.lr_scheduler.MultiplicativeLR.
 */
export class MultiplicativeLR extends CountedLR<LambdaLROptions> {
  static readonly spec = spec

  constructor(optimizer: Schedulable, options: LambdaLROptions) {
    super(spec, optimizer, options)
  }

  protected override next(t: number, i: number, now: number): number {
    return this.state._is_initial ? now : now * factorOf('MultiplicativeLR', this.options, t, i)
  }
}
