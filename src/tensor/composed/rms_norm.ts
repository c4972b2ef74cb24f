/** Rows divided by the root of their mean square. */

import { checkNumber, checkOptions } from '../../base/check.js'
import { shapeError } from '../../base/errors.js'
import { checkNormalizedShape } from '../../ops/layer_norm.js'
import { shapeText } from '../../ops/spec.js'
import { checkTensor, type Tensor } from '../tensor.js'
import { compose } from './composed.js'

/** Options of `rmsNorm`. */
export interface RmsNormOptions {
  /** Scale of the result, of the normalised shape. Default 1. */
  weight?: Tensor | null
  /** Added to the mean square. Default: what float32 has between 1 and the next number, as in PyTorch. */
  eps?: number | null
}

/** eps, complete. */
export function checkRmsEps(where: string, eps: number | null | undefined): number {
  return checkNumber(where, 'eps', eps ?? 2 ** -23, { min: 0 })
}

function checkShape(x: Tensor, sizes: readonly number[], weight: Tensor | null): void {
  const { shape } = checkTensor('rmsNorm', 'x', x)
  const wanted = shapeText(sizes)
  if (shape.length < sizes.length || shapeText(shape.slice(-sizes.length)) !== wanted)
    throw shapeError('rmsNorm', `x to have a shape that ends with ${wanted}`, shapeText(shape))
  if (weight !== null && shapeText(checkTensor('rmsNorm', 'weight', weight).shape) !== wanted)
    throw shapeError('rmsNorm', `weight to have shape ${wanted}`, shapeText(weight.shape))
}

/**
 * `x / √(mean x² + eps)·weight` over the last dimensions of x, which are `normalizedShape`; `{ weight, eps }`.
 * Source: Zhang and Sennrich (2019); torch.nn.functional.rms_norm.
 */
export const rmsNorm = compose({
  name: 'rmsNorm',
  call(x: Tensor, normalizedShape: number | readonly number[], options: RmsNormOptions = {}): Tensor {
    const { weight = null, eps } = checkOptions('rmsNorm', options, ['weight', 'eps'])
    const least = checkRmsEps('rmsNorm', eps)
    const sizes = checkNormalizedShape('rmsNorm', normalizedShape)
    checkShape(x, sizes, weight)
    const dims = sizes.map((_, i) => i - sizes.length)
    const normal = x.mul(x.square().mean(dims, { keepdim: true }).add(least).rsqrt())
    return weight === null ? normal : normal.mul(weight)
  },
  samples: () => [
    { x: [[2, 3]], args: [3] },
    { x: [[2, 2, 3]], args: [[2, 3], { weight: { parameter: [2, 3] }, eps: 0.1 }] },
    { x: [[0, 3]], args: [3] },
  ],
  badSamples: () => [
    { x: [[2, 3]], args: [4], message: 'x to have a shape that ends with [4] but received [2, 3]' },
    { x: [[2, 3]], args: [[]], message: 'normalizedShape to have at least one dimension' },
    { x: [[2, 3]], args: [3, { weight: { parameter: [2] } }], message: 'weight to have shape [3] but received [2]' },
    { x: [[2, 3]], args: [3, { eps: -1 }], message: 'eps to be' },
  ],
})
