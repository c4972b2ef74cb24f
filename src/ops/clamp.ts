/** Values between two bounds. */

import { checkNumber } from '../base/check.js'
import { typeError } from '../base/errors.js'
import { type Chosen, defineCurve } from './curve.js'
import { type OnnxForm, scalar } from './onnx.js'

/** `low` where a value is below it, `high` where it is above that; a low above high gives high. */
export function clampValue(x: number, { low, high }: Readonly<Record<string, number>>): number {
  return Math.min(high, Math.max(low, x))
}

/** Clip has the same order of its bounds. */
export const onnxClip: OnnxForm<Chosen> = (graph, { inputs, attrs: { scalars } }) =>
  graph.node('Clip', [...inputs, scalar(graph, scalars!.low), scalar(graph, scalars!.high)])

function bound(name: string, value: unknown, absent: number): number {
  if (value === undefined || value === null) return absent
  return checkNumber('clamp', name, value, { min: -Infinity, max: Infinity })
}

/**
 * Elementwise `min(max(x, low), high)`; either bound may be null. Where x is outside of them its gradient is 0.
 * Source: torch.clamp.
 */
export const clamp = defineCurve({
  name: 'clamp',
  slopeOf: 'x',
  curves: {
    clamp: { value: clampValue, gradient: (dy, x, { low, high }) => (x >= low && x <= high ? dy : 0) },
  },
  choose: (low?: number | null, high?: number | null) => {
    const scalars = { low: bound('low', low, -Infinity), high: bound('high', high, Infinity) }
    if (low == null && high == null) throw typeError('clamp', 'low or high to be a number', low)
    return { kernel: 'clamp' as const, scalars }
  },
  onnx: onnxClip,
  args: [-0.5, 1],
  samples: [
    { x: [[2, 3]], args: [null, 0.5] },
    { x: [[2, 3]], args: [0.25] },
  ],
  badSamples: [
    { x: [[2, 3]], message: 'low or high to be a number' },
    { x: [[2, 3]], args: ['0'], message: 'low to be a number' },
    { x: [[2, 3]], args: [0, Number.NaN], message: 'high to be a finite number' },
  ],
})
