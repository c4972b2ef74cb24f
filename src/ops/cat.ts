/** Tensors one behind the other. */

import { AnnealError, phrase, shapeError, typeError } from '../base/errors.js'
import { emitJoin, emitTake } from './places.js'
import { checkOperand, defineOp, type Meta, normalizeDim, type Operand, shapeText } from './spec.js'

/** Refuses what is no list of tensors, or an empty one. */
export function checkList(where: string, tensors: unknown): readonly Operand[] {
  if (!Array.isArray(tensors)) throw typeError(where, 'tensors to be an array of Tensors', tensors)
  if (tensors.length === 0) throw new AnnealError('ERR_EMPTY', phrase(where, 'at least one tensor', 'none'))
  return Array.from(tensors, (x, i) => checkOperand(where, `tensors[${i}]`, x)) // of holes, too
}

/** What has no elements and one dimension may stand beside anything, as in PyTorch. */
const isNothing = ({ shape }: Meta) => shape.length === 1 && shape[0] === 0

/** The first whose shape counts. */
function modelOf(inputs: readonly Meta[]): Meta {
  return inputs.find(x => !isNothing(x)) ?? inputs[0]
}

function checkMatch(x: Meta, i: number, model: Meta, dim: number): void {
  if (x.dtype !== model.dtype)
    throw new AnnealError('ERR_DTYPE', phrase('cat', `tensors[${i}] to be ${model.dtype}`, x.dtype))
  const fits = x.shape.length === model.shape.length && x.shape.every((n, d) => d === dim || n === model.shape[d])
  if (fits || isNothing(x)) return
  const expected = `tensors[${i}] to have the shape ${shapeText(model.shape)} but for dimension ${dim}`
  throw shapeError('cat', expected, shapeText(x.shape))
}

/** Those that have a part in the result. */
const parts = <T extends Meta>(inputs: readonly T[]) => {
  const { length } = modelOf(inputs).shape
  return inputs.filter(({ shape }) => shape.length === length)
}

/**
 * The tensors one behind the other along `dim` (default 0); all other sizes are equal, and all of one dtype.
 * Source: torch.cat.
 */
export const cat = defineOp({
  name: 'cat',
  isMethod: false,
  parse: (tensors: readonly Operand[], dim?: number) => {
    const operands = checkList('cat', tensors)
    const { shape } = modelOf(operands)
    if (shape.length === 0) throw shapeError('cat', 'tensors of at least 1 dimension', '[]')
    return { operands, attrs: { dim: normalizeDim('cat', dim ?? 0, shape.length) } }
  },
  infer(inputs, { dim }) {
    const model = modelOf(inputs)
    inputs.forEach((x, i) => {
      checkMatch(x, i, model, dim)
    })
    const total = parts(inputs).reduce((sum, { shape }) => sum + shape[dim], 0)
    return { shape: model.shape.map((n, i) => (i === dim ? total : n)), dtype: model.dtype }
  },
  forward: (e, { inputs, shape, dtype, attrs: { dim } }) => emitJoin(e, parts(inputs), dtype, shape, dim),
  backward(e, { inputs, attrs: { dim }, needs }, { buf, shape }) {
    const own = parts(inputs)
    let start = 0
    return inputs.map((x, i) => {
      if (!own.includes(x)) return needs[i] ? e.alloc('float32', 0) : null
      const places = { dim, start, count: x.shape[dim], step: 1 } as const
      start += places.count
      return needs[i] ? emitTake(e, buf, 'float32', shape, places) : null
    })
  },
  onnx: (graph, { inputs, attrs: { dim } }) => graph.node('Concat', parts(inputs), { ints: { axis: dim } }),
  samples: () => [
    {
      x: [
        {
          list: [
            [2, 3],
            [2, 1],
            [2, 2],
          ],
        },
      ],
      args: [1],
    },
    {
      x: [
        {
          list: [
            [2, 3],
            [1, 3],
          ],
        },
      ],
    },
    {
      x: [
        {
          list: [
            [2, 2, 2],
            [2, 3, 2],
          ],
        },
      ],
      args: [-2],
    },
    { x: [{ list: [[3]] }] },
    { x: [{ list: [[2, 3], [0], [2, 0]] }], args: [1] },
    { x: [{ list: [{ labels: [1, 2] }, { labels: [7] }] }] },
  ],
  badSamples: () => [
    { x: [{ list: [] }], message: 'at least one tensor' },
    {
      x: [
        {
          list: [
            [2, 3],
            [2, 4],
          ],
        },
      ],
      message: 'tensors[1] to have the shape [2, 3] but for dimension 0 but received [2, 4]',
    },
    { x: [{ list: [[2, 3], [6]] }], message: 'tensors[1] to have the shape' },
    { x: [{ list: [[2], { labels: [1] }] }], message: 'tensors[1] to be float32 but received int32' },
    { x: [{ list: [[2, 3]] }], args: [2], message: 'dim to be in [-2, 1]' },
    { x: [{ list: [[]] }], message: 'at least 1 dimension' },
    { x: [{ list: [[2], null] }], message: 'tensors[1] to be a Tensor' },
    { x: [{ shape: [2], from: 0, to: 1 }], message: 'tensors to be an array of Tensors' },
  ],
})
