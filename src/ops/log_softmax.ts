/** Logarithm of the softmax along a dimension. */

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

/** `x - log Σ exp(x)` along `dim`, shifted by the maximum. Source: torch.nn.functional.log_softmax. */
export const logSoftmax = defineOp({
  name: 'logSoftmax',
  parse: parseAlong('logSoftmax'),
  infer: inferAlong('logSoftmax'),
  forward: (e, app) => emitAlong(e, 'log_softmax_fwd', app),
  backward: (e, app, grad) => [emitAlongBackward(e, 'log_softmax_bwd', app, grad)],
  reference: {
    log_softmax_fwd({ x, y, m, n }) {
      for (let r = 0; r < m; r++) {
        const { shifted, logSum } = softmaxRow(x, r, n)
        shifted.forEach((v, c) => {
          y[r * n + c] = v - logSum
        })
      }
    },
    log_softmax_bwd({ dy, y, dx, m, n }) {
      for (let r = 0; r < m; r++) {
        const total = sumRow(n, c => dy[r * n + c])
        for (let i = r * n; i < (r + 1) * n; i++) dx[i] = dy[i] - Math.exp(y[i]) * total
      }
    },
  },
  onnx: onnxAlong('LogSoftmax'),
  ...rowSamples,
})
