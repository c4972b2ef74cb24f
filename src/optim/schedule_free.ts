/**
 * What the schedule-free optimizers share: the average that takes the place of a falling rate, and the switch between
 * the point where gradients are taken and that average. Not here: how z moves (one file per optimizer).
 */

import { AnnealError } from '../base/errors.js'
import { isPlainObject } from '../base/kinds.js'
import type { Floats, Twins } from '../emitters/emitter.js'
import { noteWrite } from '../emitters/writes.js'
import type { Tensor } from '../tensor/index.js'
import { currentEmitter } from '../tensor/tape.js'
import { busyError } from '../tensor/tensor.js'
import { Optimizer, type ParamGroup, stepsByRule } from './optimizer.js'
import { blended, numberOption, type StateScalars } from './rule.js'
import type { OptimizerStateDict } from './state_dict.js'

/** Options that both have. */
export interface AverageOptions {
  /** Updates over which the rate rises linearly. Default 0. */
  warmupSteps?: number
  /** Power of the update's number in its weight in the average. Default 0. */
  r?: number
  /** Power of the largest rate so far in an update's weight. Default 2. */
  weightLrPower?: number
}

export const averageOptions = {
  warmupSteps: numberOption(0),
  r: numberOption(0, {}),
  weightLrPower: numberOption(2, {}),
}

/** Those of an update's scalars that say how y and z move. */
interface AverageScalars {
  readonly lr: number
  readonly share: number
  readonly y_step: number
}

/** Scalars of a new parameter. */
export const averageScalars = () => ({ weight_sum: 0, lr_max: -1 })
export const averageBounds = { weight_sum: { min: 0 }, lr_max: { min: -1 } }

/** The rate as far as warm-up has brought it. */
export function warmedUp({ lr, warmupSteps }: { lr: number; warmupSteps: number }, step: number): number {
  return step <= warmupSteps ? (lr * step) / warmupSteps : lr
}

/** The scalars of the average: the newest point's share and the factor of the direction in y; advances the weights' sum. */
export function averageUpdate(
  { r, weightLrPower }: Required<AverageOptions>,
  scalars: StateScalars,
  lr: number,
  beta: number,
): AverageScalars {
  scalars.lr_max = Math.max(lr, scalars.lr_max)
  const weight = scalars.step ** r * scalars.lr_max ** weightLrPower
  scalars.weight_sum += weight
  const share = scalars.weight_sum === 0 ? 0 : weight / scalars.weight_sum
  return { lr, share, y_step: lr * (beta * (1 - share) - 1) }
}

/** For float64 twins: y and z of one element after a step along d. */
export function moveAverage(y: Floats, z: Floats, i: number, d: number, { lr, share, y_step }: AverageScalars): void {
  y[i] = blended(y[i], z[i], share) + y_step * d
  z[i] -= lr * d
}

/** Float64 twin of the kernel that `train` and `eval` call. */
export const lerpTwin: Twins = {
  lerp({ a, b, n, weight }) {
    for (let i = 0; i < n; i++) a[i] = blended(a[i], b[i], weight)
  },
}

/**
 * Base of the schedule-free optimizers. Parameters hold y, where gradients are taken, in training, and the average x
 * after `eval()`; `fit` switches after every epoch and leaves x.
 *
 * Source: Defazio et al. (2024), The Road Less Scheduled; facebookresearch/schedule_free.
 */
export abstract class ScheduleFree extends Optimizer {
  /** The share of x in y. */
  protected abstract betaOf(group: ParamGroup): number

  override addParamGroup(group: { params: Iterable<Tensor>; [option: string]: unknown }): void {
    super.addParamGroup(group)
    this.paramGroups[this.paramGroups.length - 1].trainMode = true
  }

  /** Puts y into the parameters: before training. */
  train(): void {
    this.#switch(true, beta => 1 - beta)
  }

  /** Puts the average x into the parameters: before evaluation, prediction and saving. */
  eval(): void {
    this.#switch(false, beta => 1 - 1 / beta)
  }

  override switchTo(mode: 'train' | 'eval'): void {
    this[mode]()
  }

  override step(closure?: () => Tensor): Tensor | undefined {
    if (this.paramGroups.some(group => !group.trainMode)) {
      throw new AnnealError('ERR_STATE', `${this.rule.name}: expected train() before step() but received eval()`)
    }
    return super.step(closure)
  }

  /** Also takes dicts of facebookresearch/schedule_free, which counts per group. */
  override loadStateDict(dict: OptimizerStateDict): void {
    super.loadStateDict(hasGroupCounts(dict) ? withParameterCounts(dict) : dict)
  }

  #switch(trainMode: boolean, weightOf: (beta: number) => number): void {
    const started = (p: Tensor) => (this.state.get(p)?.scalars.step ?? 0) > 0
    for (const { params } of this.paramGroups) if (params.some(p => p.busy)) throw busyError(this.rule.name)
    for (const group of this.paramGroups) {
      if (group.trainMode === trainMode) continue
      group.trainMode = trainMode
      const weight = weightOf(this.betaOf(group))
      for (const p of group.params.filter(started)) {
        noteWrite(p.buf)
        currentEmitter().kernels.lerp({ a: p.buf, b: this.state.get(p)!.tensors.z.buf, n: p.size, weight })
      }
    }
  }
}

stepsByRule(ScheduleFree)

function hasGroupCounts(dict: OptimizerStateDict): boolean {
  return (
    isPlainObject(dict?.state) &&
    Array.isArray(dict.param_groups) &&
    dict.param_groups.some(group => typeof group?.k === 'number')
  )
}

function withParameterCounts({ state, param_groups }: OptimizerStateDict): OptimizerStateDict {
  const counted = { ...state }
  const groups = param_groups.map(({ k, weight_sum, lr_max, ...group }) => {
    const counts = { step: k, weight_sum, lr_max } as Record<string, number>
    const ids: number[] = Array.isArray(group.params) ? group.params : []
    for (const i of ids) if (counted[i]) counted[i] = { ...counts, ...counted[i] }
    return group
  })
  return { state: counted, param_groups: groups }
}
