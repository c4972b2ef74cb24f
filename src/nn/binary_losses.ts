/** Losses of binary targets, one or several per row. Not here: one class of several (cross_entropy_loss.ts). */

import { type BinaryCrossEntropyOptions, checkBinaryCrossEntropy } from '../ops/binary_cross_entropy.js'
import {
  type BinaryCrossEntropyWithLogitsOptions,
  checkBinaryCrossEntropyWithLogits,
} from '../ops/binary_cross_entropy_with_logits.js'
import { ops, type Tensor } from '../tensor/index.js'
import { ConfiguredLoss } from './loss.js'

/**
 * Cross-entropy of probabilities against binary targets: `-w·(t·log x + (1 - t)·log(1 - x))`, logarithms at least -100.
 *
 * ```ts
 * new nn.BCELoss().forward(logits.sigmoid(), target) // target: float32 of the same shape
 * ```
 * NaN where x is no probability (PyTorch refuses those). Throws ERR_SHAPE unless prediction and target have one shape.
 * Source: torch.nn.BCELoss.
 */
export class BCELoss extends ConfiguredLoss<BinaryCrossEntropyOptions> {
  constructor(options: BinaryCrossEntropyOptions = {}) {
    super(options, checkBinaryCrossEntropy)
  }

  override forward(prediction: Tensor, target: Tensor): Tensor {
    return ops.binaryCrossEntropy(prediction, target, this.options)
  }
}

/**
 * Sigmoid and binary cross-entropy in one: `-w·(p·t·log σ(x) + (1 - t)·log(1 - σ(x)))`, without overflow.
 *
 * ```ts
 * new nn.BCEWithLogitsLoss({ posWeight: tensor([3, 1, 0.5]) }).forward(logits, target)
 * ```
 * Throws ERR_SHAPE unless logits and target have one shape. Source: torch.nn.BCEWithLogitsLoss.
 */
export class BCEWithLogitsLoss extends ConfiguredLoss<BinaryCrossEntropyWithLogitsOptions> {
  constructor(options: BinaryCrossEntropyWithLogitsOptions = {}) {
    super(options, checkBinaryCrossEntropyWithLogits)
  }

  override forward(logits: Tensor, target: Tensor): Tensor {
    return ops.binaryCrossEntropyWithLogits(logits, target, this.options)
  }
}
