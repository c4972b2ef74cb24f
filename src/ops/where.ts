/** One of two, by a condition. */

import type { Buf, Emitter } from '../emitters/emitter.js'
import { broadcastShape, expand, reduceTo } from './broadcast.js'
import { asFloats, emitChoose, operandOrNumber, type Scalar } from './elementwise.js'
import { isNotZero } from './onnx.js'
import { type Application, checkDtype, checkOperand, defineOp, type Operand, sizeOf, type Value } from './spec.js'

function widened(e: Emitter, { inputs: [condition, a, b], shape }: Application<void>): Buf[] {
  const bufs = [asFloats(e, condition), a.buf, b.buf]
  return [condition, a, b].map((input, i) => expand(e, bufs[i], input.shape, shape))
}

/**
 * `a` where `condition` is not 0, else `b`, all three broadcast; the condition is float32, as comparisons are, or int32.
 * Numbers stand for scalars; as a method, `a.where(condition, b)`. No gradient reaches what was not chosen, nor the
 * condition. Source: torch.where.
 */
export const where = defineOp({
  name: 'where',
  isMethod: false,
  parse: (condition: Operand, a: Scalar, b: Scalar) => ({
    operands: [
      checkOperand('where', 'condition', condition),
      operandOrNumber('where', 'a', a),
      operandOrNumber('where', 'b', b),
    ],
    attrs: undefined,
  }),
  infer([condition, a, b]) {
    checkDtype('where', 'a', a, 'float32')
    checkDtype('where', 'b', b, 'float32')
    const shape = broadcastShape('where', broadcastShape('where', condition.shape, a.shape), b.shape)
    return { shape, dtype: 'float32' }
  },
  forward(e, app) {
    const [condition, a, b] = widened(e, app)
    app.saved = [condition]
    return emitChoose(e, condition, a, b, sizeOf(app.shape))
  },
  backward(e, { inputs: [, a, b], saved: [condition], needs }, { buf, shape }) {
    const n = sizeOf(shape)
    const to = (chosen: Buf, { shape: narrow }: Value) => reduceTo(e, chosen, shape, narrow)
    return [
      null,
      needs[1] ? to(emitChoose(e, condition, buf, null, n), a) : null,
      needs[2] ? to(emitChoose(e, condition, null, buf, n), b) : null,
    ]
  },
  reference: {
    choose({ condition, a, b, y, n }) {
      for (let i = 0; i < n; i++) y[i] = (condition[i] !== 0 ? a : b)?.[i] ?? 0
    },
    float_of_ints({ x, y, n }) {
      for (let i = 0; i < n; i++) y[i] = x[i]
    },
  },
  onnx: (graph, { inputs: [condition, a, b] }) => graph.node('Where', [isNotZero(graph, condition), a, b]),
  samples: () => [
    { x: [{ labels: [1, 0, -2] }, [2, 3], [3]] },
    { x: [{ labels: [1, 0], shape: [2, 1] }, [2, 3], []] },
    { x: [{ labels: [0, 1] }, 3, [2]] },
    { x: [[3], [3], [3]] },
    { x: [{ labels: [], shape: [0, 1] }, [1, 3], [3]] },
  ],
  badSamples: () => [
    { x: [[2, 3], [2], [3]], message: 'broadcast' },
    { x: [1, [2], [2]], message: 'condition to be a Tensor' },
    { x: [[2], [2], null], message: 'b to be a Tensor' },
    { x: [[2], { labels: [1, 2] }, [2]], message: 'a to be float32' },
  ],
})
