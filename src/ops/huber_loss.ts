/** The squared error that grows only linearly from some error on. */

import { checkNumber } from '../base/check.js'
import { defineElementLoss, underReductions } from './element_loss.js'
import type { LossOptions } from './reduced_loss.js'

/** Options of `huberLoss`. */
export interface HuberOptions extends LossOptions {
  /** Where the parabola ends, > 0. Default 1. */
  delta?: number
}

function huber(x: number, target: number, delta: number) {
  const d = x - target
  const slope = Math.min(delta, Math.max(-delta, d))
  const value = Math.abs(d) >= delta ? delta * (Math.abs(d) - 0.5 * delta) : 0.5 * d * d
  return { value, dx: slope, dtarget: -slope }
}

const { op, check } = defineElementLoss<HuberOptions>({
  name: 'huberLoss',
  kernel: 'huber_fwd_bwd',
  known: ['delta'],
  scalars: ({ delta = 1 }) => ({ delta: checkNumber('huberLoss', 'delta', delta, { above: 0 }) }),
  element: (x, target, { delta }) => huber(x, target, delta),
  samples: [
    ...underReductions([
      [2, 3],
      [2, 3],
    ]),
    ...underReductions([[17], [17]], { delta: 0.4 }),
  ],
  badSamples: [{ x: [[2], [2]], args: [{ delta: 0 }], message: 'delta to be a finite number greater than 0' }],
})

/** Checks the options; throws TypeError or RangeError. */
export const checkHuber = check

/**
 * With d = x - target: `d²/2` where |d| < delta, else `delta·(|d| - delta/2)`, reduced; target: of the prediction's shape.
 * Source: torch.nn.functional.huber_loss.
 */
export const huberLoss = op
