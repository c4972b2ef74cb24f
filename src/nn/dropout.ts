/** Dropout as a layer: the op in training, nothing in evaluation. */

import { checkDropout, type DropoutOptions } from '../ops/dropout.js'
import { checkTensor, ops, type Tensor } from '../tensor/index.js'
import { Module } from './module.js'

export type { DropoutOptions }

/**
 * In training each element is zero with probability `p`, else `x / (1 - p)`; in evaluation `x` itself.
 *
 * ```ts
 * const model = new nn.Sequential(new nn.Linear(64, 32), new nn.ReLU(), new nn.Dropout({ p: 0.25 }), new nn.Linear(32, 10))
 * ```
 * The masks are PyTorch's bit for bit, drawn from the default generator. Throws RangeError unless 0 <= p <= 1.
 * Source: Srivastava et al. (2014); torch.nn.Dropout.
 */
export class Dropout extends Module {
  readonly p: number

  constructor(options: DropoutOptions = {}) {
    super()
    this.p = checkDropout('Dropout', options).p
  }

  override constructorArguments(): readonly unknown[] {
    return [{ p: this.p }]
  }

  override get drawsRandomNumbers(): boolean {
    return true
  }

  override forward(x: Tensor): Tensor {
    return this.training ? ops.dropout(x, { p: this.p }) : checkTensor('Dropout', 'x', x)
  }
}
