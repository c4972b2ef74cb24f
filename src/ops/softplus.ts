/** A smooth rectifier. */

import { checkNumber, checkOptions } from '../base/check.js'
import { defineCurve } from './curve.js'
import { scalar } from './onnx.js'
import { logistic } from './sigmoid.js'

/** Options of `softplus`. */
export interface SoftplusOptions {
  /** Sharpness of the bend, > 0. Default 1. */
  beta?: number
  /** Where `beta·x` is above this, the result is x. Default 20. */
  threshold?: number
}

/** The kernel's scalars; throws TypeError or RangeError. */
export function checkSoftplus(options: SoftplusOptions = {}) {
  const { beta = 1, threshold = 20 } = checkOptions('softplus', options, ['beta', 'threshold'])
  const scalars = {
    beta: checkNumber('softplus', 'beta', beta, { above: 0 }),
    threshold: checkNumber('softplus', 'threshold', threshold, { max: Infinity }),
  }
  return { kernel: 'softplus' as const, scalars }
}

/** `log(1 + e^x)` without overflow, in float64. */
export function logOnePlusExp(x: number): number {
  return Math.max(0, x) + Math.log1p(Math.exp(-Math.abs(x)))
}

/** `log(1 + e^(beta·x)) / beta`, and x itself where `beta·x > threshold`. Source: torch.nn.functional.softplus. */
export const softplus = defineCurve({
  name: 'softplus',
  slopeOf: 'x',
  curves: {
    softplus: {
      value: (x, { beta, threshold }) => (x * beta > threshold ? x : logOnePlusExp(x * beta) / beta),
      gradient: (dy, x, { beta, threshold }) => (x * beta > threshold ? dy : dy * logistic(x * beta)),
    },
  },
  choose: checkSoftplus,
  onnx(graph, { inputs: [x], attrs }) {
    const { beta, threshold } = attrs.scalars!
    const scaled = graph.node('Mul', [x, scalar(graph, beta)])
    const bent = graph.node('Div', [graph.node('Softplus', [scaled]), scalar(graph, beta)])
    return graph.node('Where', [graph.node('Greater', [scaled, scalar(graph, threshold)]), x, bent])
  },
  samples: [{ x: [[2, 3]], args: [{ beta: 2, threshold: 1 }] }],
  badSamples: [
    { x: [[2, 3]], args: [{ beta: 0 }], message: 'beta to be a finite number greater than 0' },
    { x: [[2, 3]], args: [{ threshold: '1' }], message: 'threshold to be a number' },
  ],
})
