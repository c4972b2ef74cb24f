/** Index of the smallest element. */

import type { ReductionOptions } from '../../ops/reduction.js'
import { checkTensor, type Tensor } from '../tensor.js'
import { compose } from './composed.js'

/**
 * Index of the smallest element along `dim`, or in the flattened tensor; the first of equals, and NaN counts as smallest.
 * Result int32, no gradient. Source: torch.argmin.
 */
export const argmin = compose({
  name: 'argmin',
  call: (x: Tensor, dim?: number | null, options: ReductionOptions = {}): Tensor =>
    checkTensor('argmin', 'x', x).neg().argmax(dim, options),
  samples: () => [{ x: [[2, 3]], args: [1] }, { x: [[2, 3]] }, { x: [[2, 5, 4]], args: [0, { keepdim: true }] }],
  badSamples: () => [
    { x: [[2, 3]], args: [5], message: 'dim to be in' },
    { x: [[0]], message: 'at least one element' },
  ],
})
