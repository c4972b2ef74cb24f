/** The logarithm of a sum of exponentials. */

import type { Dims, ReductionOptions } from '../../ops/reduction.js'
import { noGrad } from '../tape.js'
import { checkTensor, type Tensor } from '../tensor.js'
import { compose } from './composed.js'

/** What is taken off, so that nothing overflows: the largest element, or 0 where that is infinite. */
function shiftOf(x: Tensor, dim: Dims): Tensor {
  return noGrad(() => {
    const top = x.amax(dim, { keepdim: true })
    return top.where(top.abs().lt(Infinity), 0)
  })
}

/** `log Σ e^x` over `dim` (a number or several), without overflow; `{ keepdim }`. Source: torch.logsumexp. */
export const logsumexp = compose({
  name: 'logsumexp',
  call(x: Tensor, dim: Dims, options: ReductionOptions = {}): Tensor {
    checkTensor('logsumexp', 'x', x)
    const shift = shiftOf(x, dim)
    const total = x.sub(shift).exp().sum(dim, options).log()
    return total.add(shift.reshape(total.shape))
  },
  samples: () => [
    { x: [[2, 3]], args: [1] },
    { x: [[2, 3]], args: [[0, 1]] },
    { x: [[2, 3, 2]], args: [-2, { keepdim: true }] },
    { x: [[0, 3]], args: [1] },
  ],
  badSamples: () => [
    { x: [[2, 3]], args: [2], message: 'dim to be in [-2, 1]' },
    { x: [[2, 0]], args: [1], message: 'at least one element' },
  ],
})
