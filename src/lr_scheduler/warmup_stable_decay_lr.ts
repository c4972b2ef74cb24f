/** WarmupStableDecayLR: up, level, down. */

import { rangeError } from '../base/errors.js'
import { FactorLR } from './counted_lr.js'
import { type CountedOptions, choice, countedOptions, integer, number, type ScheduleSpec } from './options.js'
import type { Schedulable } from './schedulable.js'

/** Options of `WarmupStableDecayLR`. */
export interface WarmupStableDecayLROptions extends CountedOptions {
  /** Number of updates in all. */
  totalSteps: number
  /** Number of updates up to the initial rate of the groups. Default 0. */
  warmupSteps?: number
  /** Number of updates of the cooldown at the end. */
  decaySteps: number
  /** Shape of the cooldown over its share x: `1 - x`, `(1 + cos(π·x)) / 2`, `1 - √x`. Default 'linear'. */
  cooldown?: 'linear' | 'cosine' | '1-sqrt'
  /** Factor at the end, 0 to 1. Default 0. */
  minFactor?: number
}

const spec: ScheduleSpec<WarmupStableDecayLROptions> = {
  name: 'WarmupStableDecayLR',
  options: {
    ...countedOptions,
    totalSteps: integer({ min: 1 }),
    warmupSteps: integer({ min: 0 }, { default: 0 }),
    decaySteps: integer({ min: 0 }),
    cooldown: choice(['linear', 'cosine', '1-sqrt']),
    minFactor: number({ min: 0, max: 1 }, { default: 0 }),
  },
}

const shapes = {
  linear: (x: number) => 1 - x,
  cosine: (x: number) => (1 + Math.cos(Math.PI * x)) / 2,
  '1-sqrt': (x: number) => 1 - Math.sqrt(x),
}

/**
 * Rises linearly, stays, and cools down at the end: `lr(t) = lr0 · f`, with `f = (t + 1) / warmupSteps` for
 * `t < warmupSteps`, then 1, and from `totalSteps - decaySteps` on `f = min + (1 - min) · shape(x)`, where
 * `x = (t - (totalSteps - decaySteps)) / decaySteps`; from `totalSteps` on `f = min`. An edit of the rate is overwritten.
 *
 * Throws TypeError or RangeError for bad options, or a warm-up and a cooldown that are together longer than the whole.
 *
 * ```ts
 * const options = { totalSteps: 1000, warmupSteps: 50, decaySteps: 200, cooldown: '1-sqrt' } as const
 * const scheduler = new lrScheduler.WarmupStableDecayLR(optimizer, options)
 * ```
 * Source: Hu et al. 2024, MiniCPM, arXiv:2404.06395; '1-sqrt': Hägele et al. 2024, arXiv:2405.18392.
 */
export class WarmupStableDecayLR extends FactorLR<WarmupStableDecayLROptions> {
  static readonly spec = spec

  constructor(optimizer: Schedulable, options: WarmupStableDecayLROptions) {
    super(spec, optimizer, options)
  }

  protected override prepare(): void {
    const { totalSteps, warmupSteps, decaySteps } = this.options
    if (warmupSteps + decaySteps > totalSteps) {
      throw rangeError(spec.name, `warmupSteps + decaySteps to be at most ${totalSteps}`, warmupSteps + decaySteps)
    }
  }

  protected override factor(t: number): number {
    const { totalSteps, warmupSteps, decaySteps, cooldown, minFactor } = this.options
    if (t >= totalSteps) return minFactor
    if (t < warmupSteps) return (t + 1) / warmupSteps
    const x = (t - (totalSteps - decaySteps)) / decaySteps
    return x > 0 ? minFactor + (1 - minFactor) * shapes[cooldown](x) : 1
  }
}
