/** The other way round. */

import type { Buf, Emitter } from '../emitters/emitter.js'
import { emitTake } from './places.js'
import { parseDims } from './reduction.js'
import { checkOperand, defineOp, type Operand, type Value } from './spec.js'

/** Its own adjoint. */
function emitFlip(e: Emitter, { buf, dtype, shape }: Value, dims: readonly number[]): Buf {
  let x = buf
  for (const dim of dims) {
    const count = shape[dim]
    x = emitTake(e, x, dtype, shape, { dim, start: count - 1, count, step: -1 })
  }
  return x
}

/** `x` with the order along `dims` (a number or several) reversed. Source: torch.flip. */
export const flip = defineOp({
  name: 'flip',
  parse: (x: Operand, dims: number | readonly number[]) => {
    const { shape } = checkOperand('flip', 'x', x)
    return { operands: [x], attrs: { dims: parseDims('flip', 'dims', dims, shape.length).filter(d => d in shape) } }
  },
  infer: ([x]) => x,
  forward: (e, { inputs: [x], attrs }) => emitFlip(e, x, attrs.dims),
  backward: (e, { attrs }, grad) => [emitFlip(e, grad, attrs.dims)],
  onnx(graph, { inputs: [x], attrs: { dims } }) {
    if (dims.length === 0) return x
    const same = (value: number) => graph.constant('int64', new Array(dims.length).fill(value))
    return graph.node('Slice', [x, same(-1), same(-(2 ** 31)), graph.constant('int64', dims), same(-1)])
  },
  samples: () => [
    { x: [[2, 3]], args: [1] },
    { x: [[2, 3, 2]], args: [[0, -1]] },
    { x: [[5]], args: [0] },
    { x: [[0, 3]], args: [0] },
    { x: [[2, 3]], args: [[]] },
    { x: [{ labels: [4, 2, 7] }], args: [0] },
  ],
  badSamples: () => [
    { x: [[2, 3]], args: [2], message: 'dims to be in [-2, 1]' },
    { x: [[2, 3]], args: [[0, 0]], message: 'each dim to appear once' },
    { x: [[2, 3]], message: 'dims to be an integer' },
  ],
})
