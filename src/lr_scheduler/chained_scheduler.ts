/** ChainedScheduler: several schedules at once. */

import { CompositeLR, parts } from './composite.js'
import type { LRScheduler } from './lr_scheduler.js'
import type { ScheduleSpec } from './options.js'
import type { Schedulable } from './schedulable.js'
import { checkDict, type SchedulerStateDict } from './state.js'

interface ChainedOptions {
  schedulers: LRScheduler[]
}

const spec: ScheduleSpec<ChainedOptions> = { name: 'ChainedScheduler', options: { schedulers: parts } }

/**
 * Steps several schedules, one after the other: the factors of chainable ones multiply. One that computes from the
 * initial rate (LambdaLR, CyclicLR, ...) wipes out the effect of those before it. Also the way to drive several
 * hyper-parameters, or parameter groups, each by its own schedule.
 *
 * `preview` and `getLastLr` show the first schedule's hyper-parameter. Also takes a ReduceLROnPlateau: `step(metric)`
 * then needs its metric. Throws TypeError or RangeError for no schedules, or schedules of different optimizers.
 *
 * ```ts
 * const rate = new lrScheduler.StepLR(optimizer, { stepSize: 30 })
 * const decay = new lrScheduler.LambdaLR(optimizer, { lrLambda: t => 1 + t / 100, param: 'weightDecay' })
 * const scheduler = new lrScheduler.ChainedScheduler([rate, decay])
 * ```
 * Source: torch.optim.lr_scheduler.ChainedScheduler.
 */
export class ChainedScheduler extends CompositeLR<ChainedOptions> {
  static readonly spec = spec

  constructor(schedulers: LRScheduler[]) {
    const checked = parts.check('ChainedScheduler', 'schedulers', schedulers)
    super(spec, checked[0].optimizer, { schedulers }, checked)
  }

  /** @internal */
  static override revive(_: Schedulable, { schedulers }: { schedulers?: unknown }): ChainedScheduler {
    return new ChainedScheduler(schedulers as LRScheduler[])
  }

  protected override ownState(): object {
    return {}
  }

  override get lastEpoch(): number {
    return this.schedulers[0].lastEpoch
  }

  /** @internal */
  override begin(): void {
    for (const part of this.schedulers) part.begin()
    this.state._last_lr = this.values()
  }

  /** @internal */
  override advance(metric?: number): void {
    this.#move(part => part.advance(metric))
  }

  /** @internal */
  override advanceCounts(): void {
    this.#move(part => part.advanceCounts())
  }

  /** @internal */
  override feed(metric: number): void {
    this.#move(part => part.feed(metric))
  }

  #move(move: (part: LRScheduler) => void): void {
    this.schedulers.forEach(move)
    this.state._last_lr = this.values()
  }

  /** PyTorch's has no count of its own. */
  override stateDict(): SchedulerStateDict {
    const { last_epoch: _, ...dict } = super.stateDict()
    return dict
  }

  override loadStateDict(dict: SchedulerStateDict): void {
    super.loadStateDict({ ...checkDict('ChainedScheduler', dict), last_epoch: 0 })
  }
}
