/** Adam, and AdamW's decoupled weight decay on top of it. */

import type { TwinArguments } from '../emitters/emitter.js'
import { Optimizer, type Params } from './optimizer.js'
import { betasOption, direction, flag, numberOption, type UpdateRule } from './rule.js'

/** Options of `Adam` and `AdamW`. */
export interface AdamOptions {
  /** Learning rate. Default 1e-3. */
  lr?: number
  /** Decay rates of the running means of g and g². Default [0.9, 0.999]. */
  betas?: [number, number]
  /** Added to the denominator. Default 1e-8. */
  eps?: number
  /** Adam: L2 penalty added to the gradient, default 0. AdamW: share of `lr·p` taken off p, default 0.01. */
  weightDecay?: number
  /** Divide by the largest mean of g² so far. Default false. */
  amsgrad?: boolean
  /** Ascend instead of descend. Default false. */
  maximize?: boolean
}

type Group = Required<AdamOptions>

/** Scalars of update `step`: the penalty that is added to the gradient, and the share of p that goes first. */
function scalarsAt({ lr, betas, eps, maximize }: Group, step: number, weight_decay: number, decay: number) {
  const [beta1, beta2] = betas
  return {
    step_size: lr / (1 - beta1 ** step),
    beta1,
    beta2,
    eps,
    weight_decay,
    decay,
    sqrt_bias_correction2: Math.sqrt(1 - beta2 ** step),
    maximize: Number(maximize),
  }
}

function adamUpdate({
  p,
  g,
  exp_avg: m,
  exp_avg_sq: v,
  max_exp_avg_sq: vMax,
  scalars,
  n,
}: TwinArguments<'adam_update'>) {
  const { step_size, beta1, beta2, eps, weight_decay, decay, sqrt_bias_correction2, maximize } = scalars
  for (let i = 0; i < n; i++) {
    p[i] *= 1 - decay
    const d = direction(p[i], g[i], weight_decay, maximize)
    m[i] += (d - m[i]) * (1 - beta1)
    v[i] = beta2 * v[i] + (1 - beta2) * d * d
    if (vMax) vMax[i] = Math.max(vMax[i], v[i])
    p[i] -= (step_size * m[i]) / (Math.sqrt(vMax ? vMax[i] : v[i]) / sqrt_bias_correction2 + eps)
  }
}

const shared = {
  kernel: 'adam_update' as const,
  slots: [
    { key: 'exp_avg' },
    { key: 'exp_avg_sq', min: 0 },
    { key: 'max_exp_avg_sq', min: 0, when: ({ amsgrad }: Group) => amsgrad },
  ],
  countsSteps: true,
  reference: { adam_update: adamUpdate },
}

function optionsWith(weightDecay: number) {
  return {
    lr: numberOption(1e-3),
    betas: betasOption(0.9, 0.999),
    eps: numberOption(1e-8),
    weightDecay: numberOption(weightDecay),
    amsgrad: flag(),
    maximize: flag(),
  }
}

const adam: UpdateRule<Group, 'adam_update'> = {
  ...shared,
  name: 'Adam',
  options: optionsWith(0),
  fixed: { decoupledWeightDecay: false },
  updateScalars: (group, { step }) => scalarsAt(group, step, group.weightDecay, 0),
}

const adamW: UpdateRule<Group, 'adam_update'> = {
  ...shared,
  name: 'AdamW',
  options: optionsWith(0.01),
  fixed: { decoupledWeightDecay: true },
  updateScalars: (group, { step }) => scalarsAt(group, step, 0, group.lr * group.weightDecay),
}

/**
 * Adam: `m = β₁m + (1-β₁)g; v = β₂v + (1-β₂)g²; p -= lr/(1-β₁ᵗ) · m / (√v/√(1-β₂ᵗ) + eps)`.
 *
 * ```ts
 * const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 })
 * ```
 * Throws RangeError for an option out of range. Source: Kingma and Ba (2015); torch.optim.Adam.
 */
export class Adam extends Optimizer {
  static readonly rule = adam

  constructor(params: Params, options: AdamOptions = {}) {
    super(adam, params, options)
  }
}

/**
 * Adam with decoupled weight decay: `p *= 1 - lr·weightDecay`, then Adam's update without the penalty.
 *
 * ```ts
 * const optimizer = new optim.AdamW(model.parameters(), { lr: 1e-3, weightDecay: 0.01 })
 * ```
 * Source: Loshchilov and Hutter (2019); torch.optim.AdamW.
 */
export class AdamW extends Optimizer {
  static readonly rule = adamW

  constructor(params: Params, options: AdamOptions = {}) {
    super(adamW, params, options)
  }
}
