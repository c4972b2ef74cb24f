/** The square. */

import { emitBinary, emitScaled, parseUnary, sameShape } from './elementwise.js'
import { defineOp, sizeOf } from './spec.js'

/** Elementwise `x²`. Source: torch.square. */
export const square = defineOp({
  name: 'square',
  parse: parseUnary('square'),
  infer: sameShape('square'),
  forward: (e, { inputs: [x], shape }) => emitBinary(e, 'mul', x.buf, x.buf, sizeOf(shape)),
  backward(e, { inputs: [x], shape }, grad) {
    const n = sizeOf(shape)
    return [emitBinary(e, 'mul', grad.buf, emitScaled(e, 'mul_scalar', x.buf, n, 2), n)]
  },
  reference: {
    mul_scalar({ x, y, n, s }) {
      for (let i = 0; i < n; i++) y[i] = x[i] * s
    },
  },
  onnx: (graph, { inputs: [x] }) => graph.node('Mul', [x, x]),
  samples: () => [{ x: [[2, 3]] }, { x: [[17]] }, { x: [[]] }, { x: [[0]] }],
  badSamples: () => [{ x: [undefined], message: 'x to be a Tensor' }],
})
