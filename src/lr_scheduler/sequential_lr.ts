/** SequentialLR: one schedule after the other. */

import { rangeError } from '../base/errors.js'
import { CompositeLR, checkOneParam, parts } from './composite.js'
import type { LRScheduler } from './lr_scheduler.js'
import { type CountedOptions, integers, replayedLastEpoch, type ScheduleSpec } from './options.js'
import type { Schedulable } from './schedulable.js'

/** Options of `SequentialLR`. */
export interface SequentialLROptions extends Pick<CountedOptions, 'lastEpoch'> {
  /** Schedules of the same optimizer, in order. */
  schedulers: LRScheduler[]
  /** The counts at which the next one takes over, in order: one fewer than schedules. */
  milestones: number[]
}

const spec: ScheduleSpec<SequentialLROptions> = {
  name: 'SequentialLR',
  options: { schedulers: parts, milestones: integers({ key: '_milestones' }), lastEpoch: replayedLastEpoch },
}

/**
 * Runs one schedule after the other. At its milestone each starts from the initial rate, wherever the one before it has
 * got to: a warm-up that is not finished jumps (`WarmupLR` does not). MultiplicativeLR goes on from the present rate.
 *
 * Also takes a ReduceLROnPlateau, which PyTorch refuses: `step(metric)` then needs its metric from the first call on.
 * `lastEpoch` goes on as if so many steps had been taken, with schedules that are new. Throws TypeError or RangeError
 * for no schedules, another number or order of milestones, or schedules of another optimizer or hyper-parameter.
 *
 * ```ts
 * const warmup = new lrScheduler.LinearLR(optimizer, { startFactor: 0.01, totalIters: 10 })
 * const cosine = new lrScheduler.CosineAnnealingLR(optimizer, { tMax: 90 })
 * const scheduler = new lrScheduler.SequentialLR(optimizer, { schedulers: [warmup, cosine], milestones: [10] })
 * ```
 * Source: torch.optim.lr_scheduler.SequentialLR.
 */
export class SequentialLR extends CompositeLR<SequentialLROptions> {
  static readonly spec = spec

  constructor(optimizer: Schedulable, options: SequentialLROptions) {
    super(spec, optimizer, options, parts.check('SequentialLR', 'schedulers', options?.schedulers))
    this.#checkMilestones()
    checkOneParam(this)
    this.enter()
    for (let t = 0; t <= this.options.lastEpoch; t++) this.advance()
  }

  protected override ownState(): object {
    return {}
  }

  /** @internal */
  override begin(): void {
    const first = this.schedulers[this.#active(0)]
    this.state.last_epoch = 0
    first.begin()
    this.state._last_lr = first.getLastLr()
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
    const part = this.schedulers[this.#active(this.state.last_epoch)]
    part.feed(metric)
    this.state._last_lr = part.getLastLr()
  }

  #move(move: (part: LRScheduler) => void): void {
    const t = this.state.last_epoch + 1
    const active = this.#active(t)
    const part = this.schedulers[active]
    if (active > 0 && this.options.milestones[active - 1] === t) part.enter()
    else move(part)
    this.state.last_epoch = t
    this.state._last_lr = part.getLastLr()
  }

  /** The schedule in charge: as many as milestones have been reached. */
  #active(t: number): number {
    const { milestones } = this.options
    let reached = 0
    while (reached < milestones.length && milestones[reached] <= t) reached++
    return reached
  }

  #checkMilestones(): void {
    const { milestones } = this.options
    if (milestones.length !== this.schedulers.length - 1) {
      throw rangeError('SequentialLR', `milestones to have ${this.schedulers.length - 1} entries`, milestones)
    }
    if (milestones.some((at, i) => at < milestones[i - 1])) {
      throw rangeError('SequentialLR', 'milestones in increasing order', milestones)
    }
  }
}
