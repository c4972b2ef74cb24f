/** A bilinear form of two vectors. */

import { shapeError } from '../../base/errors.js'
import { shapeText } from '../../ops/spec.js'
import { checkTensor, type Tensor } from '../tensor.js'
import { compose } from './composed.js'

function checkShapes(a: Tensor, b: Tensor, weight: Tensor): void {
  const { shape } = checkTensor('bilinear', 'weight', weight)
  if (shape.length !== 3) throw shapeError('bilinear', 'weight to have shape [out, in1, in2]', shapeText(shape))
  for (const [i, x] of [a, b].entries()) {
    const size = checkTensor('bilinear', i ? 'b' : 'a', x).shape.at(-1)
    if (size !== shape[i + 1])
      throw shapeError('bilinear', `the last dimension of ${i ? 'b' : 'a'} to be ${shape[i + 1]}`, shapeText(x.shape))
  }
  const leading = shapeText(a.shape.slice(0, -1))
  if (shapeText(b.shape.slice(0, -1)) !== leading)
    throw shapeError('bilinear', `b to have the leading dimensions ${leading}`, shapeText(b.shape))
}

/**
 * `y[o] = aᵀ·weight[o]·b + bias[o]`: a [..., in1], b [..., in2], weight [out, in1, in2], bias [out] or none, y [..., out].
 * Source: torch.nn.functional.bilinear.
 */
export const bilinear = compose({
  name: 'bilinear',
  call(a: Tensor, b: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
    checkShapes(a, b, weight)
    const [out, ...inner] = weight.shape
    const pairs = inner[0] * inner[1]
    const products = a
      .unsqueeze(-1)
      .mul(b.unsqueeze(-2))
      .reshape([...a.shape.slice(0, -1), pairs])
    return products.linear(weight.reshape([out, pairs]), bias)
  },
  samples: () => [
    { x: [[4, 2], [4, 3], [2, 2, 3], [2]] },
    {
      x: [
        [2, 2, 2],
        [2, 2, 1],
        [1, 2, 1],
      ],
    },
    { x: [[0, 2], [0, 2], [3, 2, 2], [3]] },
  ],
  badSamples: () => [
    {
      x: [
        [4, 2],
        [4, 3],
        [2, 3, 3],
      ],
      message: 'the last dimension of a to be 3 but received [4, 2]',
    },
    {
      x: [
        [4, 2],
        [3, 3],
        [2, 2, 3],
      ],
      message: 'b to have the leading dimensions [4] but received [3, 3]',
    },
    {
      x: [
        [4, 2],
        [4, 3],
        [2, 6],
      ],
      message: 'weight to have shape [out, in1, in2]',
    },
    { x: [[4, 2], [4, 3], [2, 2, 3], [3]], message: 'b to have shape [2]' },
  ],
})
