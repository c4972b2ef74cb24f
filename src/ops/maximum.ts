/** The larger of two. */

import type { Buf, Emitter, Twins } from '../emitters/emitter.js'
import { binary } from './elementwise.js'

/** What of a gradient goes to the operand called larger: half of it where both are equal. */
export function emitLargerBackward(e: Emitter, dy: Buf, larger: Buf, smaller: Buf, n: number): Buf {
  const dx = e.alloc('float32', n)
  e.kernels.larger_of_two_bwd({ dy, larger, smaller, dx, n })
  return dx
}

const larger = binary(
  'maximum',
  'larger_of_two',
  (e, grad, a, b, n, needs) => [
    needs[0] ? emitLargerBackward(e, grad, a, b, n) : null,
    needs[1] ? emitLargerBackward(e, grad, b, a, n) : null,
  ],
  (a, b) => Math.max(a, b),
  'Max',
)

/**
 * Elementwise larger of `a` and `b`, broadcast as in PyTorch; NaN where either is. Numbers stand for scalars. Where they are equal,
 * each gets half of the gradient. Source: torch.maximum.
 */
export const maximum = {
  ...larger,
  reference: {
    ...larger.reference,
    larger_of_two_bwd({ dy, larger: a, smaller: b, dx, n }) {
      for (let i = 0; i < n; i++) dx[i] = a[i] < b[i] ? 0 : a[i] === b[i] ? dy[i] / 2 : dy[i]
    },
  } satisfies Twins,
}
