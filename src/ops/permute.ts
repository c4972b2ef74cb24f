/** Dimensions in another order. */

import { rangeError, typeError } from '../base/errors.js'
import type { Buf, Emitter } from '../emitters/emitter.js'
import { emitExchange } from './rows.js'
import { checkDtype, checkOperand, defineOp, normalizeDim, type Operand, sizeOf } from './spec.js'

/** `x` of `shape` with dimension `order[i]` in place i: one after the other is brought forward, with those that follow it. */
export function emitPermute(e: Emitter, x: Buf, shape: readonly number[], order: readonly number[]): Buf {
  const sizes = (dims: readonly number[]) => sizeOf(dims.map(dim => shape[dim]))
  let now = shape.map((_, i) => i)
  let moved = x
  for (let place = 0; place < order.length; place++) {
    const from = now.indexOf(order[place])
    if (from === place) continue
    let count = 1
    while (now[from + count] !== undefined && now[from + count] === order[place + count]) count++
    const [before, between, block] = [now.slice(0, place), now.slice(place, from), now.slice(from, from + count)]
    const after = now.slice(from + count)
    moved = emitExchange(e, moved, sizes(before), sizes(between), sizes(block), sizes(after))
    now = [...before, ...block, ...between, ...after]
  }
  return moved
}

/** Where each dimension went. */
export function inverseOrder(order: readonly number[]): number[] {
  return order.map((_, i) => order.indexOf(i))
}

function checkOrder(dims: unknown, rank: number): number[] {
  if (!Array.isArray(dims)) throw typeError('permute', 'dims to be an array of integers', dims)
  const order = Array.from(dims, dim => normalizeDim('permute', dim, rank, 'dims')) // of holes, too
  if (order.length !== rank || new Set(order).size !== rank)
    throw rangeError('permute', `dims to name each of ${rank} dimensions once`, dims)
  return order
}

/** `x` with dimension `dims[i]` in place i. Source: torch.permute. */
export const permute = defineOp({
  name: 'permute',
  parse: (x: Operand, dims: readonly number[]) => ({
    operands: [x],
    attrs: { order: checkOrder(dims, checkOperand('permute', 'x', x).shape.length) },
  }),
  infer([x], { order }) {
    checkDtype('permute', 'x', x, 'float32')
    return { shape: order.map(dim => x.shape[dim]), dtype: 'float32' }
  },
  forward: (e, { inputs: [x], attrs: { order } }) => emitPermute(e, x.buf, x.shape, order),
  backward: (e, { attrs: { order } }, { buf, shape }) => [emitPermute(e, buf, shape, inverseOrder(order))],
  onnx: (graph, { inputs: [x], attrs: { order } }) =>
    order.length < 2 ? x : graph.node('Transpose', [x], { ints: { perm: order } }),
  samples: () => [
    { x: [[2, 3]], args: [[1, 0]] },
    { x: [[2, 3, 4]], args: [[2, 0, 1]] },
    { x: [[2, 3, 2, 3]], args: [[0, 2, 1, -1]] },
    { x: [[2, 3, 2, 1, 2]], args: [[4, 2, 0, 3, 1]] },
    { x: [[2, 3]], args: [[0, 1]] },
    { x: [[0, 3]], args: [[1, 0]] },
    { x: [[]], args: [[]] },
  ],
  badSamples: () => [
    { x: [[2, 3]], args: [[0, 0]], message: 'dims to name each of 2 dimensions once' },
    { x: [[2, 3]], args: [[0]], message: 'dims to name each of 2 dimensions once' },
    { x: [[2, 3]], args: [[0, 2]], message: 'dims to be in [-2, 1]' },
    { x: [[2, 3]], args: [1], message: 'dims to be an array of integers' },
    { x: [[2, 3]], args: [new Array(2)], message: 'dims to be an integer' },
  ],
})
