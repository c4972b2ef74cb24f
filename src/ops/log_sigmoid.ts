/** The logarithm of the logistic function. */

import { defineCurve, only } from './curve.js'
import { logistic } from './sigmoid.js'
import { logOnePlusExp } from './softplus.js'

/** `log(1 / (1 + e^-x))` without overflow. Source: torch.nn.functional.logsigmoid. */
export const logSigmoid = defineCurve({
  name: 'logSigmoid',
  slopeOf: 'x',
  curves: { log_sigmoid: { value: x => -logOnePlusExp(-x), gradient: (dy, x) => dy * logistic(-x) } },
  choose: only('log_sigmoid'),
  onnx(graph, { inputs: [x] }) {
    return graph.node('Neg', [graph.node('Softplus', [graph.node('Neg', [x])])])
  },
})
