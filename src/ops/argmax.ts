/** Index of the largest element. */

import { checkBoolean, checkOptions } from '../base/check.js'
import { AnnealError } from '../base/errors.js'
import type { ReductionOptions } from './reduction.js'
import { rowSizes, toRows } from './rows.js'
import { checkDtype, checkOperand, defineOp, normalizeDim, type Operand, sizeOf } from './spec.js'

/**
 * Index of the largest element along `dim`, or in the flattened tensor; the first of equals, and NaN counts as largest.
 * Result int32, no gradient. Source: torch.argmax.
 */
export const argmax = defineOp({
  name: 'argmax',
  parse: (x: Operand, dim?: number | null, options: ReductionOptions = {}) => {
    const rank = checkOperand('argmax', 'x', x).shape.length
    const { keepdim = false } = checkOptions('argmax', options, ['keepdim'])
    const at = dim === undefined || dim === null ? null : normalizeDim('argmax', dim, rank)
    return { operands: [x], attrs: { dim: at, keepdim: checkBoolean('argmax', 'keepdim', keepdim) } }
  },
  infer([x], { dim, keepdim }) {
    checkDtype('argmax', 'x', x, 'float32')
    const n = dim === null ? sizeOf(x.shape) : rowSizes(x.shape, dim)[1]
    if (n === 0) throw new AnnealError('ERR_EMPTY', 'argmax: expected at least one element along dim but received none')
    const kept = x.shape.map((size, i) => (dim === null || i === dim ? 1 : size))
    return { shape: keepdim ? kept : dim === null ? [] : x.shape.filter((_, i) => i !== dim), dtype: 'int32' }
  },
  forward(e, { inputs: [x], attrs: { dim } }) {
    const [m, n] = dim === null ? [1, sizeOf(x.shape)] : rowSizes(x.shape, dim)
    const rows = dim === null ? x.buf : toRows(e, x.buf, x.shape, dim)
    const y = e.alloc('int32', m)
    e.kernels.argmax({ x: rows, y, m, n })
    return y
  },
  reference: {
    argmax({ x, y, m, n }) {
      for (let r = 0; r < m; r++) {
        let best = 0
        for (let c = 1; c < n; c++) {
          const [top, v] = [x[r * n + best], x[r * n + c]]
          if (v > top || (Number.isNaN(v) && !Number.isNaN(top))) best = c
        }
        y[r] = best
      }
    },
  },
  onnx(graph, { inputs: [x], shape, attrs: { dim, keepdim } }) {
    const flat = dim === null || x.shape.length === 0
    const values = flat ? graph.node('Reshape', [x, graph.constant('int64', [-1])]) : x
    const ints = { axis: flat ? 0 : dim, keepdims: Number(keepdim && !flat) }
    const largest = graph.cast(graph.node('ArgMax', [values], { ints }), 'int32')
    return flat && shape.length > 0 ? graph.node('Reshape', [largest, graph.shape(shape)]) : largest
  },
  samples: () => [
    { x: [[2, 3]], args: [1] },
    { x: [[2, 3]], args: [0] },
    { x: [[2, 3]] },
    { x: [[2, 3, 4]], args: [1] },
    { x: [[2, 5, 4]], args: [0, { keepdim: true }] },
  ],
  badSamples: () => [
    { x: [[2, 3]], args: [5], message: 'dim to be in' },
    { x: [[0]], message: 'at least one element' },
  ],
})
