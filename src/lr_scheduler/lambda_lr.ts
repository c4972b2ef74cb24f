/** LambdaLR: a factor of the initial rate, given by a function. */

import { checkNumber } from '../base/check.js'
import { CountedLR } from './counted_lr.js'
import { type CountedOptions, countedOptions, entryOf, functions, type ScheduleSpec } from './options.js'
import type { Schedulable } from './schedulable.js'

/** A factor for a number of updates. */
export type LrLambda = (t: number) => number

/** Options of `LambdaLR` and `MultiplicativeLR`. */
export interface LambdaLROptions extends CountedOptions {
  /** Function of the number of updates; an array has one per parameter group. */
  lrLambda: LrLambda | LrLambda[]
}

/** @internal Shared by the two schedules that take a function. */
export const lambdaOptions = { ...countedOptions, lrLambda: functions<LrLambda>('lr_lambdas') }

/** @internal The factor that the function of group `i` gives. */
export function factorOf(where: string, { lrLambda }: LambdaLROptions, t: number, i: number): number {
  return checkNumber(where, `lrLambda(${t})`, entryOf(lrLambda, i)(t))
}

const spec: ScheduleSpec<LambdaLROptions> = { name: 'LambdaLR', options: lambdaOptions }

/**
 * Multiplies the initial rate by a function of the number of updates: `lr(t) = lr0 · lrLambda(t)`. An edit of the rate
 * is overwritten.
 *
 * Throws TypeError for what is no function, or whose value is no number, RangeError for a value that is not finite.
 *
 * ```ts
 * const scheduler = new lrScheduler.LambdaLR(optimizer, { lrLambda: t => 0.95 ** t })
 * ```
 * Source: torch.optim.lr_scheduler.LambdaLR.
 */
export class LambdaLR extends CountedLR<LambdaLROptions> {
  static readonly spec = spec

  constructor(optimizer: Schedulable, options: LambdaLROptions) {
    super(spec, optimizer, options)
  }

  protected override next(t: number, i: number): number {
    return this.base(i) * factorOf('LambdaLR', this.options, t, i)
  }
}
