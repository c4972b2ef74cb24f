/** Stochastic gradient descent. */

import { rangeError } from '../base/errors.js'
import { Optimizer, type Params } from './optimizer.js'
import { direction, flag, numberOption, type UpdateRule } from './rule.js'

/** Options of `SGD`. */
export interface SGDOptions {
  /** Learning rate. Default 1e-3. */
  lr?: number
  /** Share of the previous step that goes on. Default 0. */
  momentum?: number
  /** Share of the gradient that does not enter the momentum. Default 0. */
  dampening?: number
  /** L2 penalty added to the gradient. Default 0. */
  weightDecay?: number
  /** Nesterov momentum; needs momentum and no dampening. Default false. */
  nesterov?: boolean
  /** Ascend instead of descend. Default false. */
  maximize?: boolean
}

const rule: UpdateRule<Required<SGDOptions>, 'sgd_update'> = {
  name: 'SGD',
  kernel: 'sgd_update',
  options: {
    lr: numberOption(1e-3),
    momentum: numberOption(0),
    dampening: numberOption(0, {}),
    weightDecay: numberOption(0),
    nesterov: flag(),
    maximize: flag(),
  },
  slots: [{ key: 'momentum_buffer', when: ({ momentum }) => momentum !== 0 }],
  countsSteps: false,
  updateScalars: ({ lr, momentum, dampening, weightDecay, nesterov, maximize }, { step }) => ({
    lr,
    momentum,
    dampening,
    weight_decay: weightDecay,
    nesterov: Number(nesterov),
    maximize: Number(maximize),
    first: Number(step === 1),
  }),
  steady: true,
  checkGroup(where, { nesterov, momentum, dampening }) {
    if (nesterov && (momentum <= 0 || dampening !== 0)) {
      throw rangeError(
        where,
        'nesterov with a momentum and without dampening',
        `momentum ${momentum}, dampening ${dampening}`,
      )
    }
  },
  reference: {
    sgd_update({ p, g, momentum_buffer: buffer, scalars, n }) {
      const { lr, momentum, dampening, weight_decay, nesterov, maximize, first } = scalars
      for (let i = 0; i < n; i++) {
        let d = direction(p[i], g[i], weight_decay, maximize)
        if (buffer && momentum !== 0) {
          buffer[i] = first ? d : momentum * buffer[i] + (1 - dampening) * d
          d = nesterov ? d + momentum * buffer[i] : buffer[i]
        }
        p[i] -= lr * d
      }
    },
  },
}

/**
 * Stochastic gradient descent: `d = g + weightDecay·p; b = momentum·b + (1 - dampening)·d; p -= lr·b` (with nesterov:
 * `p -= lr·(d + momentum·b)`).
 *
 * ```ts
 * const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 })
 * ```
 * Throws RangeError for a negative or NaN option. Source: torch.optim.SGD.
 */
export class SGD extends Optimizer {
  static readonly rule = rule

  constructor(params: Params, options: SGDOptions = {}) {
    super(rule, params, options)
  }
}
