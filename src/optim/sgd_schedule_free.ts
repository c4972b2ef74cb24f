/** Schedule-free SGD. */

import type { ParamGroup, Params } from './optimizer.js'
import { direction, numberOption, type UpdateRule } from './rule.js'
import {
  type AverageOptions,
  averageBounds,
  averageOptions,
  averageScalars,
  averageUpdate,
  lerpTwin,
  moveAverage,
  ScheduleFree,
  warmedUp,
} from './schedule_free.js'

/** Options of `SGDScheduleFree`. */
export interface SGDScheduleFreeOptions extends AverageOptions {
  /** Learning rate, ten to fifty times that of a schedule. Default 1. */
  lr?: number
  /** Share of the average in the point where gradients are taken. Default 0.9. */
  momentum?: number
  /** L2 penalty added to the gradient. Default 0. */
  weightDecay?: number
}

const rule: UpdateRule<Required<SGDScheduleFreeOptions>, 'sgd_schedule_free_update'> = {
  name: 'SGDScheduleFree',
  kernel: 'sgd_schedule_free_update',
  options: {
    lr: numberOption(1),
    momentum: numberOption(0.9, { above: 0, below: 1 }),
    weightDecay: numberOption(0),
    ...averageOptions,
  },
  slots: [{ key: 'z' }],
  scalars: averageScalars,
  scalarBounds: averageBounds,
  countsSteps: true,
  updateScalars(group, scalars) {
    const average = averageUpdate(group, scalars, warmedUp(group, scalars.step), group.momentum)
    return { ...average, weight_decay: group.weightDecay, first: Number(scalars.step === 1) }
  },
  reference: {
    ...lerpTwin,
    sgd_schedule_free_update({ p: y, g, z, scalars, n }) {
      const { weight_decay, first } = scalars
      for (let i = 0; i < n; i++) {
        if (first) z[i] = y[i]
        moveAverage(y, z, i, direction(y[i], g[i], weight_decay, 0), scalars)
      }
    },
  },
}

/**
 * Schedule-free SGD: `z -= lr·g(y); x += c·(z - x); y = (1-β)z + βx` with `c` the newest point's weight in the average;
 * in place of a schedule.
 *
 * ```ts
 * const optimizer = new optim.SGDScheduleFree(model.parameters(), { lr: 1 })
 * optimizer.train()                       // in an explicit loop; fit switches by itself
 * ```
 * Throws RangeError for an option out of range; `step` throws ERR_STATE after `eval()`.
 * Source: Defazio et al. (2024); schedulefree.SGDScheduleFree.
 */
export class SGDScheduleFree extends ScheduleFree {
  static readonly rule = rule

  constructor(params: Params, options: SGDScheduleFreeOptions = {}) {
    super(rule, params, options)
  }

  protected override betaOf({ momentum }: ParamGroup): number {
    return momentum
  }
}
