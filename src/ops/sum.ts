/** Sum over dimensions. */

import { expand } from './broadcast.js'
import {
  badReductions,
  emitSum,
  inferReduction,
  keptShape,
  onnxReduction,
  parseReduction,
  reductionSamples,
} from './reduction.js'
import { defineOp } from './spec.js'

/** Sum over `dim` (a number or several; all by default), `{ keepdim }` keeps them as 1. Source: torch.sum. */
export const sum = defineOp({
  name: 'sum',
  parse: parseReduction('sum'),
  infer: inferReduction('sum'),
  forward: (e, { inputs: [x], attrs: { dims } }) => emitSum(e, x.buf, x.shape, dims),
  backward: (e, { inputs: [x], attrs: { dims } }, grad) => [expand(e, grad.buf, keptShape(x.shape, dims), x.shape)],
  onnx: onnxReduction('ReduceSum'),
  samples: reductionSamples,
  badSamples: badReductions,
})
