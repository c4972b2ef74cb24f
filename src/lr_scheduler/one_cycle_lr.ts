/** OneCycleLR: up to a high rate, then down to a very low one, once. */

import { checkNumber } from '../base/check.js'
import { typeError } from '../base/errors.js'
import { CountedLR } from './counted_lr.js'
import { EndOfSchedule } from './end_of_schedule.js'
import {
  cycledParam,
  keepMomentum,
  type MomentumOptions,
  momentumKeys,
  momentumOptions,
  startMomentum,
} from './momentum_cycle.js'
import {
  type CountedOptions,
  choice,
  countedOptions,
  entryOf,
  flag,
  integer,
  number,
  optional,
  perGroup,
  type ScheduleSpec,
  withEntry,
} from './options.js'
import {
  companionKey,
  initialOf,
  type ParamName,
  type Schedulable,
  type ScheduledGroup,
  writeParam,
} from './schedulable.js'

/** Options of `OneCycleLR`. */
export interface OneCycleLROptions extends CountedOptions, MomentumOptions {
  /** The highest rate; an array has one per parameter group. */
  maxLr: number | number[]
  /** Number of updates of the cycle; or give epochs and stepsPerEpoch. */
  totalSteps?: number | null
  /** With `stepsPerEpoch`: their product is the number of updates. */
  epochs?: number | null
  /** Updates per epoch: `loader.length`. */
  stepsPerEpoch?: number | null
  /** Part of the cycle that goes up, 0 to 1. Default 0.3. */
  pctStart?: number
  /** Shape of the way up and down. Default 'cos'. */
  annealStrategy?: 'cos' | 'linear'
  /** The first rate is `maxLr / divFactor`. Default 25. */
  divFactor?: number
  /** The last rate is the first one divided by this. Default 1e4. */
  finalDivFactor?: number
  /** Down to the first rate as fast as up, then to the last one. Default false. */
  threePhase?: boolean
  /** Stay at the last rate after the cycle; PyTorch's schedule overshoots once and then throws. Default false. */
  hold?: boolean
}

/** One way from a value to another; the names are those of PyTorch's keys in the groups. */
interface Phase {
  end_step: number
  start_lr: string
  end_lr: string
  start_momentum: string
  end_momentum: string
}

interface OneCycleState {
  total_steps: number
  _schedule_phases: Phase[]
  use_beta1?: boolean
}

/** What the phases' names mean: the prefix of a limit of the rate, or the group's key of one of momentum. */
const limitKeys: Record<string, string> = {
  initial_lr: 'initial',
  max_lr: 'max',
  min_lr: 'min',
  base_momentum: 'baseMomentum',
  max_momentum: 'maxMomentum',
}

const nameOfLimit = choice(Object.keys(limitKeys)).check

/** Phases as a state dict has them. */
function checkPhases(where: string, name: string, value: unknown): Phase[] {
  if (!Array.isArray(value) || value.length === 0) throw typeError(where, `${name} to be an array of phases`, value)
  return Array.from(value, (phase, i) => {
    if (typeof phase !== 'object' || phase === null) throw typeError(where, `${name}[${i}] to be a phase`, phase)
    const { end_step, start_lr, end_lr, start_momentum, end_momentum } = phase as Phase
    const names = { start_lr, end_lr, start_momentum, end_momentum }
    for (const [key, limit] of Object.entries(names)) nameOfLimit(where, `${name}[${i}].${key}`, limit)
    return { end_step: checkNumber(where, `${name}[${i}].end_step`, end_step), ...names }
  })
}

const count = optional(integer({ min: 1 }, { key: null }))

const spec: ScheduleSpec<OneCycleLROptions> = {
  name: 'OneCycleLR',
  options: {
    ...countedOptions,
    maxLr: perGroup({}),
    totalSteps: count,
    epochs: count,
    stepsPerEpoch: count,
    pctStart: number({ min: 0, max: 1 }, { default: 0.3, key: null }),
    annealStrategy: choice(['cos', 'linear'], { key: '_anneal_func_type' }),
    divFactor: number({ above: 0 }, { default: 25, key: null }),
    finalDivFactor: number({ above: 0 }, { default: 1e4, key: null }),
    threePhase: flag(false, { key: null }),
    hold: flag(false, { key: null }),
    ...momentumOptions(0.85, 0.95),
  },
  state: { total_steps: integer({ min: 1 }).check, _schedule_phases: checkPhases },
}

function stepsOf({ totalSteps, epochs, stepsPerEpoch }: OneCycleLROptions): number {
  if (totalSteps != null) return totalSteps
  if (epochs != null && stepsPerEpoch != null) return epochs * stepsPerEpoch
  throw typeError('OneCycleLR', 'totalSteps, or epochs and stepsPerEpoch, to be given', undefined)
}

/** The ways of the cycle, from value to value, each with the step it ends at. */
function phasesOf(steps: number, { pctStart, threePhase }: Required<OneCycleLROptions>): Phase[] {
  const way = (end_step: number, from: string, to: string, start_momentum: string, end_momentum: string): Phase => ({
    end_step,
    start_lr: `${from}_lr`,
    end_lr: `${to}_lr`,
    start_momentum: `${start_momentum}_momentum`,
    end_momentum: `${end_momentum}_momentum`,
  })
  const up = way(pctStart * steps - 1, 'initial', 'max', 'max', 'base')
  if (!threePhase) return [up, way(steps - 1, 'max', 'min', 'base', 'max')]
  const down = way(2 * pctStart * steps - 2, 'max', 'initial', 'base', 'max')
  return [up, down, way(steps - 1, 'initial', 'min', 'max', 'max')]
}

/**
 * One cycle of `totalSteps` updates: from `maxLr / divFactor` up to `maxLr` during `pctStart` of them, then down to the
 * first rate divided by `finalDivFactor`, along half cosines or lines. Momentum runs the other way, between
 * `baseMomentum` (0.85) and `maxMomentum` (0.95). An edit of the rate is overwritten.
 *
 * As in PyTorch `totalSteps` calls of `step()` are accepted, the last of which overshoots, and the next one throws
 * RangeError; with `hold` the last rate stands. Throws TypeError or RangeError for bad options, for an array without
 * one entry per parameter group, and for an optimizer without momentum or betas unless `cycleMomentum` is false.
 *
 * ```ts
 * const scheduler = new lrScheduler.OneCycleLR(optimizer, { maxLr: 0.1, epochs: 10, stepsPerEpoch: train.length })
 * ```
 * Source: torch.optim.lr_scheduler.OneCycleLR; Smith and Topin 2019, Super-Convergence, arXiv:1708.07120.
 */
export class OneCycleLR extends CountedLR<OneCycleLROptions, OneCycleState> {
  static readonly spec = spec

  constructor(optimizer: Schedulable, options: OneCycleLROptions) {
    super(spec, optimizer, options)
  }

  protected override extraState(): OneCycleState {
    const steps = stepsOf(this.options)
    const momentum = this.cycled()
    return {
      total_steps: steps,
      _schedule_phases: phasesOf(steps, this.options),
      ...(momentum === null ? {} : { use_beta1: momentum === 'beta1' }),
    }
  }

  protected override prepare(fresh: boolean): void {
    this.at(Math.max(0, this.options.lastEpoch + 1))
    const momentum = this.cycled()
    this.optimizer.paramGroups.forEach((group, i) => {
      if (!this.drives(i)) return
      this.writeLimits(group, entryOf(this.options.maxLr, i), key => !fresh && group[key] !== undefined)
      if (momentum !== null && (fresh || group.maxMomentum === undefined))
        startMomentum(group, i, this.options, momentum)
    })
  }

  /** The value that a group comes with is the top of its cycle. */
  protected override join(i: number): void {
    super.join(i)
    const group = this.optimizer.paramGroups[i]
    if (!this.drives(i)) return
    if (group[companionKey('max', this.param)] === undefined) this.writeLimits(group, initialOf(group, this.param))
    this.state.base_lrs = withEntry(this.state.base_lrs, i, initialOf(group, this.param))
    if (this.cycled() !== null && group.maxMomentum === undefined) keepMomentum(group, i, this.options)
  }

  private writeLimits(group: ScheduledGroup, max: number, isKept: (key: string) => boolean = () => false): void {
    const initial = max / this.options.divFactor
    const limits = { initial, max, min: initial / this.options.finalDivFactor }
    for (const [name, value] of Object.entries(limits)) {
      const key = companionKey(name, this.param)
      if (!isKept(key)) group[key] = value
    }
  }

  /** @internal */
  override ownKeys(): string[] {
    const limits = [companionKey('max', this.param), companionKey('min', this.param)]
    return [...super.ownKeys(), ...limits, ...momentumKeys(this.cycled())]
  }

  protected override next(t: number, i: number): number {
    const { phase, part } = this.at(t)
    const group = this.optimizer.paramGroups[i]
    return this.anneal(this.limit(group, phase.start_lr), this.limit(group, phase.end_lr), part)
  }

  protected override moveTo(t: number, closed: boolean): void {
    super.moveTo(t, closed)
    const momentum = this.cycled()
    if (momentum === null) return
    const { phase, part } = this.at(t)
    const from = limitKeys[phase.start_momentum]
    const to = limitKeys[phase.end_momentum]
    for (const [i, group] of this.optimizer.paramGroups.entries()) {
      if (this.drives(i)) writeParam(group, momentum, this.anneal(group[from] as number, group[to] as number, part))
    }
  }

  /** The phase of count `t` and the part of it that is over. */
  private at(t: number): { phase: Phase; part: number } {
    const { total_steps: total, _schedule_phases: phases } = this.state
    const { hold, pctStart } = this.options
    if (!hold && t > total) throw new EndOfSchedule('OneCycleLR', `at most totalSteps (${total}) calls of step`, t)
    const at = hold ? Math.min(t, total - 1) : t
    let i = 0
    while (i < phases.length - 1 && at > phases[i].end_step) i++
    const start = i === 0 ? 0 : phases[i - 1].end_step
    const length = phases[i].end_step - start
    if (length === 0 && !hold) throw new EndOfSchedule('OneCycleLR', 'pctStart to leave no phase empty', pctStart)
    return { phase: phases[i], part: length === 0 ? 1 : (at - start) / length }
  }

  private anneal(from: number, to: number, part: number): number {
    if (this.options.annealStrategy === 'linear') return (to - from) * part + from
    return to + ((from - to) / 2) * (Math.cos(Math.PI * part) + 1)
  }

  private limit(group: ScheduledGroup, name: string): number {
    return group[companionKey(limitKeys[name], this.param)] as number
  }

  private cycled(): ParamName | null {
    return cycledParam('OneCycleLR', this.optimizer, this.options.cycleMomentum, this.param)
  }
}
