/** Products of the matrices of two batches. */

import { shapeError } from '../../base/errors.js'
import { shapeText } from '../../ops/spec.js'
import { checkTensor, type Tensor } from '../tensor.js'
import { compose } from './composed.js'

/** `matmul` without broadcasting: [b, m, k] and [b, k, n] to [b, m, n]. Source: torch.bmm. */
export const bmm = compose({
  name: 'bmm',
  call(a: Tensor, b: Tensor): Tensor {
    for (const [name, x] of Object.entries({ a, b })) {
      if (checkTensor('bmm', name, x).shape.length !== 3)
        throw shapeError('bmm', `${name} to have 3 dimensions`, shapeText(x.shape))
    }
    if (a.shape[0] !== b.shape[0]) throw shapeError('bmm', `b to have ${a.shape[0]} matrices`, String(b.shape[0]))
    return a.matmul(b)
  },
  samples: () => [
    {
      x: [
        [2, 2, 3],
        [2, 3, 2],
      ],
    },
    {
      x: [
        [1, 2, 3],
        [1, 3, 1],
      ],
    },
    {
      x: [
        [0, 2, 3],
        [0, 3, 2],
      ],
    },
  ],
  badSamples: () => [
    {
      x: [
        [2, 2, 3],
        [3, 3, 2],
      ],
      message: 'b to have 2 matrices but received 3',
    },
    {
      x: [
        [2, 3],
        [3, 2],
      ],
      message: 'a to have 3 dimensions but received [2, 3]',
    },
    {
      x: [
        [2, 2, 3],
        [2, 2, 2],
      ],
      message: 'b to have 3 rows',
    },
  ],
})
