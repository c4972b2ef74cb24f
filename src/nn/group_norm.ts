/** Normalisation of groups of channels, as a layer. */

import { checkBoolean, checkInt, checkNumber, checkOptions } from '../base/check.js'
import { shapeError } from '../base/errors.js'
import { shapeText } from '../ops/spec.js'
import { checkGroups } from '../tensor/composed/group_norm.js'
import { checkTensor, ops, type Tensor } from '../tensor/index.js'
import { Module, type Parameter } from './module.js'
import { filled } from './new_tensors.js'

/** Options of `GroupNorm`. */
export interface GroupNormOptions {
  /** Added to the variance. Default 1e-5. */
  eps?: number
  /** Learn a scale and a shift for each channel. Default true. */
  affine?: boolean
}

/**
 * Each of `numGroups` groups of neighbouring channels of x [rows, numChannels, …] with mean 0 and variance 1, then
 * `·weight + bias` by channel.
 *
 * ```ts
 * const layer = new nn.GroupNorm(4, 16) // for x [rows, 16]
 * ```
 * Throws RangeError unless the groups divide the channels, ERR_SHAPE where x has others. Source: Wu and He (2018);
 * torch.nn.GroupNorm.
 */
export class GroupNorm extends Module {
  readonly numGroups: number
  readonly numChannels: number
  readonly eps: number
  readonly weight: Parameter | null
  readonly bias: Parameter | null

  constructor(numGroups: number, numChannels: number, options: GroupNormOptions = {}) {
    super()
    const { eps = 1e-5, affine = true } = checkOptions('GroupNorm', options, ['eps', 'affine'])
    this.numChannels = checkInt('GroupNorm', 'numChannels', numChannels, { min: 1, max: 2 ** 31 - 1 })
    this.numGroups = checkGroups('GroupNorm', numGroups, numChannels)
    this.eps = checkNumber('GroupNorm', 'eps', eps, { min: 0 })
    const learned = checkBoolean('GroupNorm', 'affine', affine)
    this.weight = learned ? filled([numChannels], 1) : null
    this.bias = learned ? filled([numChannels], 0) : null
  }

  override constructorArguments(): readonly unknown[] {
    return [this.numGroups, this.numChannels, { eps: this.eps, affine: this.weight !== null }]
  }

  override forward(x: Tensor): Tensor {
    const { shape } = checkTensor('GroupNorm', 'x', x)
    if (shape[1] !== this.numChannels)
      throw shapeError('GroupNorm', `x.shape[1] to equal numChannels (${this.numChannels})`, shapeText(shape))
    const { weight, bias, eps } = this
    return ops.groupNorm(x, this.numGroups, { weight, bias, eps })
  }
}
