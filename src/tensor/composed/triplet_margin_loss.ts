/** Vectors that should be nearer to one than to another. */

import { checkBoolean, checkNumber, checkOptions } from '../../base/check.js'
import { rangeError } from '../../base/errors.js'
import { checkReduction, type LossOptions } from '../../ops/reduced_loss.js'
import type { Tensor } from '../tensor.js'
import { compose } from './composed.js'
import { checkAlike, reduced } from './reduced.js'

const where = 'tripletMarginLoss'

/** Options of `tripletMarginLoss`. */
export interface TripletMarginOptions extends LossOptions {
  /** By how much the distances should differ. Default 1. */
  margin?: number
  /** The norm of a difference: 1, 2 or Infinity. Default 2. */
  p?: number
  /** Added to each difference. Default 1e-6. */
  eps?: number
  /** Whether the positive's distance to the negative counts where it is the smaller. Default false. */
  swap?: boolean
}

/** The options, complete; throws TypeError or RangeError. */
export function checkTripletMargin(options: TripletMarginOptions = {}): Required<TripletMarginOptions> {
  const known = ['margin', 'p', 'eps', 'swap', 'reduction']
  const { margin = 1, p = 2, eps = 1e-6, swap = false, reduction } = checkOptions(where, options, known)
  if (p !== 1 && p !== 2 && p !== Infinity) throw rangeError(where, 'p to be 1, 2 or Infinity', p)
  return {
    margin: checkNumber(where, 'margin', margin, { above: 0 }),
    p,
    eps: checkNumber(where, 'eps', eps),
    swap: checkBoolean(where, 'swap', swap),
    reduction: checkReduction(where, reduction),
  }
}

/**
 * `max(0, ‖anchor - positive‖ - ‖anchor - negative‖ + margin)`, all of one shape [rows, width];
 * `{ reduction = 'mean', margin = 1, p = 2, eps, swap }`. Source: Balntas et al. (2016);
 * torch.nn.functional.triplet_margin_loss.
 */
export const tripletMarginLoss = compose({
  name: where,
  call(anchor: Tensor, positive: Tensor, negative: Tensor, options: TripletMarginOptions = {}): Tensor {
    const { margin, p, eps, swap, reduction } = checkTripletMargin(options)
    checkAlike(where, { anchor, positive, negative })
    const distance = (a: Tensor, b: Tensor) => a.sub(b).add(eps).norm(p, -1)
    const apart = distance(anchor, negative)
    const far = swap ? apart.minimum(distance(positive, negative)) : apart
    return reduced(where, distance(anchor, positive).sub(far).add(margin).clamp(0), reduction)
  },
  samples: () => [
    {
      x: [
        [2, 3],
        [2, 3],
        [2, 3],
      ],
      args: [{ margin: 4 }],
    },
    {
      x: [
        [2, 3],
        [2, 3],
        [2, 3],
      ],
      args: [{ p: 1, swap: true, margin: 9, reduction: 'none' }],
    },
    {
      x: [
        [2, 3],
        [2, 3],
        [2, 3],
      ],
      args: [{ p: Infinity, reduction: 'sum' }],
    },
    {
      x: [
        [0, 3],
        [0, 3],
        [0, 3],
      ],
      args: [{ reduction: 'sum' }],
    },
  ],
  badSamples: () => [
    { x: [[2, 3], [2, 3], [3]], message: 'negative to have shape [2, 3] but received [3]' },
    {
      x: [
        [2, 3],
        [2, 3],
        [2, 3],
      ],
      args: [{ p: 3 }],
      message: 'p to be 1, 2 or Infinity',
    },
    {
      x: [
        [2, 3],
        [2, 3],
        [2, 3],
      ],
      args: [{ margin: 0 }],
      message: 'margin to be',
    },
    {
      x: [
        [2, 3],
        [2, 3],
        [2, 3],
      ],
      args: [{ swap: 1 }],
      message: 'swap to be a boolean',
    },
  ],
})
