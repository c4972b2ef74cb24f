/** Adadelta. */

import { Optimizer, type Params } from './optimizer.js'
import { direction, flag, numberOption, type UpdateRule } from './rule.js'

/** Options of `Adadelta`. */
export interface AdadeltaOptions {
  /** Factor of the step. Default 1. */
  lr?: number
  /** Decay rate of the running means of g² and of the steps' squares. Default 0.9. */
  rho?: number
  /** Added to both means under the root. Default 1e-6. */
  eps?: number
  /** L2 penalty added to the gradient. Default 0. */
  weightDecay?: number
  /** Ascend instead of descend. Default false. */
  maximize?: boolean
}

const rule: UpdateRule<Required<AdadeltaOptions>, 'adadelta_update'> = {
  name: 'Adadelta',
  kernel: 'adadelta_update',
  options: {
    lr: numberOption(1),
    rho: numberOption(0.9, { min: 0, max: 1 }),
    eps: numberOption(1e-6),
    weightDecay: numberOption(0),
    maximize: flag(),
  },
  slots: [
    { key: 'square_avg', min: 0 },
    { key: 'acc_delta', min: 0 },
  ],
  countsSteps: true,
  updateScalars: ({ lr, rho, eps, weightDecay, maximize }) => ({
    lr,
    eps,
    rho,
    weight_decay: weightDecay,
    maximize: Number(maximize),
  }),
  steady: true,
  reference: {
    adadelta_update({ p, g, square_avg: squareAvg, acc_delta: accDelta, scalars, n }) {
      const { lr, eps, rho, weight_decay, maximize } = scalars
      for (let i = 0; i < n; i++) {
        const d = direction(p[i], g[i], weight_decay, maximize)
        squareAvg[i] = rho * squareAvg[i] + (1 - rho) * d * d
        const delta = (Math.sqrt(accDelta[i] + eps) / Math.sqrt(squareAvg[i] + eps)) * d
        accDelta[i] = rho * accDelta[i] + (1 - rho) * delta * delta
        p[i] -= lr * delta
      }
    },
  },
}

/**
 * Adadelta: `v = ρv + (1-ρ)g²; Δ = √(u + eps) / √(v + eps) · g; u = ρu + (1-ρ)Δ²; p -= lr·Δ`.
 *
 * ```ts
 * const optimizer = new optim.Adadelta(model.parameters())
 * ```
 * Throws RangeError for a negative option or rho above 1. Source: Zeiler (2012); torch.optim.Adadelta.
 */
export class Adadelta extends Optimizer {
  static readonly rule = rule

  constructor(params: Params, options: AdadeltaOptions = {}) {
    super(rule, params, options)
  }
}
