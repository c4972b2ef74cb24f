/** SWALR: from the present rate to the one for averaging weights. */

import { CountedLR } from './counted_lr.js'
import {
  type CountedOptions,
  choice,
  countedOptions,
  entryOf,
  integer,
  perGroup,
  type ScheduleSpec,
} from './options.js'
import { companionKey, type Schedulable } from './schedulable.js'

/** Options of `SWALR`. */
export interface SWALROptions extends CountedOptions {
  /** The rate to go to; an array has one per parameter group. */
  swaLr: number | number[]
  /** Number of updates until it is reached. Default 10. */
  annealEpochs?: number
  /** Shape of the way. Default 'cos'. */
  annealStrategy?: 'cos' | 'linear'
}

const spec: ScheduleSpec<SWALROptions> = {
  name: 'SWALR',
  options: {
    ...countedOptions,
    swaLr: perGroup({}),
    annealEpochs: integer({ min: 0 }, { default: 10 }),
    annealStrategy: choice(['cos', 'linear'], { key: '_anneal_strategy' }),
  },
}

/**
 * Goes from the present rate to `swaLr` in `annealEpochs` updates and stays there:
 * `lr(t) = swaLr · a + lr0 · (1 - a)` with `a = (1 - cos(π·t / n)) / 2` or `t / n`. Chainable: the start is worked out
 * from the present rate, so that an edit goes on from where it is. `lastEpoch` counts on, yet the way starts anew.
 *
 * Throws TypeError or RangeError for bad options, or an array without one entry per parameter group.
 *
 * ```ts
 * const scheduler = new lrScheduler.SWALR(optimizer, { swaLr: 0.05, annealEpochs: 5 })
 * ```
 * Source: torch.optim.swa_utils.SWALR; Izmailov et al. 2018, Averaging Weights, arXiv:1803.05407.
 */
export class SWALR extends CountedLR<SWALROptions> {
  static readonly spec = spec

  constructor(optimizer: Schedulable, options: SWALROptions) {
    super(spec, optimizer, options)
  }

  protected override prepare(): void {
    const key = companionKey('swa', this.param)
    this.optimizer.paramGroups.forEach((group, i) => {
      if (this.drives(i)) group[key] = entryOf(this.options.swaLr, i)
    })
  }

  protected override join(i: number): void {
    super.join(i)
    const group = this.optimizer.paramGroups[i]
    if (this.drives(i)) group[companionKey('swa', this.param)] ??= entryOf(this.options.swaLr, i)
  }

  /** @internal */
  override ownKeys(): string[] {
    return [...super.ownKeys(), companionKey('swa', this.param)]
  }

  protected override next(_t: number, i: number, now: number): number {
    const { annealEpochs } = this.options
    const taken = this.state._step_count - 1
    const step = annealEpochs === 0 ? Math.max(1, taken) : taken
    const target = this.optimizer.paramGroups[i][companionKey('swa', this.param)] as number
    const before = this.share(step - 1)
    const start = before === 1 ? target : (now - before * target) / (1 - before)
    const share = this.share(step)
    return target * share + start * (1 - share)
  }

  /** The share of the target after so many updates. */
  private share(step: number): number {
    const { annealEpochs, annealStrategy } = this.options
    const part = Math.max(0, Math.min(1, step / Math.max(1, annealEpochs)))
    return annealStrategy === 'linear' ? part : (1 - Math.cos(Math.PI * part)) / 2
  }
}
