/** How far a distribution is from a target's. */

import { checkBoolean, checkOneOf, checkOptions } from '../../base/check.js'
import type { Tensor } from '../tensor.js'
import { choose, compose } from './composed.js'
import { checkAlike, reduced } from './reduced.js'

const where = 'klDivLoss'
const reductions = ['none', 'mean', 'sum', 'batchmean'] as const

/** Options of `klDivLoss`. */
export interface KlDivOptions {
  /** `batchmean` is the sum by the number of rows, which is the divergence's mean; `mean` is that of all elements. Default mean. */
  reduction?: (typeof reductions)[number]
  /** Whether the target is log-probabilities, too. Default false. */
  logTarget?: boolean
}

/** The options, complete; throws TypeError or RangeError. */
export function checkKlDiv(options: KlDivOptions = {}): Required<KlDivOptions> {
  const { reduction = 'mean', logTarget = false } = checkOptions(where, options, ['reduction', 'logTarget'])
  return {
    reduction: checkOneOf(where, 'reduction', reduction, reductions),
    logTarget: checkBoolean(where, 'logTarget', logTarget),
  }
}

/** t·(log t - x), which is 0 where t is. */
function pointwise(x: Tensor, target: Tensor): Tensor {
  const zero = target.eq(0)
  return target.mul(choose(zero, 1, target).log()).sub(target.mul(x))
}

/**
 * `t·(log t - x)` of log-probabilities x and probabilities t, of one shape; `{ reduction = 'mean', logTarget }`.
 * Source: torch.nn.functional.kl_div.
 */
export const klDivLoss = compose({
  name: where,
  call(x: Tensor, target: Tensor, options: KlDivOptions = {}): Tensor {
    const { reduction, logTarget } = checkKlDiv(options)
    checkAlike(where, { x, target })
    const each = logTarget ? target.exp().mul(target.sub(x)) : pointwise(x, target)
    return reduction === 'batchmean' ? each.sum().div(x.shape[0] ?? 1) : reduced(where, each, reduction)
  },
  samples: () => [
    ...reductions.map(reduction => ({ x: [[2, 3], { shape: [2, 3], from: 0.1, to: 1 }], args: [{ reduction }] })),
    {
      x: [
        [2, 3],
        [2, 3],
      ],
      args: [{ logTarget: true }],
    },
    {
      x: [
        [0, 3],
        [0, 3],
      ],
      args: [{ reduction: 'sum', logTarget: true }],
    },
  ],
  badSamples: () => [
    { x: [[2, 3], [3]], message: 'target to have shape [2, 3] but received [3]' },
    { x: [[2], [2]], args: [{ reduction: 'avg' }], message: "reduction to be 'none'" },
    { x: [[2], [2]], args: [{ log_target: true }], message: 'among reduction, logTarget' },
  ],
})
