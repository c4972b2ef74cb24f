/** -x. */

import { emitUnary, parseUnary, sameShape } from './elementwise.js'
import { sameNode } from './onnx.js'
import { defineOp, sizeOf } from './spec.js'

/** Elementwise `-x`. Source: torch.neg. */
export const neg = defineOp({
  name: 'neg',
  parse: parseUnary('neg'),
  infer: sameShape('neg'),
  forward: (e, { inputs: [x], shape }) => emitUnary(e, 'neg', x.buf, sizeOf(shape)),
  backward: (e, _app, grad) => [emitUnary(e, 'neg', grad.buf, sizeOf(grad.shape))],
  reference: {
    neg({ x, y, n }) {
      for (let i = 0; i < n; i++) y[i] = -x[i]
    },
  },
  onnx: sameNode('Neg'),
  samples: () => [{ x: [[2, 3]] }, { x: [[]] }],
  badSamples: () => [{ x: ['x'], message: 'x to be a Tensor' }],
})
