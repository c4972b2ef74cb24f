/** Which of two should be the larger. */

import { checkNumber, checkOptions } from '../../base/check.js'
import { checkReduction, type LossOptions } from '../../ops/reduced_loss.js'
import type { Tensor } from '../tensor.js'
import { compose } from './composed.js'
import { checkAlike, reduced } from './reduced.js'

const where = 'marginRankingLoss'

/** Options of `marginRankingLoss` and `cosineEmbeddingLoss`. */
export interface MarginOptions extends LossOptions {
  /** By how much they should differ. Default 0. */
  margin?: number
}

/** The options, complete; throws TypeError or RangeError. */
export function checkMargin(caller: string, options: MarginOptions): Required<MarginOptions> {
  const { margin = 0, reduction } = checkOptions(caller, options, ['margin', 'reduction'])
  return { margin: checkNumber(caller, 'margin', margin), reduction: checkReduction(caller, reduction) }
}

/**
 * `max(0, -t·(a - b) + margin)`: t is 1 where a should be the larger and -1 where b, all of one shape;
 * `{ reduction = 'mean', margin = 0 }`. Source: torch.nn.functional.margin_ranking_loss.
 */
export const marginRankingLoss = compose({
  name: where,
  call(a: Tensor, b: Tensor, target: Tensor, options: MarginOptions = {}): Tensor {
    const { margin, reduction } = checkMargin(where, options)
    checkAlike(where, { a, b, target })
    return reduced(where, b.sub(a).mul(target).add(margin).clamp(0), reduction)
  },
  samples: () => [
    { x: [[4], [4], [4]], args: [{ margin: 0.5 }] },
    {
      x: [
        [2, 3],
        [2, 3],
        [2, 3],
      ],
      args: [{ reduction: 'none' }],
    },
    { x: [[0], [0], [0]], args: [{ reduction: 'sum' }] },
  ],
  badSamples: () => [
    { x: [[2], [3], [2]], message: 'b to have shape [2] but received [3]' },
    { x: [[2], [2], [1]], message: 'target to have shape [2] but received [1]' },
    { x: [[2], [2], [2]], args: [{ margin: '1' }], message: 'margin to be a number' },
    { x: [[2], [2], [2]], args: [{ reduction: 'avg' }], message: "reduction to be 'none'" },
  ],
})
