/** The same values under another shape. */

import { rangeError, shapeError, typeError } from '../base/errors.js'
import { checkOperand, defineOp, type Operand, shapeText, sizeOf } from './spec.js'

function checkShape(shape: unknown): readonly number[] {
  if (!Array.isArray(shape)) throw typeError('reshape', 'shape to be an array of integers', shape)
  for (const size of shape) {
    if (typeof size !== 'number') throw typeError('reshape', 'shape to be an array of integers', size)
    if (!Number.isSafeInteger(size) || size < -1)
      throw rangeError('reshape', 'sizes to be integers of at least -1', size)
  }
  if (shape.filter(size => size === -1).length > 1) throw rangeError('reshape', 'at most one size to be -1', shape)
  return shape
}

function resolve(from: readonly number[], to: readonly number[]): number[] {
  const size = sizeOf(from)
  const known = sizeOf(to.filter(s => s !== -1))
  const free = to.includes(-1)
  if (free ? known === 0 || size % known !== 0 : known !== size) {
    throw shapeError('reshape', `a shape of ${size} elements for x of shape ${shapeText(from)}`, shapeText(to))
  }
  return to.map(s => (s === -1 ? size / known : s))
}

/** `x` under another shape of as many elements; one size may be -1. Shares memory. Source: torch.reshape. */
export const reshape = defineOp({
  name: 'reshape',
  parse: (x: Operand, shape: readonly number[]) => ({
    operands: [checkOperand('reshape', 'x', x)],
    attrs: { shape: checkShape(shape) },
  }),
  infer: ([x], { shape }) => ({ shape: resolve(x.shape, shape), dtype: x.dtype }),
  forward: (_e, { inputs: [x] }) => x.buf,
  backward: (_e, _app, grad) => [grad.buf],
  onnx: (graph, { inputs: [x], shape }) => graph.node('Reshape', [x, graph.shape(shape)]),
  samples: () => [
    { x: [[2, 3]], args: [[3, 2]] },
    { x: [[2, 3]], args: [[-1]] },
    { x: [[1]], args: [[]] },
    { x: [[0, 2]], args: [[2, 0]] },
  ],
  badSamples: () => [
    { x: [[2, 3]], args: [[4]], message: 'a shape of 6 elements' },
    { x: [[2, 3]], args: [[-1, -1]], message: 'at most one' },
    { x: [[2, 3]], args: [[1.5]], message: 'integers' },
    { x: [[2, 3]], args: [6], message: 'an array of integers' },
  ],
})
