/** One place along a dimension, which goes. */

import { checkInt } from '../base/check.js'
import { AnnealError, describe, phrase } from '../base/errors.js'
import { emitNarrow } from './narrow.js'
import { emitPutBack, type Places } from './places.js'
import { checkOperand, defineOp, normalizeDim, type Operand, sizeAlong } from './spec.js'

function checkPlace(x: Operand, dim: unknown, index: unknown): Places {
  const at = normalizeDim('select', dim, x.shape.length)
  const size = sizeAlong('select', x, at)
  const place = checkInt('select', 'index', index)
  if (place < -size || place >= size)
    throw new AnnealError('ERR_SHAPE', phrase('select', `index to be in [${-size}, ${size - 1}]`, describe(place)))
  return { dim: at, start: place < 0 ? place + size : place, count: 1, step: 1 }
}

/**
 * `x` at one place along `dim`, without that dimension; negative numbers count from the end. Shares memory where it can,
 * as a row does. Source: torch.select.
 */
export const select = defineOp({
  name: 'select',
  parse: (x: Operand, dim: number, index: number) => ({
    operands: [x],
    attrs: checkPlace(checkOperand('select', 'x', x), dim, index),
  }),
  infer: ([x], { dim }) => ({ shape: x.shape.filter((_, i) => i !== dim), dtype: x.dtype }),
  forward: (e, { inputs: [x], attrs }) => emitNarrow(e, x, attrs),
  backward: (e, { inputs: [x], attrs }, grad) => [emitPutBack(e, grad.buf, x.shape, attrs)],
  onnx: (graph, { inputs: [x], attrs: { dim, start } }) =>
    graph.node('Gather', [x, graph.constant('int64', [start], [])], { ints: { axis: dim } }),
  samples: () => [
    { x: [[3, 4]], args: [1, 2] },
    { x: [[3, 4]], args: [0, -1] },
    { x: [[2, 3, 2]], args: [-2, 1] },
    { x: [[0, 3]], args: [1, 0] },
    { x: [{ labels: [4, 2, 7] }], args: [0, 1] },
  ],
  badSamples: () => [
    { x: [[2, 3]], args: [2, 0], message: 'dim to be in [-2, 1]' },
    { x: [[2, 3]], args: [1, 3], message: 'index to be in [-3, 2] but received 3' },
    { x: [[0, 3]], args: [0, 0], message: 'index to be in' },
    { x: [[2, 3]], args: [1, 0.5], message: 'index to be an integer' },
    { x: [[]], args: [0, 0], message: 'at least 1 dimension' },
  ],
})
