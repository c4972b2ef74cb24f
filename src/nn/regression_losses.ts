/** Losses of real-valued predictions against real-valued targets of the same shape. Not here: labels and probabilities. */

import { checkHuber, type HuberOptions } from '../ops/huber_loss.js'
import { checkL1 } from '../ops/l1_loss.js'
import { checkMse } from '../ops/mse_loss.js'
import type { LossOptions } from '../ops/reduced_loss.js'
import { checkSmoothL1, type SmoothL1Options } from '../ops/smooth_l1_loss.js'
import { ops } from '../tensor/index.js'
import { lossOf } from './op_layer.js'

/**
 * Squared error `(x - target)²`.
 *
 * ```ts
 * new nn.MSELoss().forward(prediction, target).backward()
 * ```
 * Throws ERR_SHAPE unless prediction and target have one shape: PyTorch broadcasts them, with a warning.
 * Source: torch.nn.MSELoss.
 */
export class MSELoss extends lossOf<LossOptions>(ops.mseLoss, checkMse) {}

/**
 * Absolute error `|x - target|`.
 *
 * ```ts
 * new nn.L1Loss({ reduction: 'sum' })
 * ```
 * Errors as `MSELoss`. Source: torch.nn.L1Loss.
 */
export class L1Loss extends lossOf<LossOptions>(ops.l1Loss, checkL1) {}

/**
 * With d = x - target: `d²/(2 beta)` where |d| < beta, else `|d| - beta/2`; beta 0 is `L1Loss`.
 *
 * ```ts
 * new nn.SmoothL1Loss({ beta: 0.3 })
 * ```
 * Errors as `MSELoss`. Source: torch.nn.SmoothL1Loss.
 */
export class SmoothL1Loss extends lossOf<SmoothL1Options>(ops.smoothL1Loss, checkSmoothL1) {}

/**
 * With d = x - target: `d²/2` where |d| < delta, else `delta·(|d| - delta/2)`.
 *
 * ```ts
 * new nn.HuberLoss({ delta: 0.4 })
 * ```
 * Errors as `MSELoss`. Source: torch.nn.HuberLoss.
 */
export class HuberLoss extends lossOf<HuberOptions>(ops.huberLoss, checkHuber) {}
