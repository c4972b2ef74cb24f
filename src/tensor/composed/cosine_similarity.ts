/** The cosine of the angle between two vectors. */

import { checkInt, checkNumber, checkOptions } from '../../base/check.js'
import { broadcastShape } from '../../ops/broadcast.js'
import { checkTensor, type Tensor } from '../tensor.js'
import { compose } from './composed.js'

/** Options of `cosineSimilarity`. */
export interface CosineSimilarityOptions {
  /** The dimension of the vectors. Default 1. */
  dim?: number
  /** The least norm that is divided by. Default 1e-8. */
  eps?: number
}

/** The options, complete; throws TypeError or RangeError. */
export function checkCosineSimilarity(where: string, options: CosineSimilarityOptions) {
  const { dim = 1, eps = 1e-8 } = checkOptions(where, options, ['dim', 'eps'])
  return { dim: checkInt(where, 'dim', dim), eps: checkNumber(where, 'eps', eps, { min: 0 }) }
}

/**
 * `a·b / (max(‖a‖, eps)·max(‖b‖, eps))` along `dim`, which goes; both are broadcast; `{ dim = 1, eps = 1e-8 }`.
 * Source: torch.nn.functional.cosine_similarity.
 */
export const cosineSimilarity = compose({
  name: 'cosineSimilarity',
  call(a: Tensor, b: Tensor, options: CosineSimilarityOptions = {}): Tensor {
    const { dim, eps } = checkCosineSimilarity('cosineSimilarity', options)
    checkTensor('cosineSimilarity', 'a', a)
    checkTensor('cosineSimilarity', 'b', b)
    const shape = broadcastShape('cosineSimilarity', a.shape, b.shape)
    const [x, y] = [a.expand(shape), b.expand(shape)]
    const norms = [x, y].map(t => t.norm(2, dim).clamp(eps))
    return x.mul(y).sum(dim).div(norms[0].mul(norms[1]))
  },
  samples: () => [
    {
      x: [
        [2, 3],
        [2, 3],
      ],
    },
    {
      x: [
        [2, 3, 2],
        [3, 1],
      ],
      args: [{ dim: -1 }],
    },
    { x: [[2, 3], [3]], args: [{ eps: 4 }] },
    {
      x: [
        [0, 3],
        [0, 3],
      ],
    },
  ],
  badSamples: () => [
    {
      x: [
        [2, 3],
        [2, 4],
      ],
      message: 'shapes that broadcast together',
    },
    { x: [[3], [3]], message: 'dim to be in [-1, 0]' },
    {
      x: [
        [2, 3],
        [2, 3],
      ],
      args: [{ axis: 1 }],
      message: 'among dim, eps',
    },
    {
      x: [
        [2, 3],
        [2, 3],
      ],
      args: [{ eps: -1 }],
      message: 'eps to be',
    },
  ],
})
