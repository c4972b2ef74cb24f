/** The rectifier with a slope below 0. */

import { checkNumber, checkOptions } from '../base/check.js'
import { defineCurve } from './curve.js'

/** Options of `leakyRelu`. */
export interface LeakyReluOptions {
  /** Slope where x <= 0. Default 0.01. */
  negativeSlope?: number
}

/** The kernel's scalars; throws TypeError or RangeError. */
export function checkLeakyRelu(options: LeakyReluOptions = {}) {
  const { negativeSlope = 0.01 } = checkOptions('leakyRelu', options, ['negativeSlope'])
  const scalars = { slope: checkNumber('leakyRelu', 'negativeSlope', negativeSlope) }
  return { kernel: 'leaky_relu' as const, scalars }
}

/** `x` where x > 0, else `negativeSlope·x`. Source: torch.nn.functional.leaky_relu. */
export const leakyRelu = defineCurve({
  name: 'leakyRelu',
  slopeOf: 'x',
  curves: {
    leaky_relu: {
      value: (x, { slope }) => (x > 0 ? x : x * slope),
      gradient: (dy, x, { slope }) => (x > 0 ? dy : dy * slope),
    },
  },
  choose: checkLeakyRelu,
  onnx: (graph, { inputs, attrs }) => graph.node('LeakyRelu', inputs, { floats: { alpha: attrs.scalars!.slope } }),
  samples: [{ x: [[2, 3]], args: [{ negativeSlope: 0.2 }] }],
  badSamples: [{ x: [[2, 3]], args: [{ negativeSlope: '1' }], message: 'negativeSlope to be a number' }],
})
