/** a · b elementwise with broadcasting. */

import { binary, emitBinary } from './elementwise.js'

/** Elementwise product `a · b`, broadcast as in PyTorch. Numbers stand for scalars. Source: torch.mul. */
export const mul = binary(
  'mul',
  'mul',
  (e, grad, a, b, n, needs) => [
    needs[0] ? emitBinary(e, 'mul', grad, b, n) : null,
    needs[1] ? emitBinary(e, 'mul', grad, a, n) : null,
  ],
  (a, b) => a * b,
  'Mul',
)
