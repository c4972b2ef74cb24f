/** Losses of samples that weigh differently. Not here: the losses themselves (ops/), where weights come from (data/). */

import { shapeError } from '../base/errors.js'
import { isDistribution } from '../ops/cross_entropy.js'
import { shapeText, sizeOf } from '../ops/spec.js'
import { checkTensor, noGrad, ops, Tensor } from '../tensor/index.js'
import { currentEmitter } from '../tensor/tape.js'

/** Options of a loss; `batchmean` is the mean of the rows' sums. */
export interface Reducible {
  readonly reduction?: 'none' | 'mean' | 'sum' | 'batchmean'
}

/** A loss and what it is asked for. */
interface WeightedLoss<O> {
  /** The name of its class. */
  readonly name: string
  readonly op: (prediction: Tensor, target: Tensor, options: O) => Tensor
  readonly options: O
  /** Whether labels name classes, which may weigh differently too. */
  readonly classes: boolean
}

/**
 * With l the losses and w the weights of the samples: `Σ w·l / Σ w` for reduction `mean`, `Σ w·l` for `sum`, else w·l. Where
 * classes weigh c, l is weighted by them as ever, and the mean is `Σ w·l / Σ w·c[y]`.
 */
export function weightedLoss<O extends Reducible>(
  { name, op, options, classes }: WeightedLoss<O>,
  prediction: Tensor,
  target: Tensor,
  weight: Tensor,
): Tensor {
  const each = op(prediction, target, { ...options, reduction: 'none' })
  const [rows, ...rest] = each.shape
  if (checkTensor(name, 'weight', weight).shape.length !== 1 || weight.shape[0] !== rows)
    throw shapeError(name, `weight to have shape [${rows}]`, shapeText(weight.shape))
  const wide = weight.reshape([rows, ...rest.map(() => 1)])
  const losses = each.mul(wide)
  const { reduction = 'mean' } = options
  if (reduction === 'none') return losses
  const total = losses.sum()
  if (reduction === 'sum') return total
  const byClass = classes && !isDistribution(prediction, target)
  const norm = noGrad(() =>
    byClass
      ? classWeights(prediction, target, options).mul(wide).sum()
      : weight.sum().mul(reduction === 'batchmean' ? 1 : sizeOf(rest)),
  )
  return total.div(norm)
}

/** The weight of each label's class, 0 of one that is ignored: minus the likelihood of scores that are all -1. */
function classWeights({ shape }: Tensor, labels: Tensor, options: object): Tensor {
  const { weight, ignoreIndex } = options as Parameters<typeof ops.nllLoss>[2] & object
  const [e, n] = [currentEmitter(), sizeOf(shape)]
  const y = e.alloc('float32', n)
  e.kernels.fill({ y, n, value: -1 })
  return ops.nllLoss(new Tensor(shape, 'float32', y), labels, { weight, ignoreIndex, reduction: 'none' })
}
