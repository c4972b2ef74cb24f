/** x times the normal distribution up to x, exactly or by a tanh. */

import { checkOneOf, checkOptions } from '../base/check.js'
import { erf } from '../base/erf.js'
import { defineCurve } from './curve.js'

/** Options of `gelu`. */
export interface GeluOptions {
  /** `none`: by the error function; `tanh`: Hendrycks and Gimpel's approximation. Default none. */
  approximate?: 'none' | 'tanh'
}

/** The kernels that the options ask for; throws TypeError or RangeError. */
export function checkGelu(options: GeluOptions = {}) {
  const { approximate = 'none' } = checkOptions('gelu', options, ['approximate'])
  const tanh = checkOneOf('gelu', 'approximate', approximate, ['none', 'tanh']) === 'tanh'
  return { kernel: tanh ? ('gelu_tanh' as const) : ('gelu' as const) }
}

const root = Math.sqrt(2 / Math.PI)
const cdf = (x: number) => 0.5 * (1 + erf(x * Math.SQRT1_2))
const density = (x: number) => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI)
const bent = (x: number) => Math.tanh(root * (x + 0.044715 * x ** 3))

/**
 * Gaussian error linear unit `x·Φ(x)`, Φ(x) = (1 + erf(x/√2))/2; with `approximate: 'tanh'`
 * `x/2·(1 + tanh(√(2/π)(x + 0.044715 x³)))`. NaN at -Infinity, as in PyTorch. Source: torch.nn.functional.gelu.
 */
export const gelu = defineCurve({
  name: 'gelu',
  slopeOf: 'x',
  curves: {
    gelu: { value: x => x * cdf(x), gradient: (dy, x) => dy * (cdf(x) + x * density(x)) },
    gelu_tanh: {
      value: x => 0.5 * x * (1 + bent(x)),
      gradient(dy, x) {
        const t = bent(x)
        // Beyond 10, where t is 1, x² could overflow.
        const u = Math.min(10, Math.max(-10, x))
        return dy * (0.5 * (1 + t) + 0.5 * u * (1 - t * t) * root * (1 + 3 * 0.044715 * u * u))
      },
    },
  },
  choose: checkGelu,
  onnx(graph, { inputs, attrs }) {
    return graph.node('Gelu', inputs, { strings: { approximate: attrs.kernel === 'gelu_tanh' ? 'tanh' : 'none' } })
  },
  samples: [{ x: [[2, 3]], args: [{ approximate: 'tanh' }] }],
  badSamples: [
    { x: [[2, 3]], args: [{ approximate: 'sigmoid' }], message: "approximate to be 'none' or 'tanh'" },
    { x: [[2, 3]], args: [{ approx: 'tanh' }], message: 'among approximate' },
  ],
})
