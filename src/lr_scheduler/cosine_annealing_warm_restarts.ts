/** CosineAnnealingWarmRestarts: half cosines, each as long as the last or a multiple of it. */

import { checkNumber } from '../base/check.js'
import { CountedLR } from './counted_lr.js'
import { type CountedOptions, countedOptions, integer, number, type ScheduleSpec } from './options.js'
import type { Schedulable } from './schedulable.js'

/** Options of `CosineAnnealingWarmRestarts`. */
export interface CosineAnnealingWarmRestartsOptions extends CountedOptions {
  /** Length of the first cycle. */
  t0: number
  /** Each cycle is this many times as long as the one before. Default 1. */
  tMult?: number
  /** The minimum. Default 0. */
  etaMin?: number
}

/** Length of the present cycle and the place in it. */
interface Cycle {
  T_i: number
  T_cur: number
}

const spec: ScheduleSpec<CosineAnnealingWarmRestartsOptions> = {
  name: 'CosineAnnealingWarmRestarts',
  options: {
    ...countedOptions,
    t0: integer({ min: 1 }, { key: 'T_0' }),
    tMult: integer({ min: 1 }, { default: 1, key: 'T_mult' }),
    etaMin: number({}, { default: 0 }),
  },
  state: { T_i: number({ min: 1 }).check, T_cur: number({ min: 0 }).check },
}

/** The cycle that a count, whole or not, falls into. */
function cycleAt(epoch: number, t0: number, tMult: number): Cycle {
  if (epoch < t0) return { T_i: t0, T_cur: epoch }
  if (tMult === 1) return { T_i: t0, T_cur: epoch % t0 }
  const n = Math.trunc(Math.log((epoch / t0) * (tMult - 1) + 1) / Math.log(tMult))
  return { T_i: t0 * tMult ** n, T_cur: epoch - (t0 * (tMult ** n - 1)) / (tMult - 1) }
}

/**
 * Half cosines down to a minimum, restarted: `lr(t) = etaMin + (lr0 - etaMin) · (1 + cos(π·tCur / tI)) / 2`, where
 * `tCur` counts from the last restart and cycle i is `t0 · tMult^i` long. An edit of the rate is overwritten.
 *
 * `step(epoch)` takes a fractional count: `step(epoch + batch / batches)`. Throws TypeError or RangeError for a t0 or
 * tMult that is no positive integer, or a negative epoch.
 *
 * ```ts
 * const scheduler = new lrScheduler.CosineAnnealingWarmRestarts(optimizer, { t0: 10, tMult: 2 })
 * ```
 * Source: torch.optim.lr_scheduler.CosineAnnealingWarmRestarts; Loshchilov and Hutter 2017, SGDR, arXiv:1608.03983.
 * Unlike PyTorch's, `lastEpoch` finds the cycle with any tMult.
 */
export class CosineAnnealingWarmRestarts extends CountedLR<CosineAnnealingWarmRestartsOptions, Cycle> {
  static readonly spec = spec

  constructor(optimizer: Schedulable, options: CosineAnnealingWarmRestartsOptions) {
    super(spec, optimizer, options)
  }

  protected override extraState(): Cycle {
    const { t0, tMult, lastEpoch } = this.options
    return cycleAt(lastEpoch, t0, tMult)
  }

  /** To the next update, or to any count, whole or not. */
  override step(epoch?: number): void {
    if (epoch === undefined) this.advance()
    else this.moveInto(checkNumber('CosineAnnealingWarmRestarts.step', 'epoch', epoch, { min: 0 }))
  }

  /** @internal */
  override advance(): void {
    const { state } = this
    if (state.last_epoch < 0) {
      this.moveInto(0)
      return
    }
    state.T_cur++
    if (state.T_cur >= state.T_i) {
      state.T_cur %= state.T_i
      state.T_i *= this.options.tMult
    }
    this.moveTo(state.last_epoch + 1, false)
  }

  protected override next(_t: number, i: number): number {
    const { etaMin } = this.options
    const { T_cur, T_i } = this.state
    return etaMin + ((this.base(i) - etaMin) * (1 + Math.cos((Math.PI * T_cur) / T_i))) / 2
  }

  private moveInto(epoch: number): void {
    Object.assign(this.state, cycleAt(epoch, this.options.t0, this.options.tMult))
    this.moveTo(Math.floor(epoch), false)
  }
}
