/** The negative log-likelihood as a loss. */

import type { ClassLossOptions } from '../ops/class_loss.js'
import { checkNll } from '../ops/nll_loss.js'
import { ops, type Tensor } from '../tensor/index.js'
import { ConfiguredLoss } from './loss.js'

/**
 * Negative log-likelihood of labels: log-probabilities [rows, classes], such as LogSoftmax gives, labels [rows].
 *
 * ```ts
 * const loss = new nn.NLLLoss({ weight: tensor([1, 2, 1]) })
 * loss.forward(logits.logSoftmax(1), labels).backward()
 * ```
 * Throws ERR_LABEL_RANGE with the row and the value of a label that is no class. Source: torch.nn.NLLLoss.
 */
export class NLLLoss extends ConfiguredLoss<ClassLossOptions> {
  override readonly classifies = true

  constructor(options: ClassLossOptions = {}) {
    super(options, checkNll)
  }

  override forward(logProbabilities: Tensor, labels: Tensor): Tensor {
    return ops.nllLoss(logProbabilities, labels, this.options)
  }
}
