/** Cross-entropy of probabilities against binary targets. */

import { defineElementLoss, underReductions } from './element_loss.js'
import type { LossOptions } from './reduced_loss.js'
import type { Operand } from './spec.js'

/** Options of `binaryCrossEntropy`. */
export interface BinaryCrossEntropyOptions extends LossOptions {
  /** Weight of each element, broadcast to the prediction's shape. Default: all 1. */
  weight?: Operand | null
}

function element(x: number, target: number, { weight }: Readonly<Record<string, number>>) {
  const [logX, logRest] = [Math.log(x), Math.log1p(-x)]
  return {
    value: weight * ((target - 1) * Math.max(-100, logRest) - target * Math.max(-100, logX)),
    dx: (weight * (x - target)) / Math.max(1e-12, (1 - x) * x),
    dtarget: weight * (logRest - logX),
  }
}

const probabilities = (shape: number[]) => [
  { shape, from: 0.05, to: 0.95 },
  { shape, from: 0, to: 1 },
]

const { op, check } = defineElementLoss<BinaryCrossEntropyOptions>({
  name: 'binaryCrossEntropy',
  kernel: 'bce_fwd_bwd',
  weights: { weight: 'weight' },
  takesProbabilities: true,
  element,
  samples: [
    ...underReductions(probabilities([2, 3])),
    ...underReductions(probabilities([6, 3]), { weight: { shape: [3] } }),
  ],
  badSamples: [
    {
      x: [
        [2, 3],
        [2, 3],
      ],
      args: [{ weight: { shape: [2] } }],
      message: 'broadcast',
    },
    { x: [[3], [3]], args: [{ weight: { shape: [2, 3] } }], message: 'weights that broadcast to shape [3]' },
    { x: [[3], [3]], args: [{ weight: 2 }], message: 'weight to be a Tensor' },
  ],
})

/** Checks the options; throws TypeError or RangeError. */
export const checkBinaryCrossEntropy = check

/**
 * `-w·(t·log x + (1 - t)·log(1 - x))`, each logarithm at least -100, reduced. x and target: probabilities of one shape;
 * ERR_LABEL_RANGE outside of [0, 1]. Source: torch.nn.functional.binary_cross_entropy.
 */
export const binaryCrossEntropy = op
