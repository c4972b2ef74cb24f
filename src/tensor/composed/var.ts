/** Variance over dimensions. */

import { checkBoolean, checkNumber, checkOptions } from '../../base/check.js'
import { type Dims, parseDims, type ReductionOptions } from '../../ops/reduction.js'
import { sizeOf } from '../../ops/spec.js'
import { checkTensor, type Tensor } from '../tensor.js'
import { compose } from './composed.js'

/** Options of `var` and `std`. */
export interface VarianceOptions extends ReductionOptions {
  /** What is taken off the number of elements before dividing by it. Default 1, Bessel's. */
  correction?: number
}

/** The variance, asked for by `where`. */
export function varianceOf(where: string, x: Tensor, dim: Dims | null | undefined, options: VarianceOptions): Tensor {
  const { shape } = checkTensor(where, 'x', x)
  const { correction = 1, keepdim = false } = checkOptions(where, options, ['correction', 'keepdim'])
  checkNumber(where, 'correction', correction)
  checkBoolean(where, 'keepdim', keepdim)
  const dims = parseDims(where, 'dim', dim ?? shape.map((_, i) => i), shape.length)
  const count = sizeOf(dims.map(d => shape[d] ?? 1))
  const squares = x.sub(x.mean(dims, { keepdim: true })).square()
  return squares.sum(dims, { keepdim }).div(Math.max(count - correction, 0))
}

/**
 * `Σ (x - mean)² / (n - correction)` over `dim` (a number or several; all by default); `{ correction, keepdim }`. NaN where
 * the divisor is 0. Source: torch.var.
 */
export const variance = compose({
  name: 'var',
  call: (x: Tensor, dim?: Dims | null, options: VarianceOptions = {}): Tensor => varianceOf('var', x, dim, options),
  samples: () => [
    { x: [[2, 3]] },
    { x: [[2, 3]], args: [1] },
    { x: [[2, 3, 4]], args: [[0, 2], { correction: 0 }] },
    { x: [[2, 3, 4]], args: [-2, { keepdim: true }] },
    { x: [[0, 3]], args: [1] },
  ],
  badSamples: () => [
    { x: [[2, 3]], args: [2], message: 'dim to be in [-2, 1]' },
    { x: [[2, 3]], args: [0, { unbiased: true }], message: 'among correction, keepdim' },
    { x: [[2, 3]], args: [0, { correction: '1' }], message: 'correction to be a number' },
  ],
})
