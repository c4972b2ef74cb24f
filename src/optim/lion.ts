/** Lion: momentum whose sign is the step. */

import { Optimizer, type Params } from './optimizer.js'
import { betasOption, flag, numberOption, type UpdateRule } from './rule.js'

/** Options of `Lion`. */
export interface LionOptions {
  /** Learning rate, three to ten times smaller than Adam's. Default 1e-4. */
  lr?: number
  /** Share of the mean in the step, and its decay rate. Default [0.9, 0.99]. */
  betas?: [number, number]
  /** Share of `lr·p` taken off p. Default 0. */
  weightDecay?: number
  /** Ascend instead of descend. Default false. */
  maximize?: boolean
}

const rule: UpdateRule<Required<LionOptions>, 'lion_update'> = {
  name: 'Lion',
  kernel: 'lion_update',
  options: {
    lr: numberOption(1e-4),
    betas: betasOption(0.9, 0.99),
    weightDecay: numberOption(0),
    maximize: flag(),
  },
  slots: [{ key: 'exp_avg' }],
  countsSteps: false,
  updateScalars: ({ lr, betas: [beta1, beta2], weightDecay, maximize }) => ({
    lr,
    beta1,
    beta2,
    decay: lr * weightDecay,
    maximize: Number(maximize),
  }),
  steady: true,
  reference: {
    lion_update({ p, g, exp_avg: expAvg, scalars: { lr, beta1, beta2, decay, maximize }, n }) {
      for (let i = 0; i < n; i++) {
        const d = maximize ? -g[i] : g[i]
        const way = Math.sign(beta1 * expAvg[i] + (1 - beta1) * d) || 0
        expAvg[i] = beta2 * expAvg[i] + (1 - beta2) * d
        p[i] = p[i] * (1 - decay) - lr * way
      }
    },
  },
}

/**
 * Lion: `p *= 1 - lr·weightDecay; p -= lr · sign(β₁m + (1-β₁)g); m = β₂m + (1-β₂)g`.
 *
 * ```ts
 * const optimizer = new optim.Lion(model.parameters(), { lr: 3e-4, weightDecay: 0.1 })
 * ```
 * Throws RangeError for an option out of range. Source: Chen et al. (2023), algorithm 2; optax.lion.
 */
export class Lion extends Optimizer {
  static readonly rule = rule

  constructor(params: Params, options: LionOptions = {}) {
    super(rule, params, options)
  }
}
