/** Rprop: resilient backpropagation, for full batches. */

import { checkNumber } from '../base/check.js'
import { rangeError } from '../base/errors.js'
import type { TwinArguments } from '../emitters/emitter.js'
import { Optimizer, type Params } from './optimizer.js'
import { flag, numberOption, pairOption, type UpdateRule } from './rule.js'

/** Options of `Rprop`. */
export interface RpropOptions {
  /** Step size of the first update. Default 1e-2. */
  lr?: number
  /** Factors of the step size when the gradient's sign changes, and when it stays. Default [0.5, 1.2]. */
  etas?: [number, number]
  /** Smallest and largest step size. Default [1e-6, 50]. */
  stepSizes?: [number, number]
  /** Ascend instead of descend. Default false. */
  maximize?: boolean
}

function update({ p, g, prev, step_size: stepSize, scalars, n }: TwinArguments<'rprop_update'>): void {
  const { lr, eta_minus: minus, eta_plus: plus, smallest, largest, maximize, first } = scalars
  for (let i = 0; i < n; i++) {
    const d = maximize ? -g[i] : g[i]
    const agreement = first ? 0 : d * prev[i]
    const factor = agreement > 0 ? plus : agreement < 0 ? minus : 1
    stepSize[i] = Math.min(largest, Math.max(smallest, (first ? lr : stepSize[i]) * factor))
    prev[i] = agreement < 0 ? 0 : d
    p[i] -= (Math.sign(prev[i]) || 0) * stepSize[i]
  }
}

const rule: UpdateRule<Required<RpropOptions>, 'rprop_update'> = {
  name: 'Rprop',
  kernel: 'rprop_update',
  options: {
    lr: numberOption(1e-2),
    etas: pairOption([0.5, 1.2], (where, name, value) => checkNumber(where, name, value, { above: 0 })),
    stepSizes: pairOption([1e-6, 50], (where, name, value) =>
      checkNumber(where, name, value, { min: 0, max: Infinity }),
    ),
    maximize: flag(),
  },
  slots: [{ key: 'prev' }, { key: 'step_size', min: 0 }],
  countsSteps: true,
  updateScalars: ({ lr, etas, stepSizes, maximize }, { step }) => ({
    lr,
    eta_minus: etas[0],
    eta_plus: etas[1],
    smallest: stepSizes[0],
    largest: stepSizes[1],
    maximize: Number(maximize),
    first: Number(step === 1),
  }),
  checkGroup(where, { etas }) {
    if (etas[0] >= 1 || etas[1] <= 1) throw rangeError(where, 'etas to lie below and above 1', etas)
  },
  reference: { rprop_update: update },
}

/**
 * Rprop: each weight has a step size `s`, times `etas[1]` while its gradient keeps its sign and `etas[0]` when the sign
 * changes (then the weight stays for one update): `p -= sign(g)·s`.
 *
 * ```ts
 * const optimizer = new optim.Rprop(model.parameters(), { lr: 0.01 })
 * ```
 * Throws RangeError for an option out of range. Source: Riedmiller and Braun (1993); torch.optim.Rprop.
 */
export class Rprop extends Optimizer {
  static readonly rule = rule

  constructor(params: Params, options: RpropOptions = {}) {
    super(rule, params, options)
  }
}
