/** Softmax and cross-entropy as a loss. */

import { type CrossEntropyOptions, checkCrossEntropy } from '../ops/cross_entropy.js'
import type { Tensor } from '../tensor/index.js'
import { Loss } from './loss.js'

/**
 * Cross-entropy of softmax(logits) against integer labels: logits [rows, classes], labels [rows].
 *
 * ```ts
 * const loss = new nn.CrossEntropyLoss({ labelSmoothing: 0.1, weight: tensor([1, 2, 1]) })
 * loss.forward(logits, labels).backward()
 * ```
 * Throws ERR_LABEL_RANGE with the row and the value of a label that is no class. Source: torch.nn.CrossEntropyLoss.
 */
export class CrossEntropyLoss extends Loss {
  readonly classifies = true
  readonly options: CrossEntropyOptions

  constructor(options: CrossEntropyOptions = {}) {
    super()
    checkCrossEntropy(options)
    this.options = { ...options }
  }

  override forward(logits: Tensor, labels: Tensor): Tensor {
    return logits.crossEntropy(labels, this.options)
  }
}
