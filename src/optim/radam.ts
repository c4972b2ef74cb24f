/** RAdam: Adam whose variance is rectified while it is still uncertain. */

import { Optimizer, type Params } from './optimizer.js'
import { betasOption, decayParts, direction, flag, numberOption, type UpdateRule } from './rule.js'

/** Options of `RAdam`. */
export interface RAdamOptions {
  /** Learning rate. Default 1e-3. */
  lr?: number
  /** Decay rates of the running means of g and g². Default [0.9, 0.999]. */
  betas?: [number, number]
  /** Added to the denominator. Default 1e-8. */
  eps?: number
  /** L2 penalty added to the gradient; decoupled: share of `lr·p` taken off p. Default 0. */
  weightDecay?: number
  /** Take weight decay off p instead of adding it to the gradient, as AdamW does. Default false. */
  decoupledWeightDecay?: boolean
  /** Ascend instead of descend. Default false. */
  maximize?: boolean
}

/** The factor of a step by the variance, or null while too few gradients have been seen to know it. */
function rectification(beta2: number, step: number): number | null {
  const correction2 = 1 - beta2 ** step
  const rhoInf = 2 / (1 - beta2) - 1
  const rho = rhoInf - (2 * step * beta2 ** step) / correction2
  if (rho <= 5) return null
  const rectified = Math.sqrt(((rho - 4) * (rho - 2) * rhoInf) / ((rhoInf - 4) * (rhoInf - 2) * rho))
  return rectified * Math.sqrt(correction2)
}

const rule: UpdateRule<Required<RAdamOptions>, 'radam_update'> = {
  name: 'RAdam',
  kernel: 'radam_update',
  options: {
    lr: numberOption(1e-3),
    betas: betasOption(0.9, 0.999),
    eps: numberOption(1e-8),
    weightDecay: numberOption(0),
    decoupledWeightDecay: flag(),
    maximize: flag(),
  },
  slots: [{ key: 'exp_avg' }, { key: 'exp_avg_sq', min: 0 }],
  countsSteps: true,
  updateScalars(group, { step }) {
    const { lr, eps, maximize } = group
    const [beta1, beta2] = group.betas
    const factor = rectification(beta2, step)
    const { weight_decay, decay } = decayParts(group)
    return {
      step_size: (lr / (1 - beta1 ** step)) * (factor ?? 1),
      beta1,
      beta2,
      eps,
      weight_decay,
      decay,
      sqrt_bias_correction2: 1,
      maximize: Number(maximize),
      rectified: Number(factor !== null),
    }
  },
  reference: {
    radam_update({ p, g, exp_avg: m, exp_avg_sq: v, scalars, n }) {
      const { step_size, beta1, beta2, eps, weight_decay, decay, maximize, rectified } = scalars
      for (let i = 0; i < n; i++) {
        p[i] *= 1 - decay
        const d = direction(p[i], g[i], weight_decay, maximize)
        m[i] += (d - m[i]) * (1 - beta1)
        v[i] = beta2 * v[i] + (1 - beta2) * d * d
        p[i] -= (step_size * m[i]) / (rectified ? Math.sqrt(v[i]) + eps : 1)
      }
    },
  },
}

/**
 * Rectified Adam: with `ρₜ = ρ∞ - 2tβ₂ᵗ/(1-β₂ᵗ)`, `ρ∞ = 2/(1-β₂) - 1`: while `ρₜ <= 5` `p -= lr·m/(1-β₁ᵗ)`, then that times
 * `√(1-β₂ᵗ) / (√v + eps) · √((ρₜ-4)(ρₜ-2)ρ∞ / ((ρ∞-4)(ρ∞-2)ρₜ))`.
 *
 * ```ts
 * const optimizer = new optim.RAdam(model.parameters(), { lr: 1e-3 })
 * ```
 * Throws RangeError for an option out of range. Source: Liu et al. (2020); torch.optim.RAdam.
 */
export class RAdam extends Optimizer {
  static readonly rule = rule

  constructor(params: Params, options: RAdamOptions = {}) {
    super(rule, params, options)
  }
}
