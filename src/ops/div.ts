/** a / b with broadcasting. */

import type { Buf, Emitter } from '../emitters/emitter.js'
import { binary, emitBinary, emitUnary } from './elementwise.js'

/** d(a/b)/db · grad = -grad · ((a/b) / b). */
function gradDivisor(e: Emitter, grad: Buf, a: Buf, b: Buf, n: number): Buf {
  const ratio = emitBinary(e, 'div', emitBinary(e, 'div', a, b, n), b, n)
  return emitUnary(e, 'neg', emitBinary(e, 'mul', grad, ratio, n), n)
}

/** Elementwise quotient `a / b`, broadcast as in PyTorch. Numbers stand for scalars. Source: torch.div. */
export const div = binary(
  'div',
  'div',
  (e, grad, a, b, n, needs) => [
    needs[0] ? emitBinary(e, 'div', grad, b, n) : null,
    needs[1] ? gradDivisor(e, grad, a, b, n) : null,
  ],
  (a, b) => a / b,
  'Div',
)
