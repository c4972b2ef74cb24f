/** Softmax along a dimension. */

import {
  emitAlong,
  emitAlongBackward,
  inferAlong,
  onnxAlong,
  parseAlong,
  rowSamples,
  softmaxRow,
  sumRow,
} from './along.js'
import { defineOp } from './spec.js'

/** `exp(x) / Σ exp(x)` along `dim`, shifted by the maximum. Source: torch.nn.functional.softmax. */
export const softmax = defineOp({
  name: 'softmax',
  parse: parseAlong('softmax'),
  infer: inferAlong('softmax'),
  forward: (e, app) => emitAlong(e, 'softmax_fwd', app),
  backward: (e, app, grad) => [emitAlongBackward(e, 'softmax_bwd', app, grad)],
  reference: {
    softmax_fwd({ x, y, m, n }) {
      for (let r = 0; r < m; r++) {
        const { shifted, logSum } = softmaxRow(x, r, n)
        shifted.forEach((v, c) => {
          y[r * n + c] = Math.exp(v - logSum)
        })
      }
    },
    softmax_bwd({ dy, y, dx, m, n }) {
      for (let r = 0; r < m; r++) {
        const dot = sumRow(n, c => dy[r * n + c] * y[r * n + c])
        for (let i = r * n; i < (r + 1) * n; i++) dx[i] = (dy[i] - dot) * y[i]
      }
    },
  },
  onnx: onnxAlong('Softmax'),
  ...rowSamples,
})
