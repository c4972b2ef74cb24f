/** Losses of three tensors: vectors or scores that are compared, means with their variances. */

import { checkGaussianNll, type GaussianNllOptions } from '../tensor/composed/gaussian_nll_loss.js'
import { checkMargin, type MarginOptions } from '../tensor/composed/margin_ranking_loss.js'
import { checkTripletMargin, type TripletMarginOptions } from '../tensor/composed/triplet_margin_loss.js'
import { ops } from '../tensor/index.js'
import { lossOfThree } from './op_layer.js'

/**
 * `max(0, -t·(a - b) + margin)` of scores a and b, with t 1 where a should be the larger and -1 where b.
 *
 * ```ts
 * const [first, second] = [random.randn([2]), random.randn([2])]
 * new nn.MarginRankingLoss({ margin: 0.5 }).forward(first, second, tensor([1, -1]))
 * ```
 * Throws ERR_SHAPE unless all have one shape. Source: torch.nn.MarginRankingLoss.
 */
export class MarginRankingLoss extends lossOfThree<MarginOptions>(ops.marginRankingLoss, options =>
  checkMargin('MarginRankingLoss', options),
) {}

/**
 * `1 - cos(a, b)` where t is 1, `max(0, cos(a, b) - margin)` where it is -1: vectors a and b [rows, width], t [rows].
 *
 * ```ts
 * const [users, items] = [random.randn([2, 8]), random.randn([2, 8])]
 * new nn.CosineEmbeddingLoss({ margin: 0.2 }).forward(users, items, tensor([1, -1]))
 * ```
 * Throws ERR_SHAPE where shapes differ. Source: torch.nn.CosineEmbeddingLoss.
 */
export class CosineEmbeddingLoss extends lossOfThree<MarginOptions>(ops.cosineEmbeddingLoss, options =>
  checkMargin('CosineEmbeddingLoss', options),
) {}

/**
 * `max(0, ‖anchor - positive‖ - ‖anchor - negative‖ + margin)` of vectors [rows, width].
 *
 * ```ts
 * const [anchor, positive, negative] = random.randn([3, 2, 8]).split(1).map(part => part.squeeze(0))
 * new nn.TripletMarginLoss({ margin: 0.5, swap: true }).forward(anchor, positive, negative)
 * ```
 * Throws ERR_SHAPE unless all have one shape. Source: Balntas et al. (2016); torch.nn.TripletMarginLoss.
 */
export class TripletMarginLoss extends lossOfThree<TripletMarginOptions>(ops.tripletMarginLoss, checkTripletMargin) {}

/**
 * `(log v + (x - t)²/v) / 2` of means x, targets t and variances v, which are at least `eps`.
 *
 * ```ts
 * const [mean, raw] = random.randn([4, 2]).chunk(2, 1)
 * new nn.GaussianNLLLoss({ full: true }).forward(mean, random.randn([4, 1]), raw.softplus())
 * ```
 * Throws ERR_SHAPE unless mean and target have one shape, and the variance the same or one for each row.
 * Source: Nix and Weigend (1994); torch.nn.GaussianNLLLoss.
 */
export class GaussianNLLLoss extends lossOfThree<GaussianNllOptions>(ops.gaussianNllLoss, checkGaussianNll) {}
