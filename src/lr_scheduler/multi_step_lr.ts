/** MultiStepLR: decay by a factor at given updates. */

import { checkInt } from '../base/check.js'
import { isPlainObject } from '../base/kinds.js'
import { CountedLR } from './counted_lr.js'
import { type CountedOptions, countedOptions, integers, number, type ScheduleSpec } from './options.js'
import type { Schedulable } from './schedulable.js'

/** Options of `MultiStepLR`. */
export interface MultiStepLROptions extends CountedOptions {
  /** Counts of updates after which to decay, in any order; one given twice decays twice. */
  milestones: number[]
  /** Factor of each decay. Default 0.1. */
  gamma?: number
}

/** PyTorch's state dict holds how often each milestone occurs. */
function counts(milestones: number[]): Record<string, number> {
  const table: Record<string, number> = {}
  for (const at of milestones) table[at] = (table[at] ?? 0) + 1
  return table
}

function elements(table: unknown): unknown {
  if (!isPlainObject(table)) return table
  return Object.entries(table).flatMap(([at, n]) => {
    const times = checkInt('MultiStepLR.loadStateDict', `milestones[${at}]`, n, { min: 0, max: 1e6 })
    return new Array<number>(times).fill(Number(at))
  })
}

const spec: ScheduleSpec<MultiStepLROptions> = {
  name: 'MultiStepLR',
  options: {
    ...countedOptions,
    milestones: integers({ save: counts, load: elements }),
    gamma: number({ min: 0 }, { default: 0.1 }),
  },
}

/**
 * Decays the rate by `gamma` at each milestone: `lr(t) = lr0 · gamma^(number of milestones ≤ t)`. Chainable.
 *
 * Throws TypeError or RangeError for milestones that are no integers of at least 0 or a negative gamma.
 *
 * ```ts
 * const scheduler = new lrScheduler.MultiStepLR(optimizer, { milestones: [60, 120, 160], gamma: 0.2 })
 * ```
 * Source: torch.optim.lr_scheduler.MultiStepLR.
 */
export class MultiStepLR extends CountedLR<MultiStepLROptions> {
  static readonly spec = spec

  constructor(optimizer: Schedulable, options: MultiStepLROptions) {
    super(spec, optimizer, options)
  }

  protected override next(t: number, _i: number, now: number): number {
    const { milestones, gamma } = this.options
    let times = 0
    for (const at of milestones) if (at === t) times++
    return times === 0 ? now : now * gamma ** times
  }

  protected override flatAfter(t: number): number {
    return Math.min(...this.options.milestones.filter(at => at > t)) - 1 - t
  }

  protected override closedForm(t: number, i: number): number {
    const { milestones, gamma } = this.options
    return this.base(i) * gamma ** milestones.filter(at => at <= t).length
  }
}
