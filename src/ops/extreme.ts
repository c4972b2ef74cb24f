/** What amax and amin share: rows of what is reduced, and a gradient that those in the same place share. Not an op. */

import { AnnealError } from '../base/errors.js'
import type { TwinArguments, Twins } from '../emitters/emitter.js'
import { emitPermute, inverseOrder } from './permute.js'
import {
  badReductions,
  inferReduction,
  onnxReduction,
  parseReduction,
  type ReductionAttrs,
  reductionSamples,
} from './reduction.js'
import { defineOp, type Meta, sizeOf } from './spec.js'

/** The kept dimensions, then those that are reduced, and their sizes. */
function rowsOf(shape: readonly number[], dims: readonly number[]) {
  const reduced = dims.filter(dim => dim < shape.length)
  const order = [...shape.keys()].filter(dim => !reduced.includes(dim)).concat(reduced)
  const n = sizeOf(reduced.map(dim => shape[dim]))
  const m = sizeOf(shape.filter((_, i) => !reduced.includes(i)))
  return { order, m, n, moved: order.map(dim => shape[dim]) }
}

function inferExtreme(name: string) {
  const infer = inferReduction(name)
  return (inputs: readonly Meta[], attrs: ReductionAttrs): Meta => {
    const { shape } = inputs[0]
    if (attrs.dims.some(dim => shape[dim] === 0))
      throw new AnnealError('ERR_EMPTY', `${name}: expected at least one element along dim but received none`)
    return infer(inputs, attrs)
  }
}

/** The op that reduces to the largest or the smallest. */
export function defineExtreme(
  name: string,
  kernel: 'max_rows' | 'min_rows',
  pick: (a: number, b: number) => number,
  opType: string,
) {
  return defineOp({
    name,
    parse: parseReduction(name),
    infer: inferExtreme(name),
    forward(e, app) {
      const { inputs, attrs } = app
      const [x] = inputs
      const { order, m, n } = rowsOf(x.shape, attrs.dims)
      const rows = emitPermute(e, x.buf, x.shape, order)
      const y = e.alloc('float32', m)
      e.kernels[kernel]({ x: rows, y, m, n })
      app.saved = [rows]
      return y
    },
    backward(e, { inputs: [x], attrs, out, saved: [rows] }, grad) {
      const { order, m, n, moved } = rowsOf(x.shape, attrs.dims)
      const dx = e.alloc('float32', m * n)
      e.kernels.ties_bwd({ dy: grad.buf, x: rows, y: out, dx, m, n })
      return [emitPermute(e, dx, moved, inverseOrder(order))]
    },
    reference: {
      [kernel]({ x, y, m, n }: TwinArguments<'max_rows'>) {
        for (let r = 0; r < m; r++) y[r] = Array.from(x.subarray(r * n, (r + 1) * n)).reduce(pick)
      },
      ties_bwd({ dy, x, y, dx, m, n }: TwinArguments<'ties_bwd'>) {
        for (let r = 0; r < m; r++) {
          const tied = Array.from(x.subarray(r * n, (r + 1) * n), value => Number(value === y[r]))
          const count = tied.reduce((sum, one) => sum + one, 0)
          for (let c = 0; c < n; c++) dx[r * n + c] = (dy[r] * tied[c]) / count
        }
      },
    } as Twins,
    onnx: onnxReduction(opType),
    samples: () => [...reductionSamples(), { x: [[0, 3]], args: [1] }],
    badSamples: () => [...badReductions(), { x: [[2, 0]], args: [1], message: 'at least one element along dim' }],
  })
}
