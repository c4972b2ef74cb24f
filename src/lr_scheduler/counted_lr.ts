/**
 * CountedLR: schedules that are a function of the number of updates, and FactorLR, those that are a factor of the
 * initial value. Not here: plateaus and schedules made of others.
 *
 * A chainable schedule computes the next value from the present one, so that an edit in between stays; the others
 * compute it from the initial value and overwrite an edit.
 */

import { checkInt } from '../base/check.js'
import { typeError } from '../base/errors.js'
import { LRScheduler, type SchedulerState } from './lr_scheduler.js'
import { type CountedOptions, type ScheduleSpec, withEntry } from './options.js'
import { companionKey, initialOf, readParam, type Schedulable, writeParam } from './schedulable.js'
import type { SchedulerStateDict } from './state.js'

/** State of a schedule that counts, under PyTorch's keys. */
export interface CountedState extends SchedulerState {
  base_lrs: number[]
  _step_count: number
  _is_initial: boolean
}

/**
 * Base of the schedules that count updates. A class of yours may extend it: give a spec and `next`. Its methods run
 * inside the base's constructor, before fields of its own exist: keep options in the spec, state in `extraState`.
 */
export abstract class CountedLR<
  O extends CountedOptions = CountedOptions,
  S extends object = object,
> extends LRScheduler<O, CountedState & S> {
  constructor(spec: ScheduleSpec<O>, optimizer: Schedulable, given: O) {
    super(spec, optimizer, given)
    if (this.#resumedAt >= 0) this.#checkResumable()
    this.prepare(this.#resumedAt === -1)
    this.state.base_lrs = this.initialValues()
    this.state.last_epoch = this.#resumedAt
    this.begin()
  }

  /** The value of group `i` after `t` steps. `now` is its present one. */
  protected abstract next(t: number, i: number, now: number): number

  /** The same from the initial value alone, where a chainable schedule has such a form. */
  protected closedForm?(t: number, i: number): number

  /**
   * How many steps after `t` of them leave every value as it is: for schedules with flat stretches. It holds for the class
   * that defines it, since one that extends it may go another way.
   */
  protected flatAfter?(t: number): number

  /** Writes what the schedule keeps in the groups, before their initial values are taken. */
  protected prepare(_fresh: boolean): void {}

  /** State besides `CountedState`. */
  protected extraState(): S {
    return {} as S
  }

  protected override ownState(): CountedState & S {
    return { base_lrs: [], _step_count: 0, _is_initial: false, ...this.extraState() } as CountedState & S
  }

  get #resumedAt(): number {
    return (this.options as Required<CountedOptions>).lastEpoch
  }

  /** The value that group `i` started from. */
  protected base(i: number): number {
    return this.state.base_lrs[i]
  }

  /**
   * To the next update, or, given a count of updates, to that one by the closed form where there is one. Throws
   * RangeError for what is no count.
   */
  override step(epoch?: number): void {
    if (epoch === undefined) this.advance()
    else this.#counted(checkInt(`${this.spec.name}.step`, 'epoch', epoch, { min: 0 }), true)
  }

  /** @internal */
  override advance(): void {
    this.#counted(this.state.last_epoch + 1, false)
  }

  /** @internal */
  override skipUnchanged(most: number): number {
    const { state } = this
    if (!Object.hasOwn(Object.getPrototypeOf(this), 'flatAfter') || this.step !== ownStep) return 0
    if (!this.isComplete) return 0
    const steps = Math.min(most, this.flatAfter!(state.last_epoch))
    if (steps === 0) return 0
    state.last_epoch += steps
    state._step_count += steps
    state._last_lr = this.values()
    return steps
  }

  /** @internal */
  override rewind(): void {
    this.state.last_epoch = this.#resumedAt
  }

  /** @internal */
  override begin(): void {
    this.state._step_count = 0
    this.state._is_initial = true
    this.advance()
    this.state._is_initial = false
  }

  /** @internal */
  override enter(): void {
    this.moveTo(0, true)
  }

  override stateDict(): SchedulerStateDict {
    return { ...super.stateDict(), _get_lr_called_within_step: false }
  }

  /** Computes all values, then writes them: a function of the user's that throws leaves everything as it was. */
  protected moveTo(t: number, closed: boolean): void {
    const { paramGroups } = this.optimizer
    this.takeUp()
    const values = new Array<number>(paramGroups.length)
    for (let i = 0; i < values.length; i++) {
      const now = readParam(paramGroups[i], this.param)
      values[i] = this.drives(i) ? this.#value(t, i, now, closed) : now
    }
    for (let i = 0; i < values.length; i++) if (this.drives(i)) writeParam(paramGroups[i], this.param, values[i])
    this.state.last_epoch = t
    this.state._last_lr = values
  }

  #value(t: number, i: number, now: number, closed: boolean): number {
    return closed && this.closedForm ? this.closedForm(t, i) : this.next(t, i, now)
  }

  /** The count of calls is part of PyTorch's state, and SWALR's clock. */
  #counted(t: number, closed: boolean): void {
    this.state._step_count++
    try {
      this.moveTo(t, closed)
    } catch (error) {
      this.state._step_count--
      throw error
    }
  }

  protected override join(i: number): void {
    super.join(i)
    this.state.base_lrs = withEntry(this.state.base_lrs, i, initialOf(this.optimizer.paramGroups[i], this.param))
  }

  #checkResumable(): void {
    const key = companionKey('initial', this.param)
    for (const [i, group] of this.optimizer.paramGroups.entries()) {
      if (typeof group[key] !== 'number') {
        throw typeError(this.spec.name, `paramGroups[${i}].${key} to be a number when lastEpoch is given`, group[key])
      }
    }
  }
}

const { step: ownStep } = CountedLR.prototype

/** Base of the schedules `initial · factor(t)`. */
export abstract class FactorLR<O extends CountedOptions> extends CountedLR<O> {
  /** What the initial value is multiplied by after `t` steps. */
  protected abstract factor(t: number): number

  protected override next(t: number, i: number): number {
    return this.base(i) * this.factor(t)
  }
}
