/** Swap of two dimensions. */

import type { Buf, Emitter } from '../emitters/emitter.js'
import { checkDtype, checkOperand, defineOp, normalizeDim, type Operand, sizeOf } from './spec.js'

/** `x` with two dimensions swapped; itself where they are one. */
export function emitSwap(e: Emitter, x: Buf, shape: readonly number[], dim0: number, dim1: number): Buf {
  if (dim0 === dim1) return x
  const [p, q] = dim0 < dim1 ? [dim0, dim1] : [dim1, dim0]
  const [outer, mid, inner] = [shape.slice(0, p), shape.slice(p + 1, q), shape.slice(q + 1)].map(sizeOf)
  const y = e.alloc('float32', sizeOf(shape))
  e.kernels.transpose({ x, y, o: outer, r: shape[p], m: mid, c: shape[q], i: inner })
  return y
}

/** `x` with dimensions `dim0` and `dim1` swapped. Source: torch.transpose. */
export const transpose = defineOp({
  name: 'transpose',
  parse: (x: Operand, dim0: number, dim1: number) => {
    const rank = checkOperand('transpose', 'x', x).shape.length
    const dims = [normalizeDim('transpose', dim0, rank, 'dim0'), normalizeDim('transpose', dim1, rank, 'dim1')]
    return { operands: [x], attrs: { dims } }
  },
  infer([x], { dims: [p, q] }) {
    checkDtype('transpose', 'x', x, 'float32')
    const shape = [...x.shape]
    if (shape.length) [shape[p], shape[q]] = [shape[q], shape[p]]
    return { shape, dtype: 'float32' }
  },
  forward: (
    e,
    {
      inputs: [x],
      attrs: {
        dims: [p, q],
      },
    },
  ) => emitSwap(e, x.buf, x.shape, p, q),
  backward: (
    e,
    {
      attrs: {
        dims: [p, q],
      },
    },
    grad,
  ) => [emitSwap(e, grad.buf, grad.shape, p, q)],
  reference: {
    transpose({ x, y, o, r, m, c, i }) {
      let at = 0
      for (let a = 0; a < o; a++)
        for (let b = 0; b < c; b++)
          for (let d = 0; d < m; d++)
            for (let f = 0; f < r; f++) for (let g = 0; g < i; g++) y[at++] = x[(((a * r + f) * m + d) * c + b) * i + g]
    },
    copy({ x, y, n }) {
      for (let i = 0; i < n; i++) y[i] = x[i]
    },
  },
  onnx(graph, { inputs: [x], attrs }) {
    const [p, q] = attrs.dims
    const perm = x.shape.map((_, i) => (i === p ? q : i === q ? p : i))
    return perm.length < 2 ? x : graph.node('Transpose', [x], { ints: { perm } })
  },
  samples: () => [
    { x: [[2, 3]], args: [0, 1] },
    { x: [[2, 3, 4]], args: [0, 2] },
    { x: [[2, 3, 4]], args: [-1, 1] },
    { x: [[2, 3]], args: [1, 1] },
    { x: [[]], args: [0, -1] },
  ],
  badSamples: () => [{ x: [[2, 3]], args: [0, 2], message: 'dim1 to be in [-2, 1] but received 2' }],
})
