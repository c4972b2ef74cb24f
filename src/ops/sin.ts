/** The sine. */

import { emitBinary, emitUnary, parseUnary, sameShape } from './elementwise.js'
import { sameNode } from './onnx.js'
import { defineOp, sizeOf } from './spec.js'

/** Elementwise sine of an angle in radians, of any size; NaN at the infinities. Source: torch.sin. */
export const sin = defineOp({
  name: 'sin',
  parse: parseUnary('sin'),
  infer: sameShape('sin'),
  forward: (e, { inputs: [x], shape }) => emitUnary(e, 'sin_fwd', x.buf, sizeOf(shape)),
  backward(e, { inputs: [x], shape }, grad) {
    const n = sizeOf(shape)
    return [emitBinary(e, 'mul', grad.buf, emitUnary(e, 'cos_fwd', x.buf, n), n)]
  },
  reference: {
    sin_fwd({ x, y, n }) {
      for (let i = 0; i < n; i++) y[i] = Math.sin(x[i])
    },
  },
  onnx: sameNode('Sin'),
  samples: () => [{ x: [[2, 3]] }, { x: [[17]] }, { x: [[]] }, { x: [[0]] }],
  badSamples: () => [{ x: [undefined], message: 'x to be a Tensor' }],
})
