/** A learned bilinear form of two vectors. */

import { checkBoolean, checkInt, checkOptions } from '../base/check.js'
import { ops, type Tensor } from '../tensor/index.js'
import { uniform_ } from './init.js'
import { Module, type Parameter } from './module.js'
import { newParameter } from './new_tensors.js'

/** Options of `Bilinear`. */
export interface BilinearOptions {
  /** Default true. */
  bias?: boolean
}

/**
 * `y[o] = aᵀ·weight[o]·b + bias[o]`: a [..., in1Features], b [..., in2Features], y [..., outFeatures].
 *
 * ```ts
 * const layer = new nn.Bilinear(4, 3, 2)
 * layer.forward(random.randn([32, 4]), random.randn([32, 3])) // [32, 2]
 * ```
 * Weight and bias start uniform in ±1/√in1Features, drawn from the global generator in PyTorch's order. Throws ERR_SHAPE
 * where a or b ends otherwise. Source: torch.nn.Bilinear.
 */
export class Bilinear extends Module {
  readonly in1Features: number
  readonly in2Features: number
  readonly outFeatures: number
  readonly weight: Parameter
  readonly bias: Parameter | null

  constructor(in1Features: number, in2Features: number, outFeatures: number, options: BilinearOptions = {}) {
    super()
    const { bias = true } = checkOptions('Bilinear', options, ['bias'])
    const bounds = { min: 1, max: 2 ** 31 - 1 }
    this.in1Features = checkInt('Bilinear', 'in1Features', in1Features, bounds)
    this.in2Features = checkInt('Bilinear', 'in2Features', in2Features, bounds)
    this.outFeatures = checkInt('Bilinear', 'outFeatures', outFeatures, bounds)
    checkInt('Bilinear', 'the number of weights', in1Features * in2Features * outFeatures, bounds)
    checkBoolean('Bilinear', 'bias', bias)
    const bound = 1 / Math.sqrt(in1Features)
    const uniform = (values: Parameter) => uniform_(values, { a: -bound, b: bound })
    this.weight = newParameter([outFeatures, in1Features, in2Features], uniform)
    this.bias = bias ? newParameter([outFeatures], uniform) : null
  }

  override constructorArguments(): readonly unknown[] {
    return [this.in1Features, this.in2Features, this.outFeatures, { bias: this.bias !== null }]
  }

  override forward(a: Tensor, b: Tensor): Tensor {
    return ops.bilinear(a, b, this.weight, this.bias)
  }
}
