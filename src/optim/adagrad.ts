/** Adagrad. */

import { Optimizer, type Params } from './optimizer.js'
import { direction, flag, numberOption, type UpdateRule } from './rule.js'

/** Options of `Adagrad`. */
export interface AdagradOptions {
  /** Learning rate. Default 1e-2. */
  lr?: number
  /** How fast the rate itself falls: `lr / (1 + (step - 1)·lrDecay)`. Default 0. */
  lrDecay?: number
  /** L2 penalty added to the gradient. Default 0. */
  weightDecay?: number
  /** Where the sum of squares starts. Default 0. */
  initialAccumulatorValue?: number
  /** Added to the denominator. Default 1e-10. */
  eps?: number
  /** Ascend instead of descend. Default false. */
  maximize?: boolean
}

const rule: UpdateRule<Required<AdagradOptions>, 'adagrad_update'> = {
  name: 'Adagrad',
  kernel: 'adagrad_update',
  options: {
    lr: numberOption(1e-2),
    lrDecay: numberOption(0),
    weightDecay: numberOption(0),
    initialAccumulatorValue: numberOption(0),
    eps: numberOption(1e-10),
    maximize: flag(),
  },
  slots: [{ key: 'sum', min: 0, init: ({ initialAccumulatorValue }) => initialAccumulatorValue }],
  countsSteps: true,
  hasStateFromStart: true,
  updateScalars: ({ lr, lrDecay, weightDecay, eps, maximize }, { step }) => ({
    step_size: lr / (1 + (step - 1) * lrDecay),
    eps,
    weight_decay: weightDecay,
    maximize: Number(maximize),
  }),
  reference: {
    adagrad_update({ p, g, sum, scalars: { step_size, eps, weight_decay, maximize }, n }) {
      for (let i = 0; i < n; i++) {
        const d = direction(p[i], g[i], weight_decay, maximize)
        sum[i] += d * d
        p[i] -= (step_size * d) / (Math.sqrt(sum[i]) + eps)
      }
    },
  },
}

/**
 * Adagrad: `s += g²; p -= lr / (1 + (step - 1)·lrDecay) · g / (√s + eps)`.
 *
 * ```ts
 * const optimizer = new optim.Adagrad(model.parameters(), { lr: 0.05 })
 * ```
 * Throws RangeError for a negative option. Source: Duchi, Hazan and Singer (2011); torch.optim.Adagrad.
 */
export class Adagrad extends Optimizer {
  static readonly rule = rule

  constructor(params: Params, options: AdagradOptions = {}) {
    super(rule, params, options)
  }
}
