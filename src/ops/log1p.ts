/** The logarithm of one more. */

import { defineCurve, only } from './curve.js'
import { scalar } from './onnx.js'

/** `log(1 + x)`, exact for small x too; NaN below -1. Source: torch.log1p. */
export const log1p = defineCurve({
  name: 'log1p',
  slopeOf: 'x',
  curves: { log1p: { value: Math.log1p, gradient: (dy, x) => dy / (1 + x) } },
  choose: only('log1p'),
  onnx: (graph, { inputs: [x] }) => graph.node('Log', [graph.node('Add', [x, scalar(graph, 1)])]),
  domain: { from: -0.5, to: 2 },
})
