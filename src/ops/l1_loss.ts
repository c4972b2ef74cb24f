/** The absolute error. */

import { defineElementLoss, underReductions } from './element_loss.js'
import type { LossOptions } from './reduced_loss.js'
import { smoothL1 } from './smooth_l1_loss.js'

const { op, check } = defineElementLoss<LossOptions>({
  name: 'l1Loss',
  kernel: 'smooth_l1_fwd_bwd',
  scalars: () => ({ beta: 0 }),
  element: (x, target, { beta }) => smoothL1(x, target, beta),
  samples: underReductions([
    [2, 3],
    [2, 3],
  ]),
})

/** Checks the options; throws TypeError or RangeError. */
export const checkL1 = check

/**
 * Absolute error `|x - target|`, reduced; target: of the prediction's shape. The slope at 0 is 0.
 * Source: torch.nn.functional.l1_loss.
 */
export const l1Loss = op
