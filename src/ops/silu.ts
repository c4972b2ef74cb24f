/** x times its logistic function. */

import { defineCurve, only } from './curve.js'
import { logistic } from './sigmoid.js'

/** Sigmoid linear unit (swish) `x / (1 + e^-x)`; NaN at -Infinity, as in PyTorch. Source: torch.nn.functional.silu. */
export const silu = defineCurve({
  name: 'silu',
  slopeOf: 'x',
  curves: {
    silu: {
      value: x => x * logistic(x),
      gradient: (dy, x) => dy * logistic(x) * (1 + x * logistic(-x)),
    },
  },
  choose: only('silu'),
  onnx: (graph, { inputs: [x] }) => graph.node('Mul', [x, graph.node('Sigmoid', [x])]),
})
