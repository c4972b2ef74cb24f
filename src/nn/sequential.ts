/** Layers one after the other. */

import { typeError } from '../base/errors.js'
import { checkTensor, type Tensor } from '../tensor/index.js'
import { Module } from './module.js'

/**
 * Feeds each layer's output to the next; the layers are named '0', '1', … as in PyTorch.
 *
 * ```ts
 * const model = new nn.Sequential(new nn.Linear(64, 32), new nn.ReLU(), new nn.Linear(32, 10))
 * ```
 * Source: torch.nn.Sequential.
 */
export class Sequential extends Module {
  constructor(...layers: Module[]) {
    super()
    layers.forEach((layer, i) => {
      if (!(layer instanceof Module)) throw typeError('Sequential', `layer ${i} to be a Module`, layer)
    })
    Object.assign(this, layers)
  }

  override constructorArguments(): readonly unknown[] {
    return this.namedChildren().map(([, layer]) => layer)
  }

  override forward(x: Tensor): Tensor {
    let y = checkTensor('Sequential', 'x', x)
    for (const [, layer] of this.namedChildren()) y = (layer as Module & { forward(x: Tensor): Tensor }).forward(y)
    return y
  }
}
