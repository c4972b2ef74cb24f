/** Some neighbours along a dimension. */

import { checkInt } from '../base/check.js'
import { AnnealError, phrase } from '../base/errors.js'
import type { Buf, Emitter } from '../emitters/emitter.js'
import { sliceOf } from './onnx.js'
import { areNeighbours, emitPutBack, emitTake, type Places } from './places.js'
import { around } from './rows.js'
import { checkOperand, defineOp, normalizeDim, type Operand, sizeAlong, type Value } from './spec.js'

/** Neighbours in the memory of `x` where they lie behind each other, else copied. */
export function emitNarrow(e: Emitter, x: Value, places: Places): Buf {
  if (!areNeighbours(x.shape, places)) return emitTake(e, x.buf, x.dtype, x.shape, places)
  const { inner } = around(x.shape, places.dim)
  return e.slice(x.buf, places.start * inner, places.count * inner)
}

function checkPlaces(x: Operand, dim: unknown, start: unknown, length: unknown): Places {
  const at = normalizeDim('narrow', dim, x.shape.length)
  const size = sizeAlong('narrow', x, at)
  const count = checkInt('narrow', 'length', length, { min: 0 })
  const first = checkInt('narrow', 'start', start, { min: -size, max: size })
  const from = first < 0 ? first + size : first
  if (from + count > size)
    throw new AnnealError('ERR_SHAPE', phrase('narrow', `start + length to be at most ${size}`, from + count))
  return { dim: at, start: from, count, step: 1 }
}

/**
 * `length` places of `x` along `dim` from `start` on; a negative start counts from the end. Shares memory where they lie
 * behind each other, as rows do. Source: torch.narrow.
 */
export const narrow = defineOp({
  name: 'narrow',
  parse: (x: Operand, dim: number, start: number, length: number) => ({
    operands: [x],
    attrs: checkPlaces(checkOperand('narrow', 'x', x), dim, start, length),
  }),
  infer: ([x], { dim, count }) => ({ shape: x.shape.map((n, i) => (i === dim ? count : n)), dtype: x.dtype }),
  forward: (e, { inputs: [x], attrs }) => emitNarrow(e, x, attrs),
  backward: (e, { inputs: [x], attrs }, grad) => [emitPutBack(e, grad.buf, x.shape, attrs)],
  onnx: (graph, { inputs: [x], attrs: { dim, start, count } }) => sliceOf(graph, x, dim, start, start + count),
  samples: () => [
    { x: [[3, 4]], args: [1, 1, 2] },
    { x: [[3, 4]], args: [0, 1, 2] },
    { x: [[2, 3, 2]], args: [-2, -2, 2] },
    { x: [[3, 2]], args: [1, 0, 0] },
    { x: [[5]], args: [0, 5, 0] },
    { x: [{ labels: [4, 2, 7] }], args: [0, 1, 2] },
  ],
  badSamples: () => [
    { x: [[2, 3]], args: [2, 0, 1], message: 'dim to be in [-2, 1]' },
    { x: [[2, 3]], args: [1, 2, 2], message: 'start + length to be at most 3 but received 4' },
    { x: [[2, 3]], args: [1, -4, 1], message: 'start to be' },
    { x: [[2, 3]], args: [1, 0, -1], message: 'length to be' },
    { x: [[]], args: [0, 0, 1], message: 'at least 1 dimension' },
  ],
})
