/** Adamax. */

import { Optimizer, type Params } from './optimizer.js'
import { betasOption, direction, flag, numberOption, type UpdateRule } from './rule.js'

/** Options of `Adamax`. */
export interface AdamaxOptions {
  /** Learning rate. Default 2e-3. */
  lr?: number
  /** Decay rates of the running mean of g and of its largest size. Default [0.9, 0.999]. */
  betas?: [number, number]
  /** Added to |g| before the maximum is taken. Default 1e-8. */
  eps?: number
  /** L2 penalty added to the gradient. Default 0. */
  weightDecay?: number
  /** Ascend instead of descend. Default false. */
  maximize?: boolean
}

const rule: UpdateRule<Required<AdamaxOptions>, 'adamax_update'> = {
  name: 'Adamax',
  kernel: 'adamax_update',
  options: {
    lr: numberOption(2e-3),
    betas: betasOption(0.9, 0.999),
    eps: numberOption(1e-8),
    weightDecay: numberOption(0),
    maximize: flag(),
  },
  slots: [{ key: 'exp_avg' }, { key: 'exp_inf', min: 0 }],
  countsSteps: true,
  updateScalars: ({ lr, betas: [beta1, beta2], eps, weightDecay, maximize }, { step }) => ({
    step_size: lr / (1 - beta1 ** step),
    eps,
    beta1,
    beta2,
    weight_decay: weightDecay,
    maximize: Number(maximize),
  }),
  reference: {
    adamax_update({ p, g, exp_avg: expAvg, exp_inf: expInf, scalars, n }) {
      const { step_size, eps, beta1, beta2, weight_decay, maximize } = scalars
      for (let i = 0; i < n; i++) {
        const d = direction(p[i], g[i], weight_decay, maximize)
        expAvg[i] += (d - expAvg[i]) * (1 - beta1)
        expInf[i] = Math.max(beta2 * expInf[i], Math.abs(d) + eps)
        p[i] -= (step_size * expAvg[i]) / expInf[i]
      }
    },
  },
}

/**
 * Adamax, Adam with the infinity norm: `m = β₁m + (1-β₁)g; u = max(β₂u, |g| + eps); p -= lr/(1-β₁ᵗ) · m / u`.
 *
 * ```ts
 * const optimizer = new optim.Adamax(model.parameters(), { lr: 2e-3 })
 * ```
 * Throws RangeError for an option out of range. Source: Kingma and Ba (2015), section 7.1; torch.optim.Adamax.
 */
export class Adamax extends Optimizer {
  static readonly rule = rule

  constructor(params: Params, options: AdamaxOptions = {}) {
    super(rule, params, options)
  }
}
