/** The logistic function. */

import { defineCurve, only } from './curve.js'
import { sameNode } from './onnx.js'

/** `1 / (1 + e^-x)`, in float64. */
export function logistic(x: number): number {
  const e = Math.exp(-Math.abs(x))
  return (x < 0 ? e : 1) / (1 + e)
}

/** Logistic function `1 / (1 + e^-x)`. Source: torch.sigmoid. */
export const sigmoid = defineCurve({
  name: 'sigmoid',
  slopeOf: 'y',
  curves: { sigmoid: { value: logistic, gradient: (dy, y) => dy * (1 - y) * y } },
  choose: only('sigmoid'),
  onnx: sameNode('Sigmoid'),
})
