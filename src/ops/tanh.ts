/** The hyperbolic tangent. */

import { defineCurve, only } from './curve.js'
import { sameNode } from './onnx.js'

/** Hyperbolic tangent `(e^x - e^-x) / (e^x + e^-x)`. Source: torch.tanh. */
export const tanh = defineCurve({
  name: 'tanh',
  slopeOf: 'y',
  curves: { tanh: { value: Math.tanh, gradient: (dy, y) => dy * (1 - y * y) } },
  choose: only('tanh'),
  onnx: sameNode('Tanh'),
})
