/** A tensor in parts along a dimension. */

import { checkInt } from '../../base/check.js'
import { rangeError } from '../../base/errors.js'
import { normalizeDim, sizeAlong } from '../../ops/spec.js'
import { checkTensor, type Tensor } from '../tensor.js'
import { compose } from './composed.js'

/** Sizes of parts of at most `size`, the last one may be smaller; one of size 0 where there is nothing. */
function evenly(total: number, size: number): number[] {
  checkInt('split', 'size', size, { min: total === 0 ? 0 : 1 })
  const count = Math.max(Math.ceil(total / Math.max(size, 1)), 1)
  return Array.from({ length: count }, (_, i) => Math.min(size, total - i * size))
}

function checkSizes(sizes: readonly number[], total: number): readonly number[] {
  for (const size of sizes) checkInt('split', 'sizes', size, { min: 0 })
  const sum = sizes.reduce((a, b) => a + b, 0)
  if (sum !== total) throw rangeError('split', `sizes to add up to ${total}`, sum)
  return sizes
}

/**
 * Parts of `x` along `dim` (default 0): each of `size`, but for the last, or of these sizes. They share memory as `narrow`
 * does. Source: torch.split.
 */
export const split = compose({
  name: 'split',
  call(x: Tensor, size: number | readonly number[], dim?: number): Tensor[] {
    const at = normalizeDim('split', dim ?? 0, checkTensor('split', 'x', x).shape.length)
    const total = sizeAlong('split', x, at)
    const sizes = Array.isArray(size) ? checkSizes(size, total) : evenly(total, size as number)
    let start = 0
    return sizes.map(count => {
      start += count
      return x.narrow(at, start - count, count)
    })
  },
  samples: () => [
    { x: [[5, 2]], args: [2] },
    { x: [[2, 5]], args: [[1, 4], 1] },
    { x: [[0, 5]], args: [[1, 4, 0], 1] },
    { x: [[2, 3]], args: [3, -1] },
    { x: [[0, 2]], args: [1] },
  ],
  badSamples: () => [
    { x: [[5, 2]], args: [0], message: 'size to be' },
    { x: [[5, 2]], args: [[2, 2]], message: 'sizes to add up to 5 but received 4' },
    { x: [[5, 2]], args: [[6, -1]], message: 'sizes to be' },
    { x: [[5, 2]], args: [1, 2], message: 'dim to be in [-2, 1]' },
    { x: [[]], args: [1], message: 'at least 1 dimension' },
  ],
})
