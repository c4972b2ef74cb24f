/** The smallest element, along a dimension with its index. */

import { typeError } from '../../base/errors.js'
import type { ReductionOptions } from '../../ops/reduction.js'
import { checkTensor, Tensor } from '../tensor.js'
import { compose } from './composed.js'
import { type Extremes, extremesOf } from './max.js'

/** The smallest element of all, the smallest along `dim` with their indices, or the smallest of two elementwise. */
function minOf(x: Tensor, other?: Tensor | null): Tensor
function minOf(x: Tensor, dim: number, options?: ReductionOptions): Extremes
function minOf(x: Tensor, dim?: number | Tensor | null, options?: ReductionOptions): Tensor | Extremes {
  checkTensor('min', 'x', x)
  if (typeof dim !== 'number' && options !== undefined) throw typeError('min', 'options only along a dim', options)
  if (dim === undefined || dim === null) return x.amin()
  if (dim instanceof Tensor) return x.minimum(dim)
  return extremesOf(x, x.neg(), dim, options)
}

/**
 * Without `dim` the smallest element, whose gradient equal ones share; along `dim` `{ values, indices }`, where the first of
 * equal ones gets it all; with another tensor `minimum`. NaN is both largest and smallest. Source: torch.min.
 */
export const min = compose({
  name: 'min',
  call: minOf,
  samples: () => [
    { x: [[2, 3]] },
    { x: [[2, 3]], args: [1] },
    { x: [[2, 3, 4]], args: [-2, { keepdim: true }] },
    { x: [[2, 3], [3]] },
    { x: [[0, 3]], args: [1] },
  ],
  badSamples: () => [
    { x: [[2, 3]], args: [2], message: 'dim to be in [-2, 1]' },
    { x: [[2, 0]], args: [1], message: 'at least one element' },
    { x: [[2, 3]], args: [1, { keepDim: true }], message: 'among keepdim' },
    { x: [[2, 3]], args: ['1'], message: 'dim to be an integer' },
    { x: [[2, 3]], args: [null, { keepdim: true }], message: 'options only along a dim' },
  ],
})
