/** The reciprocal of the square root. */

import { defineCurve, only } from './curve.js'

/** Elementwise `1 / √x`, NaN below 0. Source: torch.rsqrt. */
export const rsqrt = defineCurve({
  name: 'rsqrt',
  slopeOf: 'y',
  curves: { rsqrt: { value: x => 1 / Math.sqrt(x), gradient: (dy, y) => -0.5 * dy * (y * y * y) } },
  choose: only('rsqrt'),
  onnx: (graph, { inputs }) => graph.node('Reciprocal', [graph.node('Sqrt', inputs)]),
  domain: { from: 0.5, to: 2 },
})
