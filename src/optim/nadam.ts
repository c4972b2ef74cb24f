/** NAdam: Adam with Nesterov momentum. */

import { Optimizer, type Params } from './optimizer.js'
import { betasOption, decayParts, direction, flag, numberOption, type UpdateRule } from './rule.js'

/** Options of `NAdam`. */
export interface NAdamOptions {
  /** Learning rate. Default 2e-3. */
  lr?: number
  /** Decay rates of the running means of g and g². Default [0.9, 0.999]. */
  betas?: [number, number]
  /** Added to the denominator. Default 1e-8. */
  eps?: number
  /** L2 penalty added to the gradient; decoupled: share of `lr·p` taken off p. Default 0. */
  weightDecay?: number
  /** How fast momentum rises to beta1. Default 4e-3. */
  momentumDecay?: number
  /** Take weight decay off p instead of adding it to the gradient, as AdamW does. Default false. */
  decoupledWeightDecay?: boolean
  /** Ascend instead of descend. Default false. */
  maximize?: boolean
}

type Group = Required<NAdamOptions>

const rule: UpdateRule<Group, 'nadam_update'> = {
  name: 'NAdam',
  kernel: 'nadam_update',
  options: {
    lr: numberOption(2e-3),
    betas: betasOption(0.9, 0.999),
    eps: numberOption(1e-8),
    weightDecay: numberOption(0),
    momentumDecay: numberOption(4e-3),
    decoupledWeightDecay: flag(),
    maximize: flag(),
  },
  slots: [{ key: 'exp_avg' }, { key: 'exp_avg_sq', min: 0 }],
  scalars: () => ({ mu_product: 1 }),
  scalarBounds: { mu_product: { min: 0, max: 1 } },
  countsSteps: true,
  updateScalars(group, scalars) {
    const { lr, eps, maximize, momentumDecay } = group
    const [beta1, beta2] = group.betas
    const { step } = scalars
    const mu = beta1 * (1 - 0.5 * 0.96 ** (step * momentumDecay))
    const muNext = beta1 * (1 - 0.5 * 0.96 ** ((step + 1) * momentumDecay))
    // PyTorch keeps the product in a float32 tensor, for parameters of any dtype.
    scalars.mu_product = Math.fround(scalars.mu_product * Math.fround(mu))
    const { weight_decay, decay } = decayParts(group)
    return {
      step_size: (lr * muNext) / (1 - scalars.mu_product * muNext),
      beta1,
      beta2,
      eps,
      weight_decay,
      decay,
      sqrt_bias_correction2: Math.sqrt(1 - beta2 ** step),
      maximize: Number(maximize),
      gradient_step: (lr * (1 - mu)) / (1 - scalars.mu_product),
    }
  },
  reference: {
    nadam_update({ p, g, exp_avg: m, exp_avg_sq: v, scalars, n }) {
      const { step_size, beta1, beta2, eps, weight_decay, decay, maximize, gradient_step } = scalars
      for (let i = 0; i < n; i++) {
        p[i] *= 1 - decay
        const d = direction(p[i], g[i], weight_decay, maximize)
        m[i] += (d - m[i]) * (1 - beta1)
        v[i] = beta2 * v[i] + (1 - beta2) * d * d
        p[i] -= (gradient_step * d + step_size * m[i]) / (Math.sqrt(v[i]) / scalars.sqrt_bias_correction2 + eps)
      }
    },
  },
}

/**
 * Adam with Nesterov momentum: `μₜ = β₁(1 - ½·0.96^(t·momentumDecay)); p -= lr · ((1-μₜ)g / (1-Πμ) + μₜ₊₁m / (1-Πμ·μₜ₊₁))
 * / (√(v/(1-β₂ᵗ)) + eps)`.
 *
 * ```ts
 * const optimizer = new optim.NAdam(model.parameters(), { lr: 2e-3 })
 * ```
 * Throws RangeError for an option out of range. Source: Dozat (2016); torch.optim.NAdam.
 */
export class NAdam extends Optimizer {
  static readonly rule = rule

  constructor(params: Params, options: NAdamOptions = {}) {
    super(rule, params, options)
  }
}
