/** Running sums. */

import type { Buf, Emitter } from '../emitters/emitter.js'
import { inferAlong, parseAlong, rowSamples } from './along.js'
import { around } from './rows.js'
import { defineOp, sizeOf } from './spec.js'

function emitRunning(e: Emitter, x: Buf, shape: readonly number[], dim: number, reverse: 0 | 1): Buf {
  const { outer, n: axis, inner } = around(shape, dim)
  const y = e.alloc('float32', sizeOf(shape))
  e.kernels.cumsum({ x, y, outer, axis, inner, reverse })
  return y
}

/** Running sum along `dim`: `y[j] = x[0] + … + x[j]`. Source: torch.cumsum. */
export const cumsum = defineOp({
  name: 'cumsum',
  parse: parseAlong('cumsum'),
  infer: inferAlong('cumsum'),
  forward: (e, { inputs: [x], attrs: { dim } }) => emitRunning(e, x.buf, x.shape, dim, 0),
  backward: (e, { attrs: { dim } }, { buf, shape }) => [emitRunning(e, buf, shape, dim, 1)],
  reference: {
    cumsum({ x, y, outer, axis, inner, reverse }) {
      for (let at = 0; at < outer * axis * inner; at++) {
        const j = Math.floor(at / inner) % axis
        const [first, last] = reverse ? [j, axis - 1] : [0, j]
        let sum = 0
        for (let p = first; p <= last; p++) sum += x[at + (p - j) * inner]
        y[at] = sum
      }
    },
  },
  onnx(graph, { inputs: [x], attrs: { dim } }) {
    return x.shape.length === 0 ? x : graph.node('CumSum', [x, graph.constant('int64', [dim], [])])
  },
  ...rowSamples,
})
