/** Values along a dimension, each by a number of its own. */

import { shapeError } from '../base/errors.js'
import type { Buf, Emitter, Twins } from '../emitters/emitter.js'
import { emitPutBack, emitTake } from './places.js'
import { around } from './rows.js'
import { checkDtype, checkOperand, defineOp, type Meta, normalizeDim, type Operand, shapeText, sizeOf } from './spec.js'

const where = 'gather'

/** Where `index` is smaller than `x`, besides along `dim`: from shape to shape, one dimension at a time. */
function cuts(x: readonly number[], index: readonly number[], dim: number) {
  const steps: { from: number[]; dim: number; start: number; count: number; step: 1 }[] = []
  const from = [...x]
  for (let d = 0; d < x.length; d++) {
    if (d === dim || index[d] === x[d]) continue
    steps.push({ from: [...from], dim: d, start: 0, count: index[d], step: 1 })
    from[d] = index[d]
  }
  return steps
}

/** `x` [outer, n, inner] at `index` [outer, count, inner]. */
function emitGather(e: Emitter, x: Buf, index: Buf, shape: readonly number[], dim: number, axis: number): Buf {
  const { outer, n: count, inner } = around(shape, dim)
  const y = e.alloc('float32', sizeOf(shape))
  e.kernels.pick_axis({ x, index, y, outer, count, inner, axis })
  return y
}

function checkShapes(x: Meta, index: Meta, dim: number): void {
  checkDtype(where, 'x', x, 'float32')
  checkDtype(where, 'index', index, 'int32')
  const fits = index.shape.length === x.shape.length && index.shape.every((n, d) => d === dim || n <= x.shape[d])
  if (fits) return
  const expected = `index to have at most the sizes of x, ${shapeText(x.shape)}, but for dimension ${dim}`
  throw shapeError(where, expected, shapeText(index.shape))
}

/**
 * For each element of `index`, int32 of as many dimensions as `x`, the value of `x` at its own place but for `dim`, where it
 * is at the number that the element is: `y[i][j] = x[i][index[i][j]]` for dim 1. Gradients of a place named several times
 * add up. Throws ERR_LABEL_RANGE for a number that names none. Source: torch.gather.
 */
export const gather = defineOp({
  name: where,
  parse: (x: Operand, dim: number, index: Operand) => {
    const { shape } = checkOperand(where, 'x', x)
    const operands = [x, checkOperand(where, 'index', index)]
    return { operands, attrs: { dim: normalizeDim(where, dim, shape.length) } }
  },
  infer([x, index], { dim }) {
    checkShapes(x, index, dim)
    return { shape: index.shape, dtype: 'float32' }
  },
  forward(e, app) {
    const [x, index] = app.inputs
    const { dim } = app.attrs
    const n = x.shape[dim] ?? 1
    const width = sizeOf(index.shape.slice(1))
    const numbers = e.labels(where, index.buf, n, Number.NaN, { name: 'index', width })
    const steps = cuts(x.shape, index.shape, dim)
    const values = steps.reduce((buf, { from, ...places }) => emitTake(e, buf, 'float32', from, places), x.buf)
    app.saved = [numbers]
    return emitGather(e, values, numbers, index.shape, dim, n)
  },
  backward(e, { inputs: [x], attrs: { dim }, saved: [index] }, { buf: dy, shape }) {
    const { outer, n: count, inner } = around(shape, dim)
    const axis = x.shape[dim] ?? 1
    const dx = e.alloc('float32', outer * axis * inner)
    e.kernels.pick_axis_bwd({ dy, index, dx, outer, count, inner, axis })
    const steps = cuts(x.shape, shape, dim)
    return [steps.reduceRight((buf, { from, ...places }) => emitPutBack(e, buf, from, places), dx as Buf), null]
  },
  reference: {
    pick_axis({ x, index, y, outer, count, inner, axis }) {
      for (let at = 0; at < outer * count * inner; at++) {
        const o = Math.floor(at / (count * inner))
        y[at] = x[(o * axis + index[at]) * inner + (at % inner)]
      }
    },
    pick_axis_bwd({ dy, index, dx, outer, count, inner, axis }) {
      dx.fill(0, 0, outer * axis * inner)
      for (let at = 0; at < outer * count * inner; at++) {
        const o = Math.floor(at / (count * inner))
        dx[(o * axis + index[at]) * inner + (at % inner)] += dy[at]
      }
    },
  } as Twins,
  onnx(graph, { inputs: [x, index], attrs: { dim } }) {
    if (x.shape.length === 0) return x
    return graph.node('GatherElements', [x, index], { ints: { axis: dim } })
  },
  samples: () => [
    { x: [[2, 3]], args: [1, { labels: [2, 0, 2, 1], shape: [2, 2] }] },
    { x: [[3, 2]], args: [0, { labels: [2, 0], shape: [1, 2] }] },
    { x: [[2, 3, 2]], args: [-2, { labels: [0, 1, 2, 0, 0, 1], shape: [1, 3, 2] }] },
    { x: [[4]], args: [0, { labels: [3, 3, 1] }] },
    { x: [[2, 3]], args: [1, { labels: [], shape: [2, 0] }] },
  ],
  badSamples: () => [
    { x: [[2, 3]], args: [1, { labels: [0, 3], shape: [2, 1] }], message: 'index[1] to be in [0, 2] but received 3' },
    {
      x: [[2, 3]],
      args: [1, { labels: [0, -1], shape: [1, 2] }],
      message: 'index[0, 1] to be in [0, 2] but received -1',
    },
    {
      x: [[2, 3]],
      args: [1, { labels: [0, 0, 0], shape: [3, 1] }],
      message: 'index to have at most the sizes of x, [2, 3]',
    },
    { x: [[2, 3]], args: [1, { labels: [0] }], message: 'index to have at most the sizes' },
    { x: [[2, 3]], args: [2, { labels: [0] }], message: 'dim to be in [-2, 1]' },
    { x: [[2, 3]], args: [1, 0], message: 'index to be a Tensor' },
  ],
})
