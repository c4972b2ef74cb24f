/** What every loss is: a function of a prediction and a target. */

import type { Tensor } from '../tensor/index.js'
import { Module } from './module.js'

/** Base of losses. `fit` and `evaluate` report accuracy where `classifies` is true. */
export abstract class Loss extends Module {
  /** Whether predictions are logits per class and targets are labels, so that accuracy means something. */
  abstract readonly classifies: boolean

  abstract override forward(prediction: Tensor, target: Tensor): Tensor
}
