/** The likelihood of numbers whose variance is predicted, too. */

import { checkBoolean, checkNumber, checkOptions } from '../../base/check.js'
import { shapeError } from '../../base/errors.js'
import { checkReduction, type LossOptions } from '../../ops/reduced_loss.js'
import { shapeText } from '../../ops/spec.js'
import { noGrad } from '../tape.js'
import { checkTensor, type Tensor } from '../tensor.js'
import { compose } from './composed.js'
import { checkAlike, reduced } from './reduced.js'

const where = 'gaussianNllLoss'

/** Options of `gaussianNllLoss`. */
export interface GaussianNllOptions extends LossOptions {
  /** Whether the constant `log(2π)/2` is added. Default false. */
  full?: boolean
  /** The least variance; a smaller one counts as this, but has its gradient. Default 1e-6. */
  eps?: number
}

/** The options, complete; throws TypeError or RangeError. */
export function checkGaussianNll(options: GaussianNllOptions = {}): Required<GaussianNllOptions> {
  const { full = false, eps = 1e-6, reduction } = checkOptions(where, options, ['full', 'eps', 'reduction'])
  return {
    full: checkBoolean(where, 'full', full),
    eps: checkNumber(where, 'eps', eps, { above: 0 }),
    reduction: checkReduction(where, reduction),
  }
}

/** One variance for each of x, or one for all in the last dimension, which may then be left out. */
function wide(x: Tensor, variance: Tensor): Tensor {
  const { shape } = checkTensor(where, 'variance', variance)
  const [own, rows] = [shapeText(x.shape), x.shape.slice(0, -1)]
  if (shapeText(shape) === own || (x.shape.length > 0 && shapeText(shape) === shapeText([...rows, 1]))) return variance
  if (x.shape.length > 0 && shapeText(shape) === shapeText(rows)) return variance.unsqueeze(-1)
  throw shapeError(where, `variance to have shape ${own}, or ${shapeText([...rows, 1])}`, shapeText(shape))
}

/**
 * `(log v + (x - t)²/v) / 2` of means x, targets t and variances v = max(variance, eps); `{ reduction = 'mean', full, eps }`.
 * Source: Nix and Weigend (1994); torch.nn.functional.gaussian_nll_loss.
 */
export const gaussianNllLoss = compose({
  name: where,
  call(x: Tensor, target: Tensor, variance: Tensor, options: GaussianNllOptions = {}): Tensor {
    const { full, eps, reduction } = checkGaussianNll(options)
    checkAlike(where, { x, target })
    const given = wide(x, variance)
    const v = given.add(noGrad(() => given.clamp(eps).sub(given)))
    const each = v.log().add(x.sub(target).square().div(v)).mul(0.5)
    return reduced(where, full ? each.add(0.5 * Math.log(2 * Math.PI)) : each, reduction)
  },
  samples: () => [
    { x: [[2, 3], [2, 3], { shape: [2, 3], from: 0.5, to: 2 }] },
    { x: [[2, 3], [2, 3], { shape: [2, 1], from: 0.5, to: 2 }], args: [{ full: true, reduction: 'sum' }] },
    { x: [[2, 3], [2, 3], { shape: [2], from: 0.5, to: 2 }], args: [{ reduction: 'none' }] },
    { x: [[0], [0], [0]], args: [{ reduction: 'sum' }] },
  ],
  badSamples: () => [
    { x: [[2, 3], [3], [2, 3]], message: 'target to have shape [2, 3] but received [3]' },
    { x: [[2, 3], [2, 3], [3]], message: 'variance to have shape [2, 3], or [2, 1] but received [3]' },
    { x: [[2], [2], [2]], args: [{ eps: 0 }], message: 'eps to be' },
    { x: [[2], [2], [2]], args: [{ full: 1 }], message: 'full to be a boolean' },
  ],
})
