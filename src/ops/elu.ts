/** The rectifier with an exponential below 0. */

import { checkNumber, checkOptions } from '../base/check.js'
import { defineCurve } from './curve.js'

/** Options of `elu`. */
export interface EluOptions {
  /** The limit at -Infinity is -alpha. Default 1. */
  alpha?: number
}

/** The kernel's scalars; throws TypeError or RangeError. */
export function checkElu(options: EluOptions = {}) {
  const { alpha = 1 } = checkOptions('elu', options, ['alpha'])
  return { kernel: 'elu' as const, scalars: { alpha: checkNumber('elu', 'alpha', alpha) } }
}

/** Exponential linear unit: `x` where x > 0, else `alpha·(e^x - 1)`. Source: torch.nn.functional.elu. */
export const elu = defineCurve({
  name: 'elu',
  slopeOf: 'x',
  curves: {
    elu: {
      value: (x, { alpha }) => (x <= 0 ? alpha * Math.expm1(x) : x),
      gradient: (dy, x, { alpha }) => (x <= 0 ? dy * alpha * Math.exp(x) : dy),
    },
  },
  choose: checkElu,
  onnx: (graph, { inputs, attrs }) => graph.node('Elu', inputs, { floats: attrs.scalars }),
  samples: [{ x: [[2, 3]], args: [{ alpha: 0.5 }] }],
  badSamples: [{ x: [[2, 3]], args: [{ alpha: Number.NaN }], message: 'alpha to be a finite number' }],
})
