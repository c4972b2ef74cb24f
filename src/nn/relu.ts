/** The rectifier as a layer. */

import type { Tensor } from '../tensor/index.js'
import { Module } from './module.js'

/** `max(x, 0)`, elementwise. Source: torch.nn.ReLU. */
export class ReLU extends Module {
  override forward(x: Tensor): Tensor {
    return x.relu()
  }
}
