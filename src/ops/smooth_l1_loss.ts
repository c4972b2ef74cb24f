/** The absolute error with a parabola at its tip. */

import { checkNumber } from '../base/check.js'
import { defineElementLoss, underReductions } from './element_loss.js'
import type { LossOptions } from './reduced_loss.js'

/** Options of `smoothL1Loss`. */
export interface SmoothL1Options extends LossOptions {
  /** Where the parabola ends, >= 0; 0 is the absolute error. Default 1. */
  beta?: number
}

/** Value and slopes for one element. */
export function smoothL1(x: number, target: number, beta: number) {
  const d = x - target
  if (Math.abs(d) >= beta) return { value: Math.abs(d) - 0.5 * beta, dx: Math.sign(d), dtarget: -Math.sign(d) }
  const ratio = beta === 0 ? 0 : d / beta
  return { value: 0.5 * d * ratio, dx: ratio, dtarget: -ratio }
}

const { op, check } = defineElementLoss<SmoothL1Options>({
  name: 'smoothL1Loss',
  kernel: 'smooth_l1_fwd_bwd',
  known: ['beta'],
  scalars: ({ beta = 1 }) => ({ beta: checkNumber('smoothL1Loss', 'beta', beta, { min: 0 }) }),
  element: (x, target, { beta }) => smoothL1(x, target, beta),
  samples: [
    ...underReductions([
      [2, 3],
      [2, 3],
    ]),
    ...underReductions([[17], [17]], { beta: 0.3 }),
    {
      x: [
        [2, 3],
        [2, 3],
      ],
      args: [{ beta: 0 }],
    },
  ],
  badSamples: [{ x: [[2], [2]], args: [{ beta: -1 }], message: 'beta to be a finite number at least 0' }],
})

/** Checks the options; throws TypeError or RangeError. */
export const checkSmoothL1 = check

/**
 * With d = x - target: `d²/(2 beta)` where |d| < beta, else `|d| - beta/2`, reduced; target: of the prediction's shape.
 * Source: torch.nn.functional.smooth_l1_loss.
 */
export const smoothL1Loss = op
