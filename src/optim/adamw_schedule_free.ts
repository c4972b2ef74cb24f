/** Schedule-free AdamW. */

import { rangeError } from '../base/errors.js'
import type { ParamGroup, Params } from './optimizer.js'
import { betasOption, direction, numberOption, type UpdateRule } from './rule.js'
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

/** Options of `AdamWScheduleFree`. */
export interface AdamWScheduleFreeOptions extends AverageOptions {
  /** Learning rate. Default 2.5e-3. */
  lr?: number
  /** Share of the average in the point where gradients are taken; decay rate of the running mean of g². Default [0.9, 0.999]. */
  betas?: [number, number]
  /** Added to the denominator. Default 1e-8. */
  eps?: number
  /** Share of y in the direction. Default 0. */
  weightDecay?: number
}

const rule: UpdateRule<Required<AdamWScheduleFreeOptions>, 'adamw_schedule_free_update'> = {
  name: 'AdamWScheduleFree',
  kernel: 'adamw_schedule_free_update',
  options: {
    lr: numberOption(2.5e-3),
    betas: betasOption(0.9, 0.999),
    eps: numberOption(1e-8),
    weightDecay: numberOption(0),
    ...averageOptions,
  },
  slots: [{ key: 'z' }, { key: 'exp_avg_sq', min: 0 }],
  scalars: averageScalars,
  scalarBounds: averageBounds,
  countsSteps: true,
  updateScalars(group, scalars) {
    const { eps, weightDecay } = group
    const [beta1, beta2] = group.betas
    const lr = warmedUp(group, scalars.step) * Math.sqrt(1 - beta2 ** scalars.step)
    const average = averageUpdate(group, scalars, lr, beta1)
    return { ...average, eps, beta2, weight_decay: weightDecay, first: Number(scalars.step === 1) }
  },
  checkGroup(where, { betas }) {
    if (betas[0] === 0) throw rangeError(where, 'betas[0] to be greater than 0', 0)
  },
  reference: {
    ...lerpTwin,
    adamw_schedule_free_update({ p: y, g, z, exp_avg_sq: v, scalars, n }) {
      const { eps, beta2, weight_decay, first } = scalars
      for (let i = 0; i < n; i++) {
        if (first) z[i] = y[i]
        v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i]
        moveAverage(y, z, i, direction(y[i], g[i] / (Math.sqrt(v[i]) + eps), weight_decay, 0), scalars)
      }
    },
  },
}

/**
 * Schedule-free AdamW: `d = g(y) / (√v + eps) + weightDecay·y; z -= lr·√(1-β₂ᵗ)·d; x += c·(z - x); y = (1-β₁)z + β₁x` with
 * `c` the newest point's weight in the average; in place of a schedule.
 *
 * ```ts
 * const optimizer = new optim.AdamWScheduleFree(model.parameters(), { lr: 0.01, warmupSteps: 100 })
 * optimizer.train()                       // in an explicit loop; fit switches by itself
 * ```
 * Throws RangeError for an option out of range; `step` throws ERR_STATE after `eval()`.
 * Source: Defazio et al. (2024); schedulefree.AdamWScheduleFree.
 */
export class AdamWScheduleFree extends ScheduleFree {
  static readonly rule = rule

  constructor(params: Params, options: AdamWScheduleFreeOptions = {}) {
    super(rule, params, options)
  }

  protected override betaOf({ betas }: ParamGroup): number {
    return betas[0]
  }
}
