/** Values added at places along a dimension. */

import { shapeError } from '../base/errors.js'
import { emitBinary } from './elementwise.js'
import { emitAddAt, emitLookUp } from './index_select.js'
import { around } from './rows.js'
import {
  type Application,
  checkDtype,
  checkOperand,
  defineOp,
  type Meta,
  normalizeDim,
  type Operand,
  shapeText,
  sizeAlong,
  sizeOf,
} from './spec.js'

const where = 'indexAdd'

interface Attrs {
  readonly dim: number
}

function checkShapes(x: Meta, index: Meta, source: Meta, dim: number): void {
  checkDtype(where, 'x', x, 'float32')
  checkDtype(where, 'index', index, 'int32')
  checkDtype(where, 'source', source, 'float32')
  sizeAlong(where, x, dim)
  if (index.shape.length !== 1) throw shapeError(where, 'index to have 1 dimension', shapeText(index.shape))
  const wanted = shapeText(x.shape.map((size, i) => (i === dim ? index.shape[0] : size)))
  if (shapeText(source.shape) !== wanted)
    throw shapeError(where, `source to have shape ${wanted}`, shapeText(source.shape))
}

function sizes({ inputs: [x, index], attrs: { dim } }: Application<Attrs>) {
  return { ...around(x.shape, dim), m: index.shape[0] }
}

/**
 * `x` with the places of `source` along `dim` added at those that `index` names, int32 [count]: what is named several times
 * adds up, in order. Throws ERR_LABEL_RANGE for a number that names none. Source: torch.index_add.
 */
export const indexAdd = defineOp({
  name: where,
  parse: (x: Operand, dim: number, index: Operand, source: Operand) => {
    const { shape } = checkOperand(where, 'x', x)
    const operands = [x, checkOperand(where, 'index', index), checkOperand(where, 'source', source)]
    return { operands, attrs: { dim: normalizeDim(where, dim, shape.length) } }
  },
  infer([x, index, source], { dim }) {
    checkShapes(x, index, source, dim)
    return { shape: x.shape, dtype: 'float32' }
  },
  forward(e, app) {
    const [x, index, source] = app.inputs
    const found = sizes(app)
    const indices = e.labels(where, index.buf, found.n, Number.NaN, { name: 'index', width: 1 })
    app.saved = [indices]
    return emitBinary(e, 'add', x.buf, emitAddAt(e, source.buf, indices, found), sizeOf(x.shape))
  },
  backward: (e, app, grad) => [
    app.needs[0] ? grad.buf : null,
    null,
    app.needs[2] ? emitLookUp(e, grad.buf, app.saved[0], sizes(app)) : null,
  ],
  onnx(graph, { inputs: [x, index, source], attrs: { dim } }) {
    const row = graph.constant(
      'int64',
      x.shape.map((_, i) => (i === dim ? -1 : 1)),
    )
    const wide = graph.node('Expand', [graph.node('Reshape', [index, row]), graph.constant('int64', source.shape)])
    const attributes = { ints: { axis: dim }, strings: { reduction: 'add' } }
    return graph.node('ScatterElements', [x, wide, source], attributes)
  },
  samples: () => [
    { x: [[3, 2]], args: [0, { labels: [2, 0, 2] }, { parameter: [3, 2] }] },
    { x: [[2, 3, 2]], args: [-2, { labels: [1] }, { parameter: [2, 1, 2] }] },
    { x: [[0, 2]], args: [1, { labels: [1, 1] }, { parameter: [0, 2] }] },
  ],
  badSamples: () => [
    {
      x: [[3, 2]],
      args: [0, { labels: [0, 3] }, { parameter: [2, 2] }],
      message: 'index[1] to be in [0, 2] but received 3',
    },
    {
      x: [[3, 2]],
      args: [0, { labels: [1] }, { parameter: [2, 2] }],
      message: 'source to have shape [1, 2] but received [2, 2]',
    },
    { x: [[3, 2]], args: [2, { labels: [1] }, { parameter: [1, 2] }], message: 'dim to be in [-2, 1]' },
    { x: [[3, 2]], args: [0, { parameter: [1] }, { parameter: [1, 2] }], message: 'index to be int32' },
    { x: [[3, 2]], args: [0, { labels: [1] }, 1], message: 'source to be a Tensor' },
  ],
})
