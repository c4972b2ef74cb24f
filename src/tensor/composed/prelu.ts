/** A rectifier whose slope below 0 is learned. */

import { shapeError } from '../../base/errors.js'
import { shapeText } from '../../ops/spec.js'
import { checkTensor, type Tensor } from '../tensor.js'
import { compose } from './composed.js'

/** The slopes of x's channels, its dimension 1, or the one of all. */
function wide(x: Tensor, weight: Tensor): Tensor {
  const channels = x.shape.length < 2 ? 1 : x.shape[1]
  if (weight.shape.length > 1 || (weight.size !== 1 && weight.size !== channels))
    throw shapeError('prelu', `weight to have shape [1] or [${channels}]`, shapeText(weight.shape))
  if (weight.size === 1) return weight.reshape([1])
  return weight.reshape([channels, ...x.shape.slice(2).map(() => 1)])
}

/** `x` where x > 0, else `weight·x`, with one weight or one per channel (dimension 1). Source: torch.nn.functional.prelu. */
export const prelu = compose({
  name: 'prelu',
  call(x: Tensor, weight: Tensor): Tensor {
    const slope = wide(checkTensor('prelu', 'x', x), checkTensor('prelu', 'weight', weight))
    return x.where(x.gt(0), x.mul(slope))
  },
  samples: () => [{ x: [[2, 3], [1]] }, { x: [[2, 3, 2], [3]] }, { x: [[4], []] }, { x: [[0, 3], [3]] }],
  badSamples: () => [
    { x: [[2, 3], [2]], message: 'weight to have shape [1] or [3] but received [2]' },
    { x: [[2, 3], 1], message: 'weight to be a Tensor' },
  ],
})
