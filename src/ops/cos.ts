/** The cosine. */

import { emitBinary, emitUnary, parseUnary, sameShape } from './elementwise.js'
import { sameNode } from './onnx.js'
import { defineOp, sizeOf } from './spec.js'

/** Elementwise cosine of an angle in radians, of any size; NaN at the infinities. Source: torch.cos. */
export const cos = defineOp({
  name: 'cos',
  parse: parseUnary('cos'),
  infer: sameShape('cos'),
  forward: (e, { inputs: [x], shape }) => emitUnary(e, 'cos_fwd', x.buf, sizeOf(shape)),
  backward(e, { inputs: [x], shape }, grad) {
    const n = sizeOf(shape)
    return [emitBinary(e, 'mul', grad.buf, emitUnary(e, 'neg', emitUnary(e, 'sin_fwd', x.buf, n), n), n)]
  },
  reference: {
    cos_fwd({ x, y, n }) {
      for (let i = 0; i < n; i++) y[i] = Math.cos(x[i])
    },
  },
  onnx: sameNode('Cos'),
  samples: () => [{ x: [[2, 3]] }, { x: [[17]] }, { x: [[]] }, { x: [[0]] }],
  badSamples: () => [{ x: [undefined], message: 'x to be a Tensor' }],
})
