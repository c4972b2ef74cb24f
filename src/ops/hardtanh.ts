/** A linear activation between two bounds. */

import { checkNumber, checkOptions } from '../base/check.js'
import { rangeError } from '../base/errors.js'
import { clampValue, onnxClip } from './clamp.js'
import { defineCurve } from './curve.js'

/** Options of `hardtanh`. */
export interface HardtanhOptions {
  /** Default -1. */
  minVal?: number
  /** At least minVal. Default 1. */
  maxVal?: number
}

/** The kernel's scalars; throws TypeError or RangeError. */
export function checkHardtanh(options: HardtanhOptions = {}) {
  const { minVal = -1, maxVal = 1 } = checkOptions('hardtanh', options, ['minVal', 'maxVal'])
  const scalars = {
    low: checkNumber('hardtanh', 'minVal', minVal),
    high: checkNumber('hardtanh', 'maxVal', maxVal),
  }
  if (minVal > maxVal) throw rangeError('hardtanh', `maxVal to be at least minVal (${minVal})`, maxVal)
  return { kernel: 'hardtanh' as const, scalars }
}

/** `min(max(x, minVal), maxVal)`; the gradient is 0 from the bounds on. Source: torch.nn.functional.hardtanh. */
export const hardtanh = defineCurve({
  name: 'hardtanh',
  slopeOf: 'x',
  curves: {
    hardtanh: { value: clampValue, gradient: (dy, x, { low, high }) => (x <= low || x >= high ? 0 : dy) },
  },
  choose: checkHardtanh,
  onnx: onnxClip,
  samples: [{ x: [[2, 3]], args: [{ minVal: -0.25, maxVal: 1.5 }] }],
  badSamples: [
    { x: [[2, 3]], args: [{ minVal: 1, maxVal: 0 }], message: 'maxVal to be at least minVal (1)' },
    { x: [[2, 3]], args: [{ minVal: '1' }], message: 'minVal to be a number' },
  ],
})
