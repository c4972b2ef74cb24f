/** A tensor in so many parts along a dimension. */

import { checkInt } from '../../base/check.js'
import { normalizeDim, sizeAlong } from '../../ops/spec.js'
import { checkTensor, type Tensor } from '../tensor.js'
import { compose } from './composed.js'

/**
 * At most `chunks` parts of `x` along `dim` (default 0), of equal size but for the last: fewer where the size does not
 * divide that way. Source: torch.chunk.
 */
export const chunk = compose({
  name: 'chunk',
  call(x: Tensor, chunks: number, dim?: number): Tensor[] {
    const at = normalizeDim('chunk', dim ?? 0, checkTensor('chunk', 'x', x).shape.length)
    checkInt('chunk', 'chunks', chunks, { min: 1 })
    const total = sizeAlong('chunk', x, at)
    return total === 0 ? x.split(new Array(chunks).fill(0), at) : x.split(Math.ceil(total / chunks), at)
  },
  samples: () => [
    { x: [[5, 2]], args: [3] },
    { x: [[2, 6]], args: [3, 1] },
    { x: [[6]], args: [4] },
    { x: [[0, 2]], args: [2] },
  ],
  badSamples: () => [
    { x: [[5, 2]], args: [0], message: 'chunks to be' },
    { x: [[5, 2]], args: [2, 2], message: 'dim to be in [-2, 1]' },
    { x: [[]], args: [1], message: 'at least 1 dimension' },
  ],
})
