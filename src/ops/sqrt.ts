/** The square root. */

import { defineCurve, only } from './curve.js'
import { sameNode } from './onnx.js'

/** Square root; NaN below 0, the gradient at 0 is infinite. Source: torch.sqrt. */
export const sqrt = defineCurve({
  name: 'sqrt',
  slopeOf: 'y',
  curves: { sqrt: { value: Math.sqrt, gradient: (dy, y) => dy / (2 * y) } },
  choose: only('sqrt'),
  onnx: sameNode('Sqrt'),
  domain: { from: 0.1, to: 2 },
})
