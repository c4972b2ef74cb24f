/** max(x, 0). */

import type { Floats } from '../backends/emitter.js'
import { emitBinary, emitUnary, parseUnary, sameShape } from './elementwise.js'
import { defineOp, sizeOf } from './spec.js'

/** Rectifier `max(x, 0)`; NaN stays NaN, the gradient at 0 is 0. Source: torch.nn.functional.relu. */
export const relu = defineOp({
  name: 'relu',
  parse: parseUnary('relu'),
  infer: sameShape('relu'),
  forward: (e, { inputs: [x], shape }) => emitUnary(e, 'relu_fwd', x.buf, sizeOf(shape)),
  backward: (e, { out }, grad) => [emitBinary(e, 'relu_bwd', grad.buf, out, sizeOf(grad.shape))],
  reference: {
    relu_fwd(x: Floats, y: Floats, n: number) {
      for (let i = 0; i < n; i++) y[i] = x[i] < 0 ? 0 : x[i]
    },
    relu_bwd(dy: Floats, y: Floats, dx: Floats, n: number) {
      for (let i = 0; i < n; i++) dx[i] = y[i] <= 0 ? 0 : dy[i]
    },
  },
  samples: () => [{ x: [[2, 3]] }, { x: [[17]] }, { x: [[0]] }],
  badSamples: () => [{ x: [undefined], message: 'x to be a Tensor' }],
})
