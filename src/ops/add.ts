/** a + b with broadcasting. */

import { binary } from './elementwise.js'

/** Elementwise sum `a + b`, broadcast as in PyTorch. Numbers stand for scalars. Source: torch.add. */
export const add = binary(
  'add',
  'add',
  (_e, grad, _a, _b, _n, needs) => needs.map(need => (need ? grad : null)),
  (a, b) => a + b,
  'Add',
)
