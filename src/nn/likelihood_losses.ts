/** Losses of distributions, counts and sets of labels against targets of the same shape. */

import { checkKlDiv, type KlDivOptions } from '../tensor/composed/kl_div_loss.js'
import {
  checkMultilabelSoftMargin,
  type MultilabelSoftMarginOptions,
} from '../tensor/composed/multilabel_soft_margin_loss.js'
import { checkPoissonNll, type PoissonNllOptions } from '../tensor/composed/poisson_nll_loss.js'
import { ops } from '../tensor/index.js'
import { lossOf } from './op_layer.js'

/**
 * `t·(log t - x)` of log-probabilities x and probabilities t; with `logTarget`, `e^t·(t - x)`. `mean` is that of all elements,
 * `batchmean` the divergence's: the sum by the number of rows.
 *
 * ```ts
 * new nn.KLDivLoss({ reduction: 'batchmean' }).forward(logits.logSoftmax(1), target)
 * ```
 * Throws ERR_SHAPE unless both have one shape. Source: torch.nn.KLDivLoss.
 */
export class KLDivLoss extends lossOf<KlDivOptions>(ops.klDivLoss, checkKlDiv) {}

/**
 * The negative log-likelihood of counts t: `e^x - t·x` of log-rates x, or with `logInput: false`, `x - t·log(x + eps)` of rates.
 *
 * ```ts
 * new nn.PoissonNLLLoss({ full: true }).forward(tensor([0.5, 1.25]), tensor([1, 4])) // log-rates, counts
 * ```
 * Throws ERR_SHAPE unless both have one shape. Source: torch.nn.PoissonNLLLoss.
 */
export class PoissonNLLLoss extends lossOf<PoissonNllOptions>(ops.poissonNllLoss, checkPoissonNll) {}

/**
 * For each row, the mean over its labels of `-w·(t·log σ(x) + (1 - t)·log(1 - σ(x)))`, with t float32 of the logits' shape.
 *
 * ```ts
 * new nn.MultiLabelSoftMarginLoss({ weight: tensor([1, 2, 1]) }).forward(logits, target)
 * ```
 * Throws ERR_SHAPE unless both have one shape. Source: torch.nn.MultiLabelSoftMarginLoss.
 */
export class MultiLabelSoftMarginLoss extends lossOf<MultilabelSoftMarginOptions>(
  ops.multilabelSoftMarginLoss,
  checkMultilabelSoftMargin,
) {
  override get predicts() {
    return 'logits' as const
  }
}
