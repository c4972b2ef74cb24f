/** Dimensions of size 1, left out. */

import { type Dims, parseDims } from './reduction.js'
import { checkOperand, defineOp, type Operand } from './spec.js'

/** `x` without those of `dim` (a number or several; all by default) whose size is 1. Shares memory. Source: torch.squeeze. */
export const squeeze = defineOp({
  name: 'squeeze',
  parse: (x: Operand, dim?: Dims | null) => {
    const { shape } = checkOperand('squeeze', 'x', x)
    return { operands: [x], attrs: { dims: parseDims('squeeze', 'dim', dim ?? shape.map((_, i) => i), shape.length) } }
  },
  infer: ([x], { dims }) => ({ shape: x.shape.filter((n, i) => n !== 1 || !dims.includes(i)), dtype: x.dtype }),
  forward: (_e, { inputs: [x] }) => x.buf,
  backward: (_e, _app, grad) => [grad.buf],
  onnx: (graph, { inputs: [x], shape }) => graph.node('Reshape', [x, graph.shape(shape)]),
  samples: () => [
    { x: [[2, 1, 3, 1]] },
    { x: [[2, 1, 3, 1]], args: [1] },
    { x: [[2, 1, 3, 1]], args: [[-1, 0]] },
    { x: [[1, 1]] },
    { x: [[0, 1]] },
    { x: [[]], args: [0] },
  ],
  badSamples: () => [
    { x: [[2, 1]], args: [2], message: 'dim to be in [-2, 1]' },
    { x: [[2, 1]], args: [[1, -1]], message: 'each dim to appear once' },
  ],
})
