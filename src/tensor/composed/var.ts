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

/** The differences from the mean over `dim`, and what the sum of their squares is divided by. */
export function deviations(where: string, x: Tensor, dim: Dims | null | undefined, options: VarianceOptions) {
  const { shape } = checkTensor(where, 'x', x)
  const { correction = 1, keepdim = false } = checkOptions(where, options, ['correction', 'keepdim'])
  checkNumber(where, 'correction', correction)
  checkBoolean(where, 'keepdim', keepdim)
  const dims = parseDims(where, 'dim', dim ?? shape.map((_, i) => i), shape.length)
  const count = sizeOf(dims.map(d => shape[d] ?? 1))
  const differences = x.sub(x.mean(dims, { keepdim: true }))
  return { differences, dims, divisor: Math.max(count - correction, 0), keepdim }
}

/**
 * `Σ (x - mean)² / (n - correction)` over `dim` (a number or several; all by default); `{ correction, keepdim }`. NaN where
 * the divisor is 0. Source: torch.var.
 */
export const variance = compose({
  name: 'var',
  call(x: Tensor, dim?: Dims | null, options: VarianceOptions = {}): Tensor {
    const { differences, dims, divisor, keepdim } = deviations('var', x, dim, options)
    return differences.square().sum(dims, { keepdim }).div(divisor)
  },
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
