/** The natural logarithm. */

import { emitBinary, emitUnary, parseUnary, sameShape } from './elementwise.js'
import { sameNode } from './onnx.js'
import { defineOp, sizeOf } from './spec.js'

/** Elementwise natural logarithm; -Infinity at 0, NaN below. Source: torch.log. */
export const log = defineOp({
  name: 'log',
  parse: parseUnary('log'),
  infer: sameShape('log'),
  forward: (e, { inputs: [x], shape }) => emitUnary(e, 'log_fwd', x.buf, sizeOf(shape)),
  backward: (e, { inputs: [x] }, grad) => [emitBinary(e, 'div', grad.buf, x.buf, sizeOf(grad.shape))],
  reference: {
    log_fwd({ x, y, n }) {
      for (let i = 0; i < n; i++) y[i] = Math.log(x[i])
    },
  },
  onnx: sameNode('Log'),
  samples: () => [
    { x: [{ shape: [2, 3], from: 0.1, to: 2 }] },
    { x: [{ shape: [17], from: 0.1, to: 2 }] },
    { x: [[0]] },
  ],
  badSamples: () => [{ x: [undefined], message: 'x to be a Tensor' }],
})
