/** Every optimizer, in variants that reach all its options, and its rule run in float64. Not a test. */

import type { Floats } from '../../src/emitters/emitter.js'
import { referenceEmitter } from '../../src/emitters/reference.js'
import type { Module } from '../../src/nn/index.js'
import { opTwins } from '../../src/ops/twins.js'
import * as optim from '../../src/optim/index.js'
import { emitUpdate, packScalars, type StateScalars, slotsUnder, type UpdateRule } from '../../src/optim/rule.js'
import type { Tensor } from '../../src/tensor/index.js'

type Class = (new (params: optim.Params, options?: object) => optim.Optimizer) & { readonly rule: UpdateRule }

/** The optimizers whose update is a rule, by name. */
export const classes = Object.fromEntries(
  Object.entries(optim).filter(([, value]) => typeof value === 'function' && 'rule' in value),
) as Record<string, Class>

/** Options under which a class is tried; the first are mild. */
const options: Record<string, object[]> = {
  SGD: [
    { lr: 0.1 },
    { lr: 0.1, momentum: 0.9 },
    { lr: 0.1, momentum: 0.9, dampening: 0.3 },
    { lr: 0.1, weightDecay: 0.01 },
    { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.001 },
    { lr: 0.001, maximize: true },
  ],
  Adam: [
    { lr: 0.01 },
    { lr: 0.01, amsgrad: true, weightDecay: 0.01 },
    { lr: 0.001, maximize: true, betas: [0.5, 0.8] },
  ],
  AdamW: [{ lr: 0.01 }, { lr: 0.01, amsgrad: true, weightDecay: 0.3 }],
  RMSprop: [
    { lr: 0.01 },
    { lr: 0.01, momentum: 0.9 },
    { lr: 0.01, centered: true },
    { lr: 0.01, centered: true, momentum: 0.5, weightDecay: 0.1, alpha: 0.8, eps: 1e-4 },
    { lr: 0.001, maximize: true },
  ],
  Adagrad: [
    { lr: 0.05 },
    { lr: 0.3, lrDecay: 0.1, initialAccumulatorValue: 0.2, weightDecay: 0.01 },
    { lr: 0.001, maximize: true },
  ],
  Adadelta: [{ lr: 1 }, { lr: 2, rho: 0.7, weightDecay: 0.01, eps: 1e-4 }, { lr: 0.1, maximize: true }],
  Adamax: [{ lr: 0.01 }, { lr: 0.02, weightDecay: 0.1, eps: 1e-3 }, { lr: 0.001, maximize: true }],
  NAdam: [
    { lr: 0.01 },
    { lr: 0.02, momentumDecay: 0.02, weightDecay: 0.1 },
    { lr: 0.01, weightDecay: 0.1, decoupledWeightDecay: true },
    { lr: 0.001, maximize: true },
  ],
  RAdam: [
    { lr: 0.01 },
    { lr: 0.02, betas: [0.8, 0.9], weightDecay: 0.1 },
    { lr: 0.01, weightDecay: 0.1, decoupledWeightDecay: true },
    { lr: 0.001, maximize: true },
  ],
  Rprop: [{ lr: 0.01 }, { lr: 0.01, etas: [0.3, 1.1], stepSizes: [0.001, 0.02] }, { lr: 0.001, maximize: true }],
  ASGD: [{ lr: 0.1 }, { lr: 0.1, lambd: 0.01, alpha: 0.5, t0: 5, weightDecay: 0.01 }, { lr: 0.001, maximize: true }],
  SGDScheduleFree: [
    { lr: 0.5 },
    { lr: 0.3, momentum: 0.7, weightDecay: 0.01, warmupSteps: 4 },
    { lr: 0.3, r: 1, weightLrPower: 1 },
  ],
  AdamWScheduleFree: [
    { lr: 0.01 },
    { lr: 0.02, betas: [0.5, 0.9], weightDecay: 0.1, warmupSteps: 5, r: 0.5, eps: 1e-4 },
  ],
  Muon: [
    { lr: 0.02 },
    { lr: 0.02, momentum: 0.3, nesterov: false, weightDecay: 0.5, nsSteps: 3, adjustLrFn: 'match_rms_adamw' },
    { lr: 0.02, nsCoefficients: [1.5, -0.5, 0], nsSteps: 10 },
  ],
  Lion: [{ lr: 0.003 }, { lr: 0.003, betas: [0.95, 0.98], weightDecay: 0.3 }, { lr: 0.001, maximize: true }],
}

/** A class with options: a row of every table test. */
export interface Variant {
  title: string
  name: string
  options: object
  make: (params: optim.Params) => optim.Optimizer
  /** The parameters of a model that it can update. */
  parametersOf: (model: Module) => Tensor[]
}

function accepts({ checkParam }: UpdateRule, { shape }: Tensor): boolean {
  try {
    checkParam?.('', shape)
    return true
  } catch {
    return false
  }
}

/** All variants. Throws for a class that has none, so that a new optimizer cannot be forgotten. */
export const variants: Variant[] = Object.entries(classes).flatMap(([name, Optimizer]) => {
  if (!options[name]) throw new Error(`test/helpers/optimizers.ts: no options for ${name}`)
  return options[name].map(given => ({
    title: `${name} ${JSON.stringify(given)}`,
    name,
    options: given,
    make: (params: optim.Params) => new Optimizer(params, given),
    parametersOf: (model: Module) => model.parameters().filter(p => accepts(Optimizer.rule, p)),
  }))
})

/** The rule of an optimizer run in float64 on plain arrays, groups and options as the optimizer has them. */
export class InFloat64 {
  readonly values: Float64Array[]
  readonly #state: { scalars: StateScalars; tensors: Record<string, Floats> }[]
  readonly #parameters: readonly Tensor[]

  constructor(
    private readonly optimizer: optim.Optimizer,
    start: readonly (readonly number[])[],
  ) {
    this.#parameters = optimizer.paramGroups.flatMap(group => group.params)
    this.values = start.map(values => Float64Array.from(values))
    this.#state = this.#parameters.map(p => {
      const group = optimizer.paramGroups.find(g => g.params.includes(p))
      return { scalars: { step: 0, ...optimizer.rule.scalars?.(group) }, tensors: {} }
    })
  }

  step(gradients: readonly ArrayLike<number>[]): void {
    const { rule, paramGroups } = this.optimizer
    const emitter = referenceEmitter({ ...opTwins, ...rule.reference })
    for (const group of paramGroups) {
      for (const parameter of group.params) {
        const i = this.#parameters.indexOf(parameter)
        const { scalars, tensors } = this.#state[i]
        scalars.step++
        const state: Record<string, Floats> = {}
        for (const { key, init } of slotsUnder(rule, group)) {
          tensors[key] ??= new Float64Array(parameter.size).fill(init)
          state[key] = tensors[key]
        }
        const packed = packScalars(rule, group, scalars)
        const g = Float64Array.from(gradients[i])
        emitUpdate(rule, emitter, { p: this.values[i], g, state, scalars: packed, shape: parameter.shape }, group)
      }
    }
  }
}
