/** Layer normalisation as a layer. */

import { checkBoolean, checkNumber, checkOptions } from '../base/check.js'
import { checkNormalizedShape } from '../ops/layer_norm.js'
import { ops, type Tensor } from '../tensor/index.js'
import { Module, type Parameter } from './module.js'
import { filled } from './new_tensors.js'

/** Options of `LayerNorm`. */
export interface LayerNormOptions {
  /** Added to the variance. Default 1e-5. */
  eps?: number
  /** Learn a scale for each element, and a shift unless `bias` is false. Default true. */
  elementwiseAffine?: boolean
  /** Default true. */
  bias?: boolean
}

/**
 * `(x - mean) / √(var + eps) · weight + bias` over the last dimensions of x, which are `normalizedShape`.
 *
 * ```ts
 * const layer = new nn.LayerNorm([3, 4], { eps: 1e-6 }) // for x [..., 3, 4]
 * ```
 * Throws ERR_SHAPE where the shape of x ends otherwise. Source: Ba, Kiros and Hinton (2016); torch.nn.LayerNorm.
 */
export class LayerNorm extends Module {
  readonly normalizedShape: readonly number[]
  readonly eps: number
  readonly weight: Parameter | null
  readonly bias: Parameter | null

  constructor(normalizedShape: number | readonly number[], options: LayerNormOptions = {}) {
    super()
    const where = 'LayerNorm'
    checkOptions(where, options, ['eps', 'elementwiseAffine', 'bias'])
    const { eps = 1e-5, elementwiseAffine = true, bias = true } = options
    this.normalizedShape = checkNormalizedShape(where, normalizedShape)
    this.eps = checkNumber(where, 'eps', eps, { min: 0 })
    const learned = checkBoolean(where, 'elementwiseAffine', elementwiseAffine)
    this.weight = learned ? filled(this.normalizedShape, 1) : null
    this.bias = checkBoolean(where, 'bias', bias) && learned ? filled(this.normalizedShape, 0) : null
  }

  override constructorArguments(): readonly unknown[] {
    const { eps, weight, bias } = this
    return [this.normalizedShape, { eps, elementwiseAffine: weight !== null, bias: bias !== null }]
  }

  override forward(x: Tensor): Tensor {
    const { weight, bias, eps } = this
    return ops.layerNorm(x, this.normalizedShape, { weight, bias, eps })
  }
}
