/** What every loss is: a function of a prediction and a target. */

import type { Tensor } from '../tensor/index.js'
import { Module } from './module.js'

/** Base of losses. `fit` and `evaluate` report accuracy where `classifies` is true. */
export abstract class Loss extends Module {
  /** Whether predictions are scores per class and targets name classes, so that accuracy means something. */
  readonly classifies: boolean = false

  /** The label of rows that count neither as right nor as wrong, where targets are labels. */
  readonly ignoreIndex: number = -100

  /** What predictions are: scores per class, logits or probabilities of the class 1, or numbers. */
  get predicts(): 'classes' | 'logits' | 'probabilities' | 'numbers' {
    return this.classifies ? 'classes' : 'numbers'
  }

  /** Whether there must be a target; where not, samples of one tensor will do, and `forward` gets the prediction alone. */
  readonly needsTarget: boolean = true

  /** Whether `forward` takes weights of samples; where not, data sets that have some are refused. */
  readonly weighsSamples: boolean = false

  /** `weight`: of each sample, [rows]. */
  abstract override forward(prediction: Tensor, target?: Tensor, weight?: Tensor): Tensor
}
