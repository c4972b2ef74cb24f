/** Norms of vectors. */

import { rangeError } from '../../base/errors.js'
import type { Dims, ReductionOptions } from '../../ops/reduction.js'
import { checkTensor, type Tensor } from '../tensor.js'
import { choose, compose } from './composed.js'

/** `√x`, whose gradient is 0 where it is 0. */
export function smoothRoot(x: Tensor): Tensor {
  const zero = x.eq(0)
  return choose(zero, 0, choose(zero, 1, x).sqrt())
}

/**
 * Norm over `dim` (a number or several; all by default) of order `p`: 1 is `Σ |x|`, 2 (the default) `√Σ x²`, Infinity
 * `max |x|`; `{ keepdim }`. Source: torch.linalg.vector_norm.
 */
export const norm = compose({
  name: 'norm',
  call(x: Tensor, p: number = 2, dim?: Dims | null, options: ReductionOptions = {}): Tensor {
    checkTensor('norm', 'x', x)
    if (p === 2) return smoothRoot(x.square().sum(dim, options))
    if (p === 1) return x.abs().sum(dim, options)
    if (p !== Infinity) throw rangeError('norm', 'p to be 1, 2 or Infinity', p)
    return x.abs().amax(dim, options)
  },
  samples: () => [
    { x: [[2, 3]] },
    { x: [[2, 3]], args: [1, 1] },
    { x: [[2, 3]], args: [Infinity, 0] },
    { x: [[2, 3, 2]], args: [2, [0, 2], { keepdim: true }] },
    { x: [[0, 3]], args: [2, 1] },
  ],
  badSamples: () => [
    { x: [[2, 3]], args: [3], message: 'p to be 1, 2 or Infinity' },
    { x: [[2, 3]], args: [2, 2], message: 'dim to be in [-2, 1]' },
    { x: [[2, 0]], args: [Infinity, 1], message: 'at least one element' },
  ],
})
