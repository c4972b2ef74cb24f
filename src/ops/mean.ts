/** Mean over dimensions. */

import { expand } from './broadcast.js'
import { emitScaled } from './elementwise.js'
import {
  badReductions,
  emitSum,
  inferReduction,
  keptShape,
  onnxReduction,
  parseReduction,
  reductionSamples,
} from './reduction.js'
import { defineOp, sizeOf } from './spec.js'

function count(shape: readonly number[], dims: readonly number[]): number {
  return sizeOf(dims.map(d => shape[d] ?? 1))
}

/** Mean over `dim` (a number or several; all by default), `{ keepdim }` keeps them as 1. Source: torch.mean. */
export const mean = defineOp({
  name: 'mean',
  parse: parseReduction('mean'),
  infer: inferReduction('mean'),
  forward(e, { inputs: [x], shape, attrs: { dims } }) {
    return emitScaled(e, 'div_scalar', emitSum(e, x.buf, x.shape, dims), sizeOf(shape), count(x.shape, dims))
  },
  backward(e, { inputs: [x], attrs: { dims } }, grad) {
    const share = emitScaled(e, 'div_scalar', grad.buf, sizeOf(grad.shape), count(x.shape, dims))
    return [expand(e, share, keptShape(x.shape, dims), x.shape)]
  },
  reference: {
    div_scalar({ x, y, n, s }) {
      for (let i = 0; i < n; i++) y[i] = x[i] / s
    },
  },
  onnx: onnxReduction('ReduceMean'),
  samples: reductionSamples,
  badSamples: badReductions,
})
