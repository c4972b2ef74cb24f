/** What max and min share: an extreme of all elements, along a dimension with its index, or of two tensors. */

import { typeError } from '../../base/errors.js'
import type { ReductionOptions } from '../../ops/reduction.js'
import { checkTensor, Tensor } from '../tensor.js'
import { type Composed, compose } from './composed.js'

/** What is largest or smallest along a dimension, and where. */
export interface Extremes {
  readonly values: Tensor
  /** int32, without gradient. */
  readonly indices: Tensor
}

/** The methods that do one part each. */
interface Parts {
  readonly name: 'max' | 'min'
  readonly ofAll: 'amax' | 'amin'
  readonly ofTwo: 'maximum' | 'minimum'
  readonly index: 'argmax' | 'argmin'
}

/** The extreme of all elements or of two elementwise; along `dim` with the indices. */
export interface ExtremeFunction {
  (x: Tensor, other?: Tensor | null): Tensor
  (x: Tensor, dim: number, options?: ReductionOptions): Extremes
}

/** The values at the indices, so that the first of equal ones gets the gradient. */
function along(x: Tensor, dim: number, options: ReductionOptions, index: Parts['index']): Extremes {
  const kept = x[index](dim, { ...options, keepdim: true })
  const values = x.shape.length === 0 ? x : x.gather(dim, kept)
  if (options.keepdim) return { values, indices: kept }
  return { values: values.squeeze(dim), indices: kept.squeeze(dim) }
}

/** `max` or `min` from its parts. */
export function composeExtreme({ name, ofAll, ofTwo, index }: Parts): Composed<ExtremeFunction> {
  function call(x: Tensor, other?: Tensor | null): Tensor
  function call(x: Tensor, dim: number, options?: ReductionOptions): Extremes
  function call(x: Tensor, dim?: number | Tensor | null, options?: ReductionOptions): Tensor | Extremes {
    checkTensor(name, 'x', x)
    if (typeof dim !== 'number' && options !== undefined) throw typeError(name, 'options only along a dim', options)
    if (dim === undefined || dim === null) return x[ofAll]()
    return dim instanceof Tensor ? x[ofTwo](dim) : along(x, dim, options ?? {}, index)
  }
  return compose({
    name,
    call,
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
}
