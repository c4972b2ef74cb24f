/** The squared error. */

import { defineElementLoss, underReductions } from './element_loss.js'
import type { LossOptions } from './reduced_loss.js'

const { op, check } = defineElementLoss<LossOptions>({
  name: 'mseLoss',
  kernel: 'mse_fwd_bwd',
  element: (x, target) => ({ value: (x - target) ** 2, dx: 2 * (x - target), dtarget: 2 * (target - x) }),
  samples: [
    ...underReductions([
      [2, 3],
      [2, 3],
    ]),
    { x: [[17], [17]] },
    { x: [[], []] },
  ],
})

/** Checks the options; throws TypeError or RangeError. */
export const checkMse = check

/** Squared error `(x - target)²`, reduced; target: of the prediction's shape. Source: torch.nn.functional.mse_loss. */
export const mseLoss = op
