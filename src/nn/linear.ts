/** The dense layer. */

import { checkBoolean, checkInt, checkOptions } from '../base/check.js'
import { shapeError } from '../base/errors.js'
import { shapeText } from '../ops/spec.js'
import { checkTensor, type Tensor } from '../tensor/index.js'
import { kaimingUniform_, uniform_ } from './init.js'
import { Module, type Parameter } from './module.js'
import { newParameter } from './new_tensors.js'

/** Options of `Linear`. */
export interface LinearOptions {
  /** Add a learned bias. Default true. */
  bias?: boolean
}

/**
 * Dense layer `y = x·wᵀ + b`: x [..., inFeatures], weight [outFeatures, inFeatures], bias [outFeatures].
 *
 * ```ts
 * const layer = new nn.Linear(784, 128, { bias: false })
 * layer.forward(random.randn([32, 784])) // [32, 128]
 * ```
 * Weight and bias start uniform in ±1/√inFeatures, drawn from the global generator in PyTorch's order.
 * Throws ERR_SHAPE where the last dimension of x is not inFeatures. Source: torch.nn.Linear.
 */
export class Linear extends Module {
  readonly inFeatures: number
  readonly outFeatures: number
  readonly weight: Parameter
  readonly bias: Parameter | null

  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    super()
    const { bias = true } = checkOptions('Linear', options, ['bias'])
    this.inFeatures = checkInt('Linear', 'inFeatures', inFeatures, { min: 0, max: 2 ** 31 - 1 })
    this.outFeatures = checkInt('Linear', 'outFeatures', outFeatures, { min: 0, max: 2 ** 31 - 1 })
    checkInt('Linear', 'inFeatures * outFeatures', inFeatures * outFeatures, { max: 2 ** 31 - 1 })
    checkBoolean('Linear', 'bias', bias)
    // The two bounds agree as reals and may differ in the last bit as doubles.
    this.weight = newParameter([outFeatures, inFeatures], weight => kaimingUniform_(weight, { a: Math.sqrt(5) }))
    const bound = inFeatures > 0 ? 1 / Math.sqrt(inFeatures) : 0
    this.bias = bias ? newParameter([outFeatures], values => uniform_(values, { a: -bound, b: bound })) : null
  }

  override constructorArguments(): readonly unknown[] {
    return [this.inFeatures, this.outFeatures, { bias: this.bias !== null }]
  }

  override forward(x: Tensor): Tensor {
    const { shape } = checkTensor('Linear', 'x', x)
    const last = shape[shape.length - 1]
    if (last !== this.inFeatures) {
      const expected = `x.shape[${shape.length - 1}] to equal inFeatures (${this.inFeatures})`
      throw shapeError('Linear', expected, shape.length ? String(last) : `shape ${shapeText(shape)}`)
    }
    return x.linear(this.weight, this.bias)
  }
}
