/** The dense layer. */

import { checkBoolean, checkInt, checkOptions } from '../base/check.js'
import { shapeError } from '../base/errors.js'
import { shapeText } from '../ops/spec.js'
import { defaultGenerator } from '../random/index.js'
import { Tensor } from '../tensor/index.js'
import { Module, Parameter } from './module.js'

/** Options of `Linear`. */
export interface LinearOptions {
  /** Add a learned bias. Default true. */
  bias?: boolean
}

function uniform(shape: readonly number[], bound: number): Parameter {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1))
  defaultGenerator.uniform_(values, -bound, bound)
  return new Parameter(new Tensor(shape, 'float32', values))
}

/**
 * Dense layer `y = x·wᵀ + b`: x [..., inFeatures], weight [outFeatures, inFeatures], bias [outFeatures].
 *
 * ```ts
 * const layer = new nn.Linear(784, 128, { bias: false })
 * layer.forward(x) // [..., 128]
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
    // kaiming_uniform(a = √5) for the weight: the two bounds agree as reals and may differ in the last bit as doubles.
    const gain = Math.sqrt(2 / (1 + Math.sqrt(5) ** 2))
    this.weight = uniform([outFeatures, inFeatures], inFeatures > 0 ? Math.sqrt(3) * (gain / Math.sqrt(inFeatures)) : 0)
    this.bias = checkBoolean('Linear', 'bias', bias)
      ? uniform([outFeatures], inFeatures > 0 ? 1 / Math.sqrt(inFeatures) : 0)
      : null
  }

  override forward(x: Tensor): Tensor {
    const last = x.shape[x.shape.length - 1]
    if (last !== this.inFeatures) {
      const expected = `x.shape[${x.shape.length - 1}] to equal inFeatures (${this.inFeatures})`
      throw shapeError('Linear', expected, x.shape.length ? String(last) : `shape ${shapeText(x.shape)}`)
    }
    return x.linear(this.weight, this.bias)
  }
}
