/** The smaller of two. */

import { binary } from './elementwise.js'
import { emitLargerBackward } from './maximum.js'

/**
 * Elementwise smaller of `a` and `b`, broadcast as in PyTorch; NaN where either is. Numbers stand for scalars. Where they are equal,
 * each gets half of the gradient. Source: torch.minimum.
 */
export const minimum = binary(
  'minimum',
  'smaller_of_two',
  (e, grad, a, b, n, needs) => [
    needs[0] ? emitLargerBackward(e, grad, b, a, n) : null,
    needs[1] ? emitLargerBackward(e, grad, a, b, n) : null,
  ],
  (a, b) => Math.min(a, b),
  'Min',
)
