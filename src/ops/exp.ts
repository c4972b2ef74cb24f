/** The exponential. */

import { emitBinary, emitUnary, parseUnary, sameShape } from './elementwise.js'
import { sameNode } from './onnx.js'
import { defineOp, sizeOf } from './spec.js'

/** Elementwise `e^x`. Source: torch.exp. */
export const exp = defineOp({
  name: 'exp',
  parse: parseUnary('exp'),
  infer: sameShape('exp'),
  forward: (e, { inputs: [x], shape }) => emitUnary(e, 'exp_fwd', x.buf, sizeOf(shape)),
  backward: (e, { out }, grad) => [emitBinary(e, 'mul', grad.buf, out, sizeOf(grad.shape))],
  reference: {
    exp_fwd({ x, y, n }) {
      for (let i = 0; i < n; i++) y[i] = Math.exp(x[i])
    },
  },
  onnx: sameNode('Exp'),
  samples: () => [{ x: [[2, 3]] }, { x: [[17]] }, { x: [[0]] }],
  badSamples: () => [{ x: [undefined], message: 'x to be a Tensor' }],
})
