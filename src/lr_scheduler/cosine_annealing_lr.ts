/** CosineAnnealingLR: half a cosine down to a minimum. */

import { CountedLR } from './counted_lr.js'
import { type CountedOptions, countedOptions, flag, number, type ScheduleSpec } from './options.js'
import type { Schedulable } from './schedulable.js'

/** Options of `CosineAnnealingLR`. */
export interface CosineAnnealingLROptions extends CountedOptions {
  /** Number of updates down to the minimum. */
  tMax: number
  /** The minimum. Default 0. */
  etaMin?: number
  /** Stay at the minimum after `tMax` updates; PyTorch's schedule climbs again. Default false. */
  hold?: boolean
}

const spec: ScheduleSpec<CosineAnnealingLROptions> = {
  name: 'CosineAnnealingLR',
  options: {
    ...countedOptions,
    tMax: number({ above: 0 }, { key: 'T_max' }),
    etaMin: number({}, { default: 0 }),
    hold: flag(false, { key: null }),
  },
}

/**
 * Half a cosine from the initial rate to the minimum: `lr(t) = etaMin + (lr0 - etaMin) · (1 + cos(π·t / tMax)) / 2`.
 * Chainable. After `tMax` updates it climbs again, as in PyTorch, unless `hold` is set.
 *
 * Throws TypeError or RangeError for a tMax that is no number above 0.
 *
 * ```ts
 * const scheduler = new lrScheduler.CosineAnnealingLR(optimizer, { tMax: 1000, hold: true })
 * ```
 * Source: torch.optim.lr_scheduler.CosineAnnealingLR; Loshchilov and Hutter 2017, SGDR, arXiv:1608.03983.
 */
export class CosineAnnealingLR extends CountedLR<CosineAnnealingLROptions> {
  static readonly spec = spec

  constructor(optimizer: Schedulable, options: CosineAnnealingLROptions) {
    super(spec, optimizer, options)
  }

  protected override next(t: number, i: number, now: number): number {
    const { tMax, etaMin, hold } = this.options
    if (this.state._is_initial) return now
    if (hold && t >= tMax) return t - 1 < tMax ? etaMin : now
    // The minimum leaves nothing to rescale, so the climb starts from the initial rate.
    if ((t - 1 - tMax) % (2 * tMax) === 0) {
      return now + ((this.base(i) - etaMin) * (1 - Math.cos(Math.PI / tMax))) / 2
    }
    const ratio = (1 + Math.cos((Math.PI * t) / tMax)) / (1 + Math.cos((Math.PI * (t - 1)) / tMax))
    return ratio * (now - etaMin) + etaMin
  }

  protected override closedForm(t: number, i: number): number {
    const { tMax, etaMin, hold } = this.options
    const at = hold ? Math.min(t, tMax) : t
    return etaMin + ((this.base(i) - etaMin) * (1 + Math.cos((Math.PI * at) / tMax))) / 2
  }
}
