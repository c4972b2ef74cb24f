/** Rows of a table by number. */

import { checkInt, checkOptions } from '../base/check.js'
import { rangeError, shapeError } from '../base/errors.js'
import { type Application, checkDtype, checkOperand, defineOp, type Operand, shapeText, sizeOf } from './spec.js'

/** Options of an embedding. */
export interface EmbeddingOptions {
  /** The row whose gradient stays zero; negative numbers count from the end. */
  paddingIdx?: number | null
}

interface Attrs {
  readonly paddingIdx: number | null
}

const where = 'embedding'

/** `paddingIdx` as a row of a table of `rows`, or null; throws TypeError or RangeError. */
export function checkPadding(caller: string, paddingIdx: number | null | undefined, rows: number): number | null {
  if (paddingIdx === undefined || paddingIdx === null) return null
  checkInt(caller, 'paddingIdx', paddingIdx)
  if (paddingIdx < -rows || paddingIdx >= rows)
    throw rangeError(caller, `paddingIdx to be in [${-rows}, ${rows - 1}]`, paddingIdx)
  return paddingIdx < 0 ? paddingIdx + rows : paddingIdx
}

/** How many rows are looked up, their width, and how many there are. */
function sizes({ inputs: [indices, weight] }: Application<Attrs>): [m: number, k: number, n: number] {
  return [sizeOf(indices.shape), weight.shape[1], weight.shape[0]]
}

/**
 * Rows of `weight` [rows, width] by number: indices int32 [...], result [..., width]. Gradients add up in the order of
 * the indices. Throws ERR_LABEL_RANGE with place and value of an index that names no row.
 * Source: torch.nn.functional.embedding.
 */
export const embedding = defineOp({
  name: where,
  parse: (indices: Operand, weight: Operand, options: EmbeddingOptions = {}) => {
    const operands = [checkOperand(where, 'indices', indices), checkOperand(where, 'weight', weight)]
    const { paddingIdx } = checkOptions(where, options, ['paddingIdx'])
    return { operands, attrs: { paddingIdx: checkPadding(where, paddingIdx, weight.shape[0] ?? 0) } }
  },
  infer([indices, weight]) {
    checkDtype(where, 'indices', indices, 'int32')
    checkDtype(where, 'weight', weight, 'float32')
    if (weight.shape.length !== 2)
      throw shapeError(where, 'weight to have shape [rows, width]', shapeText(weight.shape))
    return { shape: [...indices.shape, weight.shape[1]], dtype: 'float32' }
  },
  forward(e, app) {
    const [indices, weight] = app.inputs
    const [m, k, n] = sizes(app)
    const names = { name: 'indices', width: sizeOf(indices.shape.slice(1)) }
    const rows = e.labels(where, indices.buf, n, Number.NaN, names)
    const y = e.alloc('float32', m * k)
    e.kernels.embedding_fwd({ weight: weight.buf, indices: rows, y, m, k, n })
    app.saved = [rows]
    return y
  },
  backward(e, app, grad) {
    const [m, k, n] = sizes(app)
    const dweight = e.alloc('float32', n * k)
    e.kernels.embedding_bwd({
      dy: grad.buf,
      indices: app.saved[0],
      dweight,
      m,
      k,
      n,
      padding: app.attrs.paddingIdx ?? -1,
    })
    return [null, dweight]
  },
  reference: {
    embedding_fwd({ weight, indices, y, m, k }) {
      for (let i = 0; i < m * k; i++) y[i] = weight[indices[Math.floor(i / k)] * k + (i % k)]
    },
    embedding_bwd({ dy, indices, dweight, m, k, n, padding }) {
      dweight.fill(0, 0, n * k)
      for (let i = 0; i < m * k; i++) {
        const index = indices[Math.floor(i / k)]
        if (index !== padding) dweight[index * k + (i % k)] += dy[i]
      }
    },
  },
  onnx: (graph, { inputs: [indices, weight] }) => graph.node('Gather', [weight, indices]),
  samples: () => [
    { x: [{ labels: [1, 2, 0, 1] }, [3, 2]] },
    { x: [{ labels: [4, 4, 0] }, [5, 17]] },
    { x: [{ labels: [] }, [5, 3]] },
  ],
  badSamples: () => [
    { x: [{ labels: [0, 3] }, [3, 2]], message: 'embedding: expected indices[1] to be in [0, 2] but received 3' },
    { x: [{ labels: [-1] }, [3, 2]], message: 'indices[0] to be in [0, 2] but received -1' },
    { x: [[2], [3, 2]], message: 'indices to be int32' },
    { x: [{ labels: [0] }, [3]], message: 'weight to have shape [rows, width]' },
    { x: [{ labels: [0] }, [3, 2]], args: [{ paddingIdx: 3 }], message: 'paddingIdx to be in [-3, 2]' },
  ],
})
