/** Powers. */

import type { Buf, Emitter, Twins } from '../emitters/emitter.js'
import { binary, emitBinary, emitChoose, emitUnary } from './elementwise.js'

function constant(e: Emitter, value: number, n: number): Buf {
  const y = e.alloc('float32', n)
  e.kernels.fill({ y, n, value })
  return y
}

/** d(a^b)/da · grad = grad · (b · a^(b-1)), 0 for b = 0. */
function gradBase(e: Emitter, grad: Buf, a: Buf, b: Buf, n: number): Buf {
  const less = e.alloc('float32', n)
  e.kernels.add_scalar({ x: b, y: less, n, s: -1 })
  const slope = emitBinary(e, 'mul', b, emitBinary(e, 'pow', a, less, n), n)
  return emitChoose(e, b, emitBinary(e, 'mul', grad, slope, n), null, n)
}

/** d(a^b)/db · grad = grad · (a^b · log a), 0 for a = 0 with b >= 0. */
function gradExponent(e: Emitter, grad: Buf, a: Buf, b: Buf, n: number): Buf {
  const zero = constant(e, 0, n)
  const counts = emitBinary(
    e,
    'larger_of_two',
    emitBinary(e, 'unequal_to', a, zero, n),
    emitBinary(e, 'less_than', b, zero, n),
    n,
  )
  const slope = emitBinary(e, 'mul', emitBinary(e, 'pow', a, b, n), emitUnary(e, 'log_fwd', a, n), n)
  return emitBinary(e, 'mul', grad, emitChoose(e, counts, slope, null, n), n)
}

const power = binary(
  'pow',
  'pow',
  (e, grad, a, b, n, needs) => [
    needs[0] ? gradBase(e, grad, a, b, n) : null,
    needs[1] ? gradExponent(e, grad, a, b, n) : null,
  ],
  (a, b) => (a === 1 ? 1 : a ** b),
  'Pow',
  shape => ({ shape, from: 0.25, to: 2 }),
)

/**
 * Elementwise `a^b`, broadcast as in PyTorch; numbers stand for scalars. NaN for a negative base and an exponent that is no
 * integer, 1 for the exponent 0 and the base 1. Source: torch.pow.
 */
export const pow = {
  ...power,
  reference: {
    ...power.reference,
    add_scalar({ x, y, n, s }) {
      for (let i = 0; i < n; i++) y[i] = x[i] + s
    },
    fill({ y, n, value }) {
      y.fill(value, 0, n)
    },
  } satisfies Twins,
}
