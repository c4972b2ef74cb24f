/** The outer product. */

import { shapeError } from '../../base/errors.js'
import { shapeText } from '../../ops/spec.js'
import { checkTensor, type Tensor } from '../tensor.js'
import { compose } from './composed.js'

/** `y[i][j] = a[i] · b[j]`: [m] and [n] to [m, n]. Source: torch.outer. */
export const outer = compose({
  name: 'outer',
  call(a: Tensor, b: Tensor): Tensor {
    for (const [name, x] of Object.entries({ a, b })) {
      if (checkTensor('outer', name, x).shape.length !== 1)
        throw shapeError('outer', `${name} to have 1 dimension`, shapeText(x.shape))
    }
    return a.unsqueeze(1).mul(b)
  },
  samples: () => [{ x: [[2], [3]] }, { x: [[1], [4]] }, { x: [[0], [2]] }],
  badSamples: () => [
    { x: [[2, 2], [2]], message: 'a to have 1 dimension but received [2, 2]' },
    { x: [[2], []], message: 'b to have 1 dimension' },
  ],
})
