/** Standard deviation over dimensions. */

import type { Dims } from '../../ops/reduction.js'
import type { Tensor } from '../tensor.js'
import { compose } from './composed.js'
import { smoothRoot } from './norm.js'
import { type VarianceOptions, variance, varianceOf } from './var.js'

/**
 * `√var` over `dim` (a number or several; all by default); `{ correction, keepdim }`. The gradient is 0 where it is 0.
 * Source: torch.std.
 */
export const std = compose({
  name: 'std',
  call: (x: Tensor, dim?: Dims | null, options: VarianceOptions = {}): Tensor =>
    smoothRoot(varianceOf('std', x, dim, options)),
  samples: variance.samples,
  badSamples: variance.badSamples,
})
