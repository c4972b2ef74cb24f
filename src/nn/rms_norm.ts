/** Root-mean-square normalisation as a layer. */

import { checkBoolean, checkOptions } from '../base/check.js'
import { checkNormalizedShape } from '../ops/layer_norm.js'
import { checkRmsEps } from '../tensor/composed/rms_norm.js'
import { ops, type Tensor } from '../tensor/index.js'
import { Module, type Parameter } from './module.js'
import { filled } from './new_tensors.js'

/** Options of `RMSNorm`. */
export interface RMSNormOptions {
  /** Added to the mean square. Default: what float32 has between 1 and the next number. */
  eps?: number | null
  /** Learn a scale for each element. Default true. */
  elementwiseAffine?: boolean
}

/**
 * `x / √(mean x² + eps)·weight` over the last dimensions of x, which are `normalizedShape`.
 *
 * ```ts
 * const layer = new nn.RMSNorm([64]) // for x [..., 64]
 * ```
 * Throws ERR_SHAPE where the shape of x ends otherwise. Source: Zhang and Sennrich (2019); torch.nn.RMSNorm.
 */
export class RMSNorm extends Module {
  readonly normalizedShape: readonly number[]
  readonly eps: number
  readonly weight: Parameter | null

  constructor(normalizedShape: number | readonly number[], options: RMSNormOptions = {}) {
    super()
    const { eps, elementwiseAffine = true } = checkOptions('RMSNorm', options, ['eps', 'elementwiseAffine'])
    this.normalizedShape = checkNormalizedShape('RMSNorm', normalizedShape)
    this.eps = checkRmsEps('RMSNorm', eps)
    const learned = checkBoolean('RMSNorm', 'elementwiseAffine', elementwiseAffine)
    this.weight = learned ? filled(this.normalizedShape, 1) : null
  }

  override constructorArguments(): readonly unknown[] {
    return [this.normalizedShape, { eps: this.eps, elementwiseAffine: this.weight !== null }]
  }

  override forward(x: Tensor): Tensor {
    return ops.rmsNorm(x, this.normalizedShape, { weight: this.weight, eps: this.eps })
  }
}
