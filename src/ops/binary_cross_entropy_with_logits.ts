/** Sigmoid and binary cross-entropy in one op, without overflow. */

import { defineElementLoss, underReductions } from './element_loss.js'
import type { LossOptions } from './reduced_loss.js'
import { logistic } from './sigmoid.js'
import { logOnePlusExp } from './softplus.js'
import type { Operand } from './spec.js'

/** Options of `binaryCrossEntropyWithLogits`. */
export interface BinaryCrossEntropyWithLogitsOptions extends LossOptions {
  /** Weight of each element, broadcast to the logits' shape. Default: all 1. */
  weight?: Operand | null
  /** Weight of what is positive, one per class for instance; broadcast likewise. Default: all 1. */
  posWeight?: Operand | null
}

function element(x: number, target: number, { weight, pos_weight: positive }: Readonly<Record<string, number>>) {
  const [of, ofMinus] = [logOnePlusExp(x), logOnePlusExp(-x)]
  return {
    value: weight * (positive * target * ofMinus + (1 - target) * of),
    dx: weight * ((1 - target) * logistic(x) - positive * target * logistic(-x)),
    dtarget: weight * (positive * ofMinus - of),
  }
}

const operands = (shape: number[]) => [shape, { shape, from: 0, to: 1 }]

const { op, check } = defineElementLoss<BinaryCrossEntropyWithLogitsOptions>({
  name: 'binaryCrossEntropyWithLogits',
  kernel: 'bce_logits_fwd_bwd',
  weights: { weight: 'weight', pos_weight: 'posWeight' },
  element,
  samples: [
    ...underReductions(operands([2, 3])),
    ...underReductions(operands([6, 3]), { weight: { shape: [6, 1] } }),
    ...underReductions(operands([6, 3]), { weight: { shape: [] }, posWeight: { shape: [3] } }),
  ],
  badSamples: [
    {
      x: [
        [2, 3],
        [2, 3],
      ],
      args: [{ posWeight: { shape: [2] } }],
      message: 'broadcast',
    },
  ],
})

/** Checks the options; throws TypeError or RangeError. */
export const checkBinaryCrossEntropyWithLogits = check

/**
 * With σ the logistic function: `-w·(p·t·log σ(x) + (1 - t)·log(1 - σ(x)))`, reduced; target: of the logits' shape.
 * Source: torch.nn.functional.binary_cross_entropy_with_logits.
 */
export const binaryCrossEntropyWithLogits = op
