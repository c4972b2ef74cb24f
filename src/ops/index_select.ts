/** Places along a dimension by number. */

import { shapeError } from '../base/errors.js'
import type { Buf, Emitter } from '../emitters/emitter.js'
import { around, emitExchange } from './rows.js'
import {
  type Application,
  checkDtype,
  checkOperand,
  defineOp,
  normalizeDim,
  type Operand,
  shapeText,
  sizeAlong,
} from './spec.js'

const where = 'indexSelect'

interface Attrs {
  readonly dim: number
}

/** `m` places of an array [outer, n, inner]. */
interface Sizes {
  readonly outer: number
  readonly n: number
  readonly inner: number
  readonly m: number
}

/** The places of x [outer, n, inner] that the indices name, as rows of a table [n, outer inner]: [outer, m, inner]. */
export function emitLookUp(e: Emitter, x: Buf, indices: Buf, { outer, n, inner, m }: Sizes): Buf {
  const y = e.alloc('float32', m * outer * inner)
  e.kernels.embedding_fwd({ weight: emitExchange(e, x, 1, outer, n, inner), indices, y, m, k: outer * inner, n })
  return emitExchange(e, y, 1, m, outer, inner)
}

/** Its adjoint: what was given for a place is added up there, [outer, m, inner] to [outer, n, inner]. */
export function emitAddAt(e: Emitter, dy: Buf, indices: Buf, { outer, n, inner, m }: Sizes): Buf {
  const dweight = e.alloc('float32', n * outer * inner)
  const rows = emitExchange(e, dy, 1, outer, m, inner)
  e.kernels.embedding_bwd({ dy: rows, indices, dweight, m, k: outer * inner, n, padding: -1 })
  return emitExchange(e, dweight, 1, n, outer, inner)
}

function sizes({ inputs: [x, index], attrs: { dim } }: Application<Attrs>): Sizes {
  return { ...around(x.shape, dim), m: index.shape[0] ?? 1 }
}

/**
 * The places of `x` along `dim` that `index` names: int32 [count]. Gradients of a place named several times add up. Throws
 * ERR_LABEL_RANGE for a number that names none. Source: torch.index_select.
 */
export const indexSelect = defineOp({
  name: where,
  parse: (x: Operand, dim: number, index: Operand) => {
    const { shape } = checkOperand(where, 'x', x)
    const operands = [x, checkOperand(where, 'index', index)]
    return { operands, attrs: { dim: normalizeDim(where, dim, shape.length) } }
  },
  infer([x, index], { dim }) {
    checkDtype(where, 'x', x, 'float32')
    checkDtype(where, 'index', index, 'int32')
    sizeAlong(where, x, dim)
    if (index.shape.length > 1) throw shapeError(where, 'index to have at most 1 dimension', shapeText(index.shape))
    return { shape: x.shape.map((size, i) => (i === dim ? (index.shape[0] ?? 1) : size)), dtype: 'float32' }
  },
  forward(e, app) {
    const [x, index] = app.inputs
    const found = sizes(app)
    const indices = e.labels(where, index.buf, found.n, Number.NaN, { name: 'index', width: 1 })
    app.saved = [indices]
    return emitLookUp(e, x.buf, indices, found)
  },
  backward(e, app, grad) {
    return [emitAddAt(e, grad.buf, app.saved[0], sizes(app)), null]
  },
  onnx: (graph, { inputs, shape, attrs: { dim } }) => {
    const chosen = graph.node('Gather', inputs, { ints: { axis: dim } })
    return inputs[1].shape.length === 1 ? chosen : graph.node('Reshape', [chosen, graph.shape(shape)])
  },
  samples: () => [
    { x: [[3, 4]], args: [1, { labels: [2, 0, 2] }] },
    { x: [[3, 4]], args: [0, { labels: [2, 0] }] },
    { x: [[2, 3, 2]], args: [-2, { labels: [1] }] },
    { x: [[3, 2]], args: [0, { labels: [] }] },
  ],
  badSamples: () => [
    { x: [[3, 4]], args: [1, { labels: [0, 4] }], message: 'index[1] to be in [0, 3] but received 4' },
    { x: [[3, 4]], args: [1, { labels: [-1] }], message: 'index[0] to be in [0, 3]' },
    { x: [[3, 4]], args: [2, { labels: [0] }], message: 'dim to be in [-2, 1]' },
    { x: [[3, 4]], args: [0, [0]], message: 'index to be a Tensor' },
    { x: [[]], args: [0, { labels: [0] }], message: 'x to have at least 1 dimension' },
  ],
})
