/** One more dimension of size 1. */

import { checkOperand, defineOp, normalizeDim, type Operand } from './spec.js'

/** `x` with a dimension of size 1 at `dim`; negative ones count from behind the last. Shares memory. Source: torch.unsqueeze. */
export const unsqueeze = defineOp({
  name: 'unsqueeze',
  parse: (x: Operand, dim: number) => {
    const rank = checkOperand('unsqueeze', 'x', x).shape.length
    return { operands: [x], attrs: { dim: normalizeDim('unsqueeze', dim, rank + 1) } }
  },
  infer: ([x], { dim }) => ({ shape: [...x.shape.slice(0, dim), 1, ...x.shape.slice(dim)], dtype: x.dtype }),
  forward: (_e, { inputs: [x] }) => x.buf,
  backward: (_e, _app, grad) => [grad.buf],
  onnx: (graph, { inputs: [x], attrs: { dim } }) => graph.node('Unsqueeze', [x, graph.constant('int64', [dim])]),
  samples: () => [
    { x: [[2, 3]], args: [1] },
    { x: [[2, 3]], args: [-1] },
    { x: [[]], args: [0] },
    { x: [[0]], args: [0] },
  ],
  badSamples: () => [
    { x: [[2, 3]], args: [3], message: 'dim to be in [-3, 2] but received 3' },
    { x: [[2, 3]], message: 'dim to be an integer' },
  ],
})
