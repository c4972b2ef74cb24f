/** Matrix product, vectors and batches included: one product as in linear.ts, or the products of a batch. */

import { AnnealError, shapeError } from '../base/errors.js'
import type { Buf, Emitter, Floats } from '../emitters/emitter.js'
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

/** Whether the left matrices lie one behind the other and meet one right matrix: one product of all their rows. */
function foldsRows({ a, b, batch }: Plan): boolean {
  return sizeOf(b.slice(0, -2)) === 1 && sizeOf(a.slice(0, -2)) === sizeOf(batch)
}

/** One product, on the kernels that a plan has on panels; null where there are several. */
function singleOf(p: Plan): { m: number; k: number; n: number } | null {
  return foldsRows(p) ? { m: sizeOf(p.batch) * p.m, k: p.k, n: p.n } : null
}

function widen(e: Emitter, value: Value, from: readonly number[], batch: readonly number[]): Buf {
  return expand(e, value.buf, from, [...batch, ...from.slice(-2)])
}

function gradA(e: Emitter, p: Plan, dy: Buf, b: Buf): Buf {
  const { m, k, n } = p
  const [single, s] = [singleOf(p), sizeOf(p.batch)]
  const y = e.alloc('float32', s * m * k)
  if (single) e.kernels.linear_fwd({ x: dy, w: b, y, m: single.m, k: n, n: k })
  else e.kernels.batch_matmul_nt({ a: dy, b, y, s, m, k: n, n: k })
  return single ? y : reduceTo(e, y, [...p.batch, m, k], p.a)
}

function gradB(e: Emitter, p: Plan, dy: Buf, a: Buf): Buf {
  const { m, k, n } = p
  const [single, s] = [singleOf(p), sizeOf(p.batch)]
  const y = e.alloc('float32', (single ? 1 : s) * k * n)
  if (single) e.kernels.linear_weight_bwd({ dy: a, x: dy, dw: y, m: single.m, k: n, n: k })
  else e.kernels.batch_matmul_tn({ a, b: dy, y, s, m: k, k: m, n })
  return single ? y : reduceTo(e, y, [...p.batch, k, n], p.b)
}

/** An element of the matrix i of a batch. */
type ElementOf = (i: number, row: number, column: number) => number

function products(s: number, m: number, k: number, n: number, y: Floats, a: ElementOf, b: ElementOf): void {
  for (let i = 0; i < s; i++)
    for (let r = 0; r < m; r++)
      for (let c = 0; c < n; c++) {
        let sum = 0
        for (let p = 0; p < k; p++) sum += a(i, r, p) * b(i, p, c)
        y[(i * m + r) * n + c] = sum
      }
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
    const [single, s] = [singleOf(p), sizeOf(p.batch)]
    const y = e.alloc('float32', sizeOf(app.shape))
    const operands = [p.a, p.b].map((from, i) => (single ? app.inputs[i].buf : widen(e, app.inputs[i], from, p.batch)))
    const [a, b] = operands
    app.saved = operands
    if (single) e.kernels.linear_input_bwd({ dy: a, w: b, dx: y, m: single.m, k: n, n: k })
    else e.kernels.batch_matmul({ a, b, y, s, m, k, n })
    return y
  },
  backward(e, { inputs, saved: [a, b], needs }, grad) {
    const p = plan(inputs[0].shape, inputs[1].shape)
    return [needs[0] ? gradA(e, p, grad.buf, b) : null, needs[1] ? gradB(e, p, grad.buf, a) : null]
  },
  reference: {
    batch_matmul({ a, b, y, s, m, k, n }) {
      products(
        s,
        m,
        k,
        n,
        y,
        (i, r, p) => a[(i * m + r) * k + p],
        (i, p, c) => b[(i * k + p) * n + c],
      )
    },
    batch_matmul_nt({ a, b, y, s, m, k, n }) {
      products(
        s,
        m,
        k,
        n,
        y,
        (i, r, p) => a[(i * m + r) * k + p],
        (i, p, c) => b[(i * n + c) * k + p],
      )
    },
    batch_matmul_tn({ a, b, y, s, m, k, n }) {
      products(
        s,
        m,
        k,
        n,
        y,
        (i, r, p) => a[(i * k + p) * m + r],
        (i, p, c) => b[(i * k + p) * n + c],
      )
    },
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
        [2, 3],
        [4, 3, 2],
      ],
    },
    {
      x: [
        [2, 0, 3],
        [2, 3, 2],
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
