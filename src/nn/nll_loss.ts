/** The negative log-likelihood as a loss. */

import type { ClassLossOptions } from '../ops/class_loss.js'
import { checkNll } from '../ops/nll_loss.js'
import { ops } from '../tensor/index.js'
import { lossOf } from './op_layer.js'

/**
 * Negative log-likelihood of labels: log-probabilities [rows, classes], such as LogSoftmax gives, labels [rows].
 *
 * ```ts
 * const loss = new nn.NLLLoss({ weight: tensor([1, 2, 1]) })
 * loss.forward(logits.logSoftmax(1), labels).backward()
 * ```
 * Throws ERR_LABEL_RANGE with the row and the value of a label that is no class. Source: torch.nn.NLLLoss.
 */
export class NLLLoss extends lossOf<ClassLossOptions>(ops.nllLoss, checkNll, true) {}
