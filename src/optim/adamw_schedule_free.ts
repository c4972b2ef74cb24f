/** Schedule-free AdamW. */

import { rangeError } from '../base/errors.js'
import type { Floats } from '../emitters/emitter.js'
import type { ParamGroup, Params } from './optimizer.js'
import { betasOption, direction, numberOption, type UpdateRule } from './rule.js'
import {
  type AverageOptions,
  averageBounds,
  averageOptions,
  averageRow,
  averageScalars,
  averageStep,
  lerpTwin,
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

const rule: UpdateRule<Required<AdamWScheduleFreeOptions>> = {
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
  row(group, scalars) {
    const { eps, weightDecay } = group
    const [beta1, beta2] = group.betas
    const lr = warmedUp(group, scalars.step) * Math.sqrt(1 - beta2 ** scalars.step)
    return [...averageRow(group, scalars, lr, beta1), eps, beta2, weightDecay, Number(scalars.step === 1)]
  },
  checkGroup(where, { betas }) {
    if (betas[0] === 0) throw rangeError(where, 'betas[0] to be greater than 0', 0)
  },
  reference: {
    ...lerpTwin,
    adamw_schedule_free_update(y: Floats, g: Floats, z: Floats, v: Floats, row: Floats, n: number) {
      const [, , , eps, beta2, decay, first] = row
      for (let i = 0; i < n; i++) {
        if (first) z[i] = y[i]
        v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i]
        averageStep(y, z, i, direction(y[i], g[i] / (Math.sqrt(v[i]) + eps), decay, 0), row)
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
