/** Tensors along a new dimension. */

import { AnnealError, phrase, shapeError } from '../base/errors.js'
import { checkList } from './cat.js'
import { emitJoin, emitTake } from './places.js'
import { defineOp, isSameShape, type Meta, normalizeDim, type Operand, shapeText } from './spec.js'

/** With a dimension of size 1 at `dim`. */
const wider = (shape: readonly number[], dim: number, size = 1) => [...shape.slice(0, dim), size, ...shape.slice(dim)]

function checkAlike(inputs: readonly Meta[]): void {
  const [{ shape, dtype }] = inputs
  inputs.forEach((x, i) => {
    if (x.dtype !== dtype) throw new AnnealError('ERR_DTYPE', phrase('stack', `tensors[${i}] to be ${dtype}`, x.dtype))
    if (!isSameShape(x.shape, shape))
      throw shapeError('stack', `tensors[${i}] to have shape ${shapeText(shape)}`, shapeText(x.shape))
  })
}

/** The tensors, all of one shape and dtype, along a new dimension `dim` (default 0). Source: torch.stack. */
export const stack = defineOp({
  name: 'stack',
  isMethod: false,
  parse: (tensors: readonly Operand[], dim?: number) => {
    const operands = checkList('stack', tensors)
    return { operands, attrs: { dim: normalizeDim('stack', dim ?? 0, operands[0].shape.length + 1) } }
  },
  infer(inputs, { dim }) {
    checkAlike(inputs)
    return { shape: wider(inputs[0].shape, dim, inputs.length), dtype: inputs[0].dtype }
  },
  forward(e, { inputs, shape, dtype, attrs: { dim } }) {
    const parts = inputs.map(x => ({ buf: x.buf, shape: wider(x.shape, dim) }))
    return emitJoin(e, parts, dtype, shape, dim)
  },
  backward: (e, { inputs, attrs: { dim }, needs }, { buf, shape }) =>
    inputs.map((_, start) =>
      needs[start] ? emitTake(e, buf, 'float32', shape, { dim, start, count: 1, step: 1 }) : null,
    ),
  onnx(graph, { inputs, attrs: { dim } }) {
    const axes = graph.constant('int64', [dim])
    const parts = inputs.map(x => graph.node('Unsqueeze', [x, axes]))
    return graph.node('Concat', parts, { ints: { axis: dim } })
  },
  samples: () => [
    {
      x: [
        {
          list: [
            [2, 3],
            [2, 3],
          ],
        },
      ],
    },
    {
      x: [
        {
          list: [
            [2, 3],
            [2, 3],
            [2, 3],
          ],
        },
      ],
      args: [-1],
    },
    { x: [{ list: [[], []] }] },
    { x: [{ list: [[0], [0]] }], args: [1] },
    { x: [{ list: [{ labels: [1, 2] }, { labels: [7, 3] }] }], args: [1] },
  ],
  badSamples: () => [
    { x: [{ list: [] }], message: 'at least one tensor' },
    { x: [{ list: [[2], [3]] }], message: 'tensors[1] to have shape [2] but received [3]' },
    { x: [{ list: [[2], { labels: [1, 2] }] }], message: 'tensors[1] to be float32' },
    { x: [{ list: [[2], 1] }], message: 'tensors[1] to be a Tensor' },
    { x: [{ list: [[2]] }], args: [2], message: 'dim to be in [-2, 1]' },
  ],
})
