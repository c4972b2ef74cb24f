/** Several labels at once, each true or not. */

import { checkOptions } from '../../base/check.js'
import { shapeError } from '../../base/errors.js'
import { checkReduction, type LossOptions } from '../../ops/reduced_loss.js'
import { shapeText } from '../../ops/spec.js'
import { checkTensor, type Tensor } from '../tensor.js'
import { compose } from './composed.js'
import { checkAlike, reduced } from './reduced.js'

const where = 'multilabelSoftMarginLoss'

/** Options of `multilabelSoftMarginLoss`. */
export interface MultilabelSoftMarginOptions extends LossOptions {
  /** Of each label: [classes]. Default 1. */
  weight?: Tensor | null
}

/** The options, checked; throws TypeError or RangeError. */
export function checkMultilabelSoftMargin(options: MultilabelSoftMarginOptions = {}): MultilabelSoftMarginOptions {
  const { weight, reduction } = checkOptions(where, options, ['weight', 'reduction'])
  if (weight !== undefined && weight !== null) checkTensor(where, 'weight', weight)
  checkReduction(where, reduction)
  return options
}

/**
 * For each row, the mean over its labels of `-w·(t·log σ(x) + (1 - t)·log(1 - σ(x)))`: x and t [rows, classes], w [classes];
 * `{ reduction = 'mean', weight }`. Source: torch.nn.functional.multilabel_soft_margin_loss.
 */
export const multilabelSoftMarginLoss = compose({
  name: where,
  call(x: Tensor, target: Tensor, options: MultilabelSoftMarginOptions = {}): Tensor {
    const { weight = null, reduction } = checkMultilabelSoftMargin(options)
    checkAlike(where, { x, target })
    if (x.shape.length === 0) throw shapeError(where, 'x to have at least 1 dimension', shapeText(x.shape))
    const each = x.binaryCrossEntropyWithLogits(target, { weight, reduction: 'none' })
    return reduced(where, each.mean(-1), reduction)
  },
  samples: () => [
    { x: [[2, 3], { shape: [2, 3], from: 0, to: 1 }] },
    { x: [[2, 3], { shape: [2, 3], from: 0, to: 1 }], args: [{ weight: { shape: [3] }, reduction: 'sum' }] },
    { x: [[2, 3], { shape: [2, 3], from: 0, to: 1 }], args: [{ reduction: 'none' }] },
  ],
  badSamples: () => [
    { x: [[2, 3], [2]], message: 'target to have shape [2, 3] but received [2]' },
    {
      x: [
        [2, 3],
        [2, 3],
      ],
      args: [{ weight: [1, 1, 1] }],
      message: 'weight to be a Tensor',
    },
    {
      x: [
        [2, 3],
        [2, 3],
      ],
      args: [{ reduction: 'avg' }],
      message: "reduction to be 'none'",
    },
    { x: [[], []], message: 'at least 1 dimension' },
  ],
})
