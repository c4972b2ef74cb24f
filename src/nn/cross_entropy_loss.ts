/** Softmax and cross-entropy as a loss. */

import { type CrossEntropyOptions, checkCrossEntropy } from '../ops/cross_entropy.js'
import { ops } from '../tensor/index.js'
import { lossOf } from './op_layer.js'

/**
 * Cross-entropy of softmax(logits): logits [rows, classes] against labels [rows], or against distributions over the
 * classes, float32 [rows, classes].
 *
 * ```ts
 * const loss = new nn.CrossEntropyLoss({ labelSmoothing: 0.1, weight: tensor([1, 2, 1]) })
 * loss.forward(logits, labels).backward()
 * ```
 * Throws ERR_LABEL_RANGE with the row and the value of a label that is no class. Source: torch.nn.CrossEntropyLoss.
 */
export class CrossEntropyLoss extends lossOf<CrossEntropyOptions>(ops.crossEntropy, checkCrossEntropy, true) {}
