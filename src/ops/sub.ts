/** a - b with broadcasting. */

import { binary, emitUnary } from './elementwise.js'

/** Elementwise difference `a - b`, broadcast as in PyTorch. Numbers stand for scalars. Source: torch.sub. */
export const sub = binary(
  'sub',
  'sub',
  (e, grad, _a, _b, n, needs) => [needs[0] ? grad : null, needs[1] ? emitUnary(e, 'neg', grad, n) : null],
  (a, b) => a - b,
  'Sub',
)
