/** Matrix product, vectors and batches included, made of the three products of linear.ts. */

import { AnnealError, shapeError } from '../base/errors.js'
import type { Buf, Emitter } from '../emitters/emitter.js'
import { broadcastShape, expand, reduceTo } from './broadcast.js'
import { sameNode } from './onnx.js'
import { checkDtype, checkOperand, defineOp, type Meta, type Operand, shapeText, sizeOf, type Value } from './spec.js'

/** Both operands as batches of matrices: a [batch…, m, k], b [batch…, k, n]. */
interface Plan {
  batch: number[]
  a: number[]
  b: number[]
  m: number
  k: number
  n: number
}

function plan(a: readonly number[], b: readonly number[]): Plan {
  if (a.length === 0 || b.length === 0) {
    throw shapeError('matmul', 'both operands to have at least 1 dimension', `${shapeText(a)} and ${shapeText(b)}`)
  }
  const left = a.length === 1 ? [1, a[0]] : [...a]
  const right = b.length === 1 ? [b[0], 1] : [...b]
  const [m, k] = left.slice(-2)
  const [rows, n] = right.slice(-2)
  if (k !== rows)
    throw shapeError('matmul', `b to have ${k} rows for a of shape ${shapeText(a)}`, `shape ${shapeText(b)}`)
  const batch = broadcastShape('matmul', left.slice(0, -2), right.slice(0, -2))
  return { batch, a: left, b: right, m, k, n }
}

function resultShape(a: readonly number[], b: readonly number[]): number[] {
  const { batch, m, n } = plan(a, b)
  return [...batch, ...(a.length === 1 ? [] : [m]), ...(b.length === 1 ? [] : [n])]
}

/** Runs `each(batch index)` over the matrices of a batch, as offsets into the widened operands. */
function forEachMatrix({ batch }: Plan, each: (i: number) => void): void {
  const count = sizeOf(batch)
  for (let i = 0; i < count; i++) each(i)
}

function widen(e: Emitter, value: Value, from: readonly number[], batch: readonly number[]): Buf {
  return expand(e, value.buf, from, [...batch, ...from.slice(-2)])
}

function gradA(e: Emitter, p: Plan, grad: Buf, b: Buf): Buf {
  const { m, k, n } = p
  const da = e.alloc('float32', sizeOf(p.batch) * m * k)
  forEachMatrix(p, i => {
    const [dy, w] = [e.slice(grad, i * m * n, m * n), e.slice(b, i * k * n, k * n)]
    e.kernels.linear_fwd({ x: dy, w, y: e.slice(da, i * m * k, m * k), m, k: n, n: k })
  })
  return reduceTo(e, da, [...p.batch, m, k], p.a)
}

function gradB(e: Emitter, p: Plan, grad: Buf, a: Buf): Buf {
  const { m, k, n } = p
  const db = e.alloc('float32', sizeOf(p.batch) * k * n)
  forEachMatrix(p, i => {
    const [x, dy] = [e.slice(a, i * m * k, m * k), e.slice(grad, i * m * n, m * n)]
    e.kernels.linear_weight_bwd({ dy: x, x: dy, dw: e.slice(db, i * k * n, k * n), m, k: n, n: k })
  })
  return reduceTo(e, db, [...p.batch, k, n], p.b)
}

/**
 * Matrix product `a·b`: [m, k]·[k, n] → [m, n]; vectors count as a row on the left and a column on the right; leading
 * dimensions are batches and broadcast. Source: torch.matmul.
 */
export const matmul = defineOp({
  name: 'matmul',
  parse: (a: Operand, b: Operand) => ({
    operands: [checkOperand('matmul', 'a', a), checkOperand('matmul', 'b', b)],
    attrs: undefined,
  }),
  infer([a, b]: readonly Meta[]) {
    checkDtype('matmul', 'a', a, 'float32')
    checkDtype('matmul', 'b', b, 'float32')
    const shape = resultShape(a.shape, b.shape)
    if (sizeOf(shape) > 2 ** 31 - 1)
      throw new AnnealError('ERR_SHAPE', 'matmul: expected a result of at most 2^31 - 1 elements')
    return { shape, dtype: 'float32' }
  },
  forward(e, app) {
    const p = plan(app.inputs[0].shape, app.inputs[1].shape)
    const { m, k, n } = p
    const a = widen(e, app.inputs[0], p.a, p.batch)
    const b = widen(e, app.inputs[1], p.b, p.batch)
    const y = e.alloc('float32', sizeOf(app.shape))
    app.saved = [a, b]
    forEachMatrix(p, i => {
      const [x, w] = [e.slice(a, i * m * k, m * k), e.slice(b, i * k * n, k * n)]
      e.kernels.linear_input_bwd({ dy: x, w, dx: e.slice(y, i * m * n, m * n), m, k: n, n: k })
    })
    return y
  },
  backward(e, { inputs, saved: [a, b], needs }, grad) {
    const p = plan(inputs[0].shape, inputs[1].shape)
    return [needs[0] ? gradA(e, p, grad.buf, b) : null, needs[1] ? gradB(e, p, grad.buf, a) : null]
  },
  onnx: sameNode('MatMul'),
  samples: () => [
    {
      x: [
        [2, 3],
        [3, 4],
      ],
    },
    { x: [[3], [3]] },
    { x: [[3], [3, 2]] },
    { x: [[2, 3], [3]] },
    {
      x: [
        [5, 2, 3],
        [5, 3, 4],
      ],
    },
    {
      x: [
        [2, 1, 2, 3],
        [4, 3, 2],
      ],
    },
    {
      x: [
        [5, 2, 3],
        [3, 2],
      ],
    },
    {
      x: [
        [0, 3],
        [3, 2],
      ],
    },
    {
      x: [
        [2, 0],
        [0, 2],
      ],
    },
  ],
  badSamples: () => [
    {
      x: [
        [2, 3],
        [4, 2],
      ],
      message: 'b to have 3 rows',
    },
    { x: [[], [2, 2]], message: 'at least 1 dimension' },
    {
      x: [
        [2, 2, 3],
        [3, 3, 2],
      ],
      message: 'broadcast',
    },
  ],
})
