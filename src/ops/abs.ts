/** The absolute value. */

import { defineCurve, only } from './curve.js'
import { sameNode } from './onnx.js'

/** Absolute value `|x|`; the gradient at 0 is 0. Source: torch.abs. */
export const abs = defineCurve({
  name: 'abs',
  slopeOf: 'x',
  curves: { abs: { value: Math.abs, gradient: (dy, x) => (x > 0 ? dy : x < 0 ? -dy : dy * 0) } },
  choose: only('abs'),
  onnx: sameNode('Abs'),
})
