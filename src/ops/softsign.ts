/** A bounded activation without exponentials. */

import { defineCurve, only } from './curve.js'
import { sameNode } from './onnx.js'

/** `x / (1 + |x|)`; NaN at the infinities, as in PyTorch. Source: torch.nn.functional.softsign. */
export const softsign = defineCurve({
  name: 'softsign',
  slopeOf: 'x',
  curves: {
    softsign: { value: x => x / (1 + Math.abs(x)), gradient: (dy, x) => dy / (1 + Math.abs(x)) / (1 + Math.abs(x)) },
  },
  choose: only('softsign'),
  onnx: sameNode('Softsign'),
})
