/** Losses of binary targets, one or several per row. Not here: one class of several (cross_entropy_loss.ts). */

import { type BinaryCrossEntropyOptions, checkBinaryCrossEntropy } from '../ops/binary_cross_entropy.js'
import {
  type BinaryCrossEntropyWithLogitsOptions,
  checkBinaryCrossEntropyWithLogits,
} from '../ops/binary_cross_entropy_with_logits.js'
import { ops } from '../tensor/index.js'
import { lossOf } from './op_layer.js'

/**
 * Cross-entropy of probabilities against binary targets: `-w·(t·log x + (1 - t)·log(1 - x))`, logarithms at least -100.
 *
 * ```ts
 * new nn.BCELoss().forward(logits.sigmoid(), target) // target: float32 of the same shape
 * ```
 * Throws ERR_LABEL_RANGE where prediction or target is no probability, ERR_SHAPE unless both have one shape. `fit` on its
 * plan takes predictions of a sigmoid or softmax, which cannot be others; any others are checked on the eager engine.
 * Source: torch.nn.BCELoss.
 */
export class BCELoss extends lossOf<BinaryCrossEntropyOptions>(ops.binaryCrossEntropy, checkBinaryCrossEntropy) {
  override get predicts() {
    return 'probabilities' as const
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
export class BCEWithLogitsLoss extends lossOf<BinaryCrossEntropyWithLogitsOptions>(
  ops.binaryCrossEntropyWithLogits,
  checkBinaryCrossEntropyWithLogits,
) {
  override get predicts() {
    return 'logits' as const
  }
}
