/** The layer that does nothing. */

import { checkTensor, type Tensor } from '../tensor/index.js'
import { Module } from './module.js'

/** Returns its input: a place for a layer that a variant of a model lacks. Source: torch.nn.Identity. */
export class Identity extends Module {
  override constructorArguments(): readonly unknown[] {
    return []
  }

  override forward(x: Tensor): Tensor {
    return checkTensor('Identity', 'x', x)
  }
}
