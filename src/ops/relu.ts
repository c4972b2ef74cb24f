/** max(x, 0). */

import { defineCurve, only } from './curve.js'
import { sameNode } from './onnx.js'

/** Rectifier `max(x, 0)`; NaN stays NaN, the gradient at 0 is 0. Source: torch.nn.functional.relu. */
export const relu = defineCurve({
  name: 'relu',
  slopeOf: 'y',
  curves: { relu: { value: x => (x < 0 ? 0 : x), gradient: (dy, y) => (y <= 0 ? 0 : dy) } },
  choose: only('relu'),
  onnx: sameNode('Relu'),
})
