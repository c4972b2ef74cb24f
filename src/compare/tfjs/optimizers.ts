/**
 * The optimizers that exist here and in TensorFlow.js: which of its constructors computes the same, under which options.
 * Adding one is a row. Where formulas differ only in the place of eps, they are equal at the eps that a row asks for.
 */

import { AnnealError } from '../../base/errors.js'
import type { Optimizer, ParamGroup } from '../../optim/index.js'
import type { Tf, TfOptimizer } from './types.js'

interface Counterpart {
  /** Options at which both compute the same; those not named are free. */
  readonly wanted: Readonly<Record<string, unknown>>
  readonly make: (tf: Tf, group: ParamGroup) => TfOptimizer
  /** Rounding errors of TensorFlow.js beyond one per operation, in units of 2^-24 of the update. */
  readonly extraTerms?: (group: ParamGroup) => number
}

const plain = { weightDecay: 0, maximize: false }

/** tfjs keeps βᵗ in float32, so that 1 - βᵗ is known to 2^-24 / (1 - β). */
const betaTerms = ({ betas }: ParamGroup) => betas.reduce((sum: number, beta: number) => sum + 2 / (1 - beta), 0)

/** @internal By the name of our class. */
export const counterparts: Readonly<Record<string, Counterpart>> = {
  SGD: {
    wanted: { ...plain, dampening: 0 },
    make: (tf, { lr, momentum, nesterov }) =>
      momentum === 0 ? tf.train.sgd(lr) : tf.train.momentum(lr, momentum, nesterov),
  },
  Adam: {
    wanted: { ...plain, amsgrad: false },
    make: (tf, { lr, betas, eps }) => tf.train.adam(lr, betas[0], betas[1], eps),
    extraTerms: betaTerms,
  },
  Adamax: {
    wanted: { ...plain, eps: 0 },
    make: (tf, { lr, betas, eps }) => tf.train.adamax(lr, betas[0], betas[1], eps),
    extraTerms: betaTerms,
  },
  Adagrad: {
    // tfjs adds 1e-7 to the sum of squares, under the root.
    wanted: { ...plain, eps: 0, lrDecay: 0, initialAccumulatorValue: 0.1 },
    make: (tf, { lr, initialAccumulatorValue }) => tf.train.adagrad(lr, initialAccumulatorValue - 1e-7),
  },
  RMSprop: {
    wanted: { ...plain, eps: 0 },
    make: (tf, { lr, alpha, momentum, eps, centered }) => tf.train.rmsprop(lr, alpha, momentum, eps, centered),
  },
}

/** The first option that is not at the value where both compute the same, as text. */
function difference({ wanted }: Counterpart, group: ParamGroup): string | undefined {
  const odd = Object.keys(wanted).find(name => name in group && group[name] !== wanted[name])
  return odd && `${odd} to be ${wanted[odd]} but received ${group[odd]}`
}

function refuse(expected: string): AnnealError {
  return new AnnealError('ERR_BACKEND', `tfjs: expected ${expected}`)
}

/** The counterpart of an optimizer that has not made an update yet; throws ERR_BACKEND where there is none. */
export function tfOptimizer(tf: Tf, { rule, paramGroups, state }: Optimizer): TfOptimizer {
  const counterpart = counterparts[rule.name]
  if (!counterpart)
    throw refuse(`an optimizer that it has (${Object.keys(counterparts).join(', ')}) but received ${rule.name}`)
  if (paramGroups.length !== 1) throw refuse(`one group of parameters but received ${paramGroups.length}`)
  if ([...state.values()].some(({ scalars }) => scalars.step > 0))
    throw refuse('an optimizer without state but received one that has made updates')
  const odd = difference(counterpart, paramGroups[0])
  if (odd) throw refuse(`${rule.name}'s ${odd}`)
  return counterpart.make(tf, paramGroups[0])
}

/** Sets the rate of the next update. */
export function setRate(optimizer: TfOptimizer, lr: number): void {
  const own = optimizer as { setLearningRate?: (lr: number) => void; learningRate?: number }
  if (own.setLearningRate) own.setLearningRate(lr)
  else own.learningRate = lr
}
