/** The dense layer's product x·wᵀ + b and the three kernels that every matrix product here is made of. */

import { shapeError } from '../base/errors.js'
import type { TwinArguments } from '../emitters/emitter.js'
import { checkDtype, checkOperand, defineOp, type Meta, type Operand, shapeText, sizeOf } from './spec.js'

function checkShapes(x: Meta, w: Meta, b: Meta | undefined): void {
  if (x.shape.length < 1) throw shapeError('linear', 'x to have at least 1 dimension', shapeText(x.shape))
  if (w.shape.length !== 2) throw shapeError('linear', 'w to have shape [out, in]', shapeText(w.shape))
  const inner = x.shape[x.shape.length - 1]
  if (inner !== w.shape[1]) {
    throw shapeError('linear', `x.shape[${x.shape.length - 1}] to equal w.shape[1] (${w.shape[1]})`, String(inner))
  }
  if (b && (b.shape.length !== 1 || b.shape[0] !== w.shape[0])) {
    throw shapeError('linear', `b to have shape [${w.shape[0]}]`, shapeText(b.shape))
  }
}

/** Rows, inner and outer size of the product: x is [m, k], w is [n, k]. */
function sizes([x, w]: readonly Meta[]): [m: number, k: number, n: number] {
  return [sizeOf(x.shape.slice(0, -1)), w.shape[1], w.shape[0]]
}

function linearForward({ x, w, b, y, m, k, n }: TwinArguments<'linear_fwd'>): void {
  for (let r = 0; r < m; r++) {
    for (let c = 0; c < n; c++) {
      let sum = 0
      for (let p = 0; p < k; p++) sum += x[r * k + p] * w[c * k + p]
      y[r * n + c] = b ? sum + b[c] : sum
    }
  }
}

/**
 * Dense layer `y = x·wᵀ + b`: x [..., in], w [out, in], b [out] or none, y [..., out].
 * Source: torch.nn.functional.linear.
 */
export const linear = defineOp({
  name: 'linear',
  parse: (x: Operand, w: Operand, b?: Operand | null) => {
    const operands = [checkOperand('linear', 'x', x), checkOperand('linear', 'w', w)]
    if (b !== undefined && b !== null) operands.push(checkOperand('linear', 'b', b))
    return { operands, attrs: undefined }
  },
  infer([x, w, b]) {
    checkDtype('linear', 'x', x, 'float32')
    checkDtype('linear', 'w', w, 'float32')
    if (b) checkDtype('linear', 'b', b, 'float32')
    checkShapes(x, w, b)
    return { shape: [...x.shape.slice(0, -1), w.shape[0]], dtype: 'float32' }
  },
  forward(e, { inputs }) {
    const [x, w, b] = inputs
    const [m, k, n] = sizes(inputs)
    const y = e.alloc('float32', m * n)
    e.kernels.linear_fwd({ x: x.buf, w: w.buf, b: b ? b.buf : null, y, m, k, n })
    return y
  },
  backward(e, { inputs, needs }, grad) {
    const [x, w, b] = inputs
    const [m, k, n] = sizes(inputs)
    const dx = needs[0] ? e.alloc('float32', m * k) : null
    const dw = needs[1] || needs[2] ? e.alloc('float32', n * k) : null
    const db = b && needs[2] ? e.alloc('float32', n) : null
    if (dx) e.kernels.linear_input_bwd({ dy: grad.buf, w: w.buf, a: null, dx, m, k, n })
    if (dw) e.kernels.linear_weight_bwd({ dy: grad.buf, x: x.buf, dw, db, m, k, n })
    return [dx, needs[1] ? dw : null, db]
  },
  givesOwnGradients: true,
  reference: {
    linear_fwd: linearForward,
    linear_relu_fwd(args) {
      linearForward(args)
      const { y, m, n } = args
      for (let i = 0; i < m * n; i++) if (y[i] < 0) y[i] = 0
    },
    linear_input_bwd({ dy, w, a, dx, m, k, n }) {
      for (let r = 0; r < m; r++) {
        for (let p = 0; p < k; p++) {
          let sum = 0
          for (let c = 0; c < n; c++) sum += dy[r * n + c] * w[c * k + p]
          dx[r * k + p] = a && a[r * k + p] <= 0 ? 0 : sum
        }
      }
    },
    linear_weight_bwd({ dy, x, dw, db, m, k, n }) {
      for (let c = 0; c < n; c++) {
        for (let p = 0; p < k; p++) {
          let sum = 0
          for (let r = 0; r < m; r++) sum += dy[r * n + c] * x[r * k + p]
          dw[c * k + p] = sum
        }
        if (db) {
          db[c] = 0
          for (let r = 0; r < m; r++) db[c] += dy[r * n + c]
        }
      }
    },
  },
  onnx(graph, { inputs: [x, w, b] }) {
    if (x.shape.length === 2) return graph.node('Gemm', b ? [x, w, b] : [x, w], { ints: { transB: 1 } })
    const product = graph.node('MatMul', [x, graph.node('Transpose', [w], { ints: { perm: [1, 0] } })])
    return b ? graph.node('Add', [product, b]) : product
  },
  samples: () => [
    { x: [[5, 3], [4, 3], [4]] },
    {
      x: [
        [5, 3],
        [4, 3],
      ],
    },
    { x: [[3], [2, 3], [2]] },
    { x: [[2, 2, 3], [4, 3], [4]] },
    { x: [[0, 3], [4, 3], [4]] },
    { x: [[17, 33], [19, 33], [19]] },
  ],
  badSamples: () => [
    {
      x: [
        [5, 3],
        [4, 2],
      ],
      message: 'x.shape[1] to equal w.shape[1] (2) but received 3',
    },
    { x: [[5, 3], [3]], message: 'w to have shape [out, in]' },
    { x: [[5, 3], [4, 3], [3]], message: 'b to have shape [4]' },
  ],
})
