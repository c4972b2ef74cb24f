/** The largest element, along a dimension with its index. */

import { typeError } from '../../base/errors.js'
import type { ReductionOptions } from '../../ops/reduction.js'
import { checkTensor, Tensor } from '../tensor.js'
import { compose } from './composed.js'

/** What is largest or smallest along a dimension, and where. */
export interface Extremes {
  readonly values: Tensor
  /** int32, without gradient. */
  readonly indices: Tensor
}

/** The values at the indices of the largest elements of `by`. */
export function extremesOf(x: Tensor, by: Tensor, dim: number, options: ReductionOptions = {}): Extremes {
  const kept = by.argmax(dim, { ...options, keepdim: true })
  const values = x.shape.length === 0 ? x : x.gather(dim, kept)
  if (options.keepdim) return { values, indices: kept }
  return { values: values.squeeze(dim), indices: kept.squeeze(dim) }
}

/** The largest element of all, the largest along `dim` with their indices, or the largest of two elementwise. */
function maxOf(x: Tensor, other?: Tensor | null): Tensor
function maxOf(x: Tensor, dim: number, options?: ReductionOptions): Extremes
function maxOf(x: Tensor, dim?: number | Tensor | null, options?: ReductionOptions): Tensor | Extremes {
  checkTensor('max', 'x', x)
  if (typeof dim !== 'number' && options !== undefined) throw typeError('max', 'options only along a dim', options)
  if (dim === undefined || dim === null) return x.amax()
  if (dim instanceof Tensor) return x.maximum(dim)
  return extremesOf(x, x, dim, options)
}

/**
 * Without `dim` the largest element, whose gradient equal ones share; along `dim` `{ values, indices }`, where the first of
 * equal ones gets it all; with another tensor `maximum`. NaN is both largest and smallest. Source: torch.max.
 */
export const max = compose({
  name: 'max',
  call: maxOf,
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
