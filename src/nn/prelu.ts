/** A rectifier whose slope below 0 is learned, as a layer. */

import { checkInt, checkNumber, checkOptions } from '../base/check.js'
import { ops, type Tensor } from '../tensor/index.js'
import { Module, type Parameter } from './module.js'
import { filled } from './new_tensors.js'

/** Options of `PReLU`. */
export interface PReLUOptions {
  /** 1, or the number of channels, dimension 1 of x. Default 1. */
  numParameters?: number
  /** The slopes at the start. Default 0.25. */
  init?: number
}

/**
 * `x` where x > 0, else `weight·x`, with one learned weight or one per channel.
 *
 * ```ts
 * const layer = new nn.PReLU({ numParameters: 8 }) // for x [rows, 8]
 * ```
 * Throws ERR_SHAPE where x has another number of channels. Source: He et al. (2015); torch.nn.PReLU.
 */
export class PReLU extends Module {
  readonly numParameters: number
  readonly init: number
  readonly weight: Parameter

  constructor(options: PReLUOptions = {}) {
    super()
    const { numParameters = 1, init = 0.25 } = checkOptions('PReLU', options, ['numParameters', 'init'])
    this.numParameters = checkInt('PReLU', 'numParameters', numParameters, { min: 1, max: 2 ** 31 - 1 })
    this.init = checkNumber('PReLU', 'init', init)
    this.weight = filled([numParameters], init)
  }

  override constructorArguments(): readonly unknown[] {
    return [{ numParameters: this.numParameters, init: this.init }]
  }

  override forward(x: Tensor): Tensor {
    return ops.prelu(x, this.weight)
  }
}
