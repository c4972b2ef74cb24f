/** RMSprop. */

import type { TwinArguments } from '../emitters/emitter.js'
import { Optimizer, type Params } from './optimizer.js'
import { direction, flag, numberOption, type UpdateRule } from './rule.js'

/** Options of `RMSprop`. */
export interface RMSpropOptions {
  /** Learning rate. Default 1e-2. */
  lr?: number
  /** Decay rate of the running mean of g². Default 0.99. */
  alpha?: number
  /** Added to the denominator. Default 1e-8. */
  eps?: number
  /** L2 penalty added to the gradient. Default 0. */
  weightDecay?: number
  /** Share of the previous step that goes on. Default 0. */
  momentum?: number
  /** Divide by the standard deviation of g instead of the root of its mean square. Default false. */
  centered?: boolean
  /** Ascend instead of descend. Default false. */
  maximize?: boolean
}

function update({ p, g, square_avg: squareAvg, grad_avg: gradAvg, ...rest }: TwinArguments<'rmsprop_update'>): void {
  const { momentum_buffer: buffer, n, scalars } = rest
  const { lr, eps, alpha, weight_decay, momentum, maximize } = scalars
  for (let i = 0; i < n; i++) {
    const d = direction(p[i], g[i], weight_decay, maximize)
    squareAvg[i] = alpha * squareAvg[i] + (1 - alpha) * d * d
    if (gradAvg) gradAvg[i] += (d - gradAvg[i]) * (1 - alpha)
    let step = d / (Math.sqrt(squareAvg[i] - (gradAvg ? gradAvg[i] ** 2 : 0)) + eps)
    if (buffer && momentum !== 0) step = buffer[i] = momentum * buffer[i] + step
    p[i] -= lr * step
  }
}

const rule: UpdateRule<Required<RMSpropOptions>, 'rmsprop_update'> = {
  name: 'RMSprop',
  kernel: 'rmsprop_update',
  options: {
    lr: numberOption(1e-2),
    alpha: numberOption(0.99),
    eps: numberOption(1e-8),
    weightDecay: numberOption(0),
    momentum: numberOption(0),
    centered: flag(),
    maximize: flag(),
  },
  slots: [
    { key: 'square_avg', min: 0 },
    { key: 'grad_avg', when: ({ centered }) => centered },
    { key: 'momentum_buffer', when: ({ momentum }) => momentum > 0 },
  ],
  countsSteps: true,
  updateScalars: ({ lr, eps, alpha, weightDecay, momentum, maximize }) => ({
    lr,
    eps,
    alpha,
    weight_decay: weightDecay,
    momentum,
    maximize: Number(maximize),
  }),
  steady: true,
  reference: { rmsprop_update: update },
}

/**
 * RMSprop: `v = αv + (1-α)g²; p -= lr · g / (√v + eps)`; centered: `√(v - m²)` with `m` the running mean of g; with
 * momentum: `b = momentum·b + g / (√v + eps); p -= lr·b`.
 *
 * ```ts
 * const optimizer = new optim.RMSprop(model.parameters(), { lr: 0.01, momentum: 0.9 })
 * ```
 * Throws RangeError for an option out of range. Source: Hinton, lecture 6e (2012); torch.optim.RMSprop.
 */
export class RMSprop extends Optimizer {
  static readonly rule = rule

  constructor(params: Params, options: RMSpropOptions = {}) {
    super(rule, params, options)
  }
}
