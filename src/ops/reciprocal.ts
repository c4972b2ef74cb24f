/** The reciprocal. */

import { defineCurve, only } from './curve.js'
import { sameNode } from './onnx.js'

/** Elementwise `1 / x`, infinite at 0. Source: torch.reciprocal. */
export const reciprocal = defineCurve({
  name: 'reciprocal',
  slopeOf: 'y',
  curves: { reciprocal: { value: x => 1 / x, gradient: (dy, y) => -dy * (y * y) } },
  choose: only('reciprocal'),
  onnx: sameNode('Reciprocal'),
  domain: { from: 0.5, to: 2 },
})
