/** ASGD: stochastic gradient descent that keeps the average of its points. */

import { Optimizer, type Params } from './optimizer.js'
import { direction, flag, numberOption, type UpdateRule } from './rule.js'

/** Options of `ASGD`. */
export interface ASGDOptions {
  /** Learning rate. Default 1e-2. */
  lr?: number
  /** Decay term. Default 1e-4. */
  lambd?: number
  /** Power by which the rate falls. Default 0.75. */
  alpha?: number
  /** Update after which points are averaged. Default 1e6. */
  t0?: number
  /** L2 penalty added to the gradient. Default 0. */
  weightDecay?: number
  /** Ascend instead of descend. Default false. */
  maximize?: boolean
}

const rule: UpdateRule<Required<ASGDOptions>, 'asgd_update'> = {
  name: 'ASGD',
  kernel: 'asgd_update',
  options: {
    lr: numberOption(1e-2),
    lambd: numberOption(1e-4, {}),
    alpha: numberOption(0.75, {}),
    t0: numberOption(1e6, {}),
    weightDecay: numberOption(0),
    maximize: flag(),
  },
  slots: [{ key: 'ax' }],
  scalars: ({ lr }) => ({ eta: Math.fround(lr), mu: 1 }),
  countsSteps: true,
  updateScalars({ lr, lambd, alpha, t0, weightDecay, maximize }, scalars) {
    const { step } = scalars
    const eta = step === 1 ? Math.fround(lr) : scalars.eta
    const decay = lambd * eta
    const now = { eta, decay, mu: scalars.mu, weight_decay: weightDecay, maximize: Number(maximize) }
    // Those of the next update. PyTorch keeps both in float32 tensors, for parameters of any dtype.
    scalars.eta = Math.fround(lr / (1 + lambd * lr * step) ** alpha)
    scalars.mu = Math.fround(1 / Math.max(1, step - t0))
    return now
  },
  reference: {
    asgd_update({ p, g, ax, scalars: { eta, decay, mu, weight_decay, maximize }, n }) {
      for (let i = 0; i < n; i++) {
        const d = direction(p[i], g[i], weight_decay, maximize)
        p[i] = p[i] * (1 - decay) - eta * d
        ax[i] = mu === 1 ? p[i] : ax[i] + (p[i] - ax[i]) * mu
      }
    },
  },
}

/**
 * Averaged SGD: `p = (1 - lambd·η)p - η·g; η = lr / (1 + lambd·lr·t)^alpha`; `ax` is p until `t0`, then the mean of the
 * points since. The average is in the state (`stateDict().state[i].ax`).
 *
 * ```ts
 * const optimizer = new optim.ASGD(model.parameters(), { lr: 0.1, t0: 100 })
 * ```
 * Throws RangeError for a negative rate or decay. Source: Polyak and Juditsky (1992); torch.optim.ASGD.
 */
export class ASGD extends Optimizer {
  static readonly rule = rule

  constructor(params: Params, options: ASGDOptions = {}) {
    super(rule, params, options)
  }
}
