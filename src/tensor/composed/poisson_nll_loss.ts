/** The likelihood of counts. */

import { checkBoolean, checkNumber, checkOptions } from '../../base/check.js'
import { checkReduction, type LossOptions } from '../../ops/reduced_loss.js'
import type { Tensor } from '../tensor.js'
import { compose } from './composed.js'
import { checkAlike, reduced } from './reduced.js'

const where = 'poissonNllLoss'

/** Options of `poissonNllLoss`. */
export interface PoissonNllOptions extends LossOptions {
  /** Whether predictions are logarithms of rates, else the rates. Default true. */
  logInput?: boolean
  /** Whether Stirling's formula for log t! is added. Default false. */
  full?: boolean
  /** Added to a rate before its logarithm. Default 1e-8. */
  eps?: number
}

/** The options, complete; throws TypeError or RangeError. */
export function checkPoissonNll(options: PoissonNllOptions = {}): Required<PoissonNllOptions> {
  const known = ['logInput', 'full', 'eps', 'reduction']
  const { logInput = true, full = false, eps = 1e-8, reduction } = checkOptions(where, options, known)
  return {
    logInput: checkBoolean(where, 'logInput', logInput),
    full: checkBoolean(where, 'full', full),
    eps: checkNumber(where, 'eps', eps, { min: 0 }),
    reduction: checkReduction(where, reduction),
  }
}

/** `t·log t - t + log(2π·t)/2`, 0 for t <= 1. */
function stirling(t: Tensor): Tensor {
  const large = t.gt(1)
  const safe = t.where(large, 1)
  const approximation = safe
    .mul(safe.log())
    .sub(safe)
    .add(
      safe
        .mul(2 * Math.PI)
        .log()
        .mul(0.5),
    )
  return approximation.where(large, 0)
}

/**
 * `e^x - t·x` of log-rates x and counts t, of one shape; with `logInput: false`, `x - t·log(x + eps)` of rates;
 * `{ reduction = 'mean', full, eps }`. Source: torch.nn.functional.poisson_nll_loss.
 */
export const poissonNllLoss = compose({
  name: where,
  call(x: Tensor, target: Tensor, options: PoissonNllOptions = {}): Tensor {
    const { logInput, full, eps, reduction } = checkPoissonNll(options)
    checkAlike(where, { x, target })
    const each = logInput ? x.exp().sub(target.mul(x)) : x.sub(target.mul(x.add(eps).log()))
    return reduced(where, full ? each.add(stirling(target)) : each, reduction)
  },
  samples: () => [
    { x: [[2, 3], { shape: [2, 3], from: 0, to: 0.9 }], args: [{ full: true }] },
    { x: [[2, 3], { shape: [2, 3], from: 1.1, to: 4 }], args: [{ full: true, reduction: 'none' }] },
    { x: [{ shape: [2, 3], from: 0.2, to: 2 }, [2, 3]], args: [{ logInput: false, reduction: 'sum' }] },
    { x: [[0], [0]], args: [{ reduction: 'sum' }] },
  ],
  badSamples: () => [
    { x: [[2, 3], [3]], message: 'target to have shape [2, 3] but received [3]' },
    { x: [[2], [2]], args: [{ reduction: 'batchmean' }], message: "reduction to be 'none'" },
    { x: [[2], [2]], args: [{ eps: '1' }], message: 'eps to be a number' },
  ],
})
