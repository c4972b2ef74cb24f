/** What losses that are composed of ops share: shapes that agree, and how their values are reduced. */

import { shapeError } from '../../base/errors.js'
import { checkReduction, type LossOptions, type Reduction } from '../../ops/reduced_loss.js'
import { isSameShape, shapeText } from '../../ops/spec.js'
import { checkTensor, type Tensor } from '../tensor.js'

/** The tensors by their names, all of the shape of the first. */
export function checkAlike(where: string, tensors: Readonly<Record<string, Tensor>>): void {
  const [[, first]] = Object.entries(tensors)
  for (const [name, x] of Object.entries(tensors)) {
    checkTensor(where, name, x)
    if (!isSameShape(x.shape, first.shape))
      throw shapeError(where, `${name} to have shape ${shapeText(first.shape)}`, shapeText(x.shape))
  }
}

/** The losses themselves, their mean or their sum. */
export function reduced(where: string, each: Tensor, reduction: LossOptions['reduction']): Tensor {
  const chosen: Reduction = checkReduction(where, reduction)
  return chosen === 'none' ? each : chosen === 'sum' ? each.sum() : each.mean()
}
