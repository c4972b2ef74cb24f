/** Muon: momentum whose direction is orthogonalised, for the matrices of hidden layers. */

import { checkInt, checkNumber, checkOneOf } from '../base/check.js'
import { rangeError, typeError } from '../base/errors.js'
import type { Buf, Emitter, Twins } from '../emitters/emitter.js'
import { shapeText } from '../ops/spec.js'
import { Optimizer, type Params } from './optimizer.js'
import { blended, flag, numberOption, type OptionSpec, type Update, type UpdateRule } from './rule.js'

const adjustments = ['original', 'match_rms_adamw'] as const

/** Options of `Muon`. */
export interface MuonOptions {
  /** Learning rate. Default 1e-3. */
  lr?: number
  /** Share of `lr·p` taken off p. Default 0.1. */
  weightDecay?: number
  /** Decay rate of the running mean of g. Default 0.95. */
  momentum?: number
  /** Nesterov momentum. Default true. */
  nesterov?: boolean
  /** Coefficients of the Newton-Schulz iteration. Default [3.4445, -4.775, 2.0315]. */
  nsCoefficients?: [number, number, number]
  /** Smallest norm that is divided by. Default 1e-7. */
  eps?: number
  /** Newton-Schulz iterations, below 100. Default 5. */
  nsSteps?: number
  /** How the rate follows the shape [n, k]: `original` (and null) `√max(1, n/k)`, `match_rms_adamw` `0.2·√max(n, k)`. */
  adjustLrFn?: (typeof adjustments)[number] | null
}

type Group = Required<MuonOptions>

const coefficients: OptionSpec<[number, number, number]> = {
  default: [3.4445, -4.775, 2.0315],
  check(where, name, value) {
    if (!Array.isArray(value) || value.length !== 3) throw typeError(where, `${name} to be three numbers`, value)
    const [a, b, c] = value.map((entry, i) => checkNumber(where, `${name}[${i}]`, entry))
    return [a, b, c]
  },
}

function ratioOf({ adjustLrFn }: Group, n: number, k: number): number {
  return adjustLrFn === 'match_rms_adamw' ? 0.2 * Math.sqrt(Math.max(n, k)) : Math.sqrt(Math.max(1, n / k))
}

/**
 * One Newton-Schulz iteration on x [n, k], by products on the smaller side: `A = x·xᵀ` (or `xᵀ·x`), `B = bA + cA²`,
 * `x = ax + Bx` (or `xB`). A and B are symmetric, so that no product needs a transpose.
 */
function iterate(e: Emitter, x: Buf, scalars: Buf, [n, k]: readonly number[]): Buf {
  const { kernels } = e
  const side = Math.min(n, k)
  const [gram, square, b] = [0, 0, 0].map(() => e.alloc('float32', side * side))
  const [change, next] = [0, 0].map(() => e.alloc('float32', n * k))
  if (n <= k) kernels.linear_fwd({ x, w: x, y: gram, m: n, k, n })
  else kernels.linear_weight_bwd({ dy: x, x, dw: gram, m: n, k, n: k })
  kernels.linear_fwd({ x: gram, w: gram, y: square, m: side, k: side, n: side })
  kernels.muon_polynomial({ gram, square, y: b, scalars, n: side * side })
  if (n <= k) kernels.linear_input_bwd({ dy: b, w: x, dx: change, m: n, k, n })
  else kernels.linear_fwd({ x, w: b, y: change, m: n, k, n: k })
  kernels.muon_iterate({ x, change, y: next, scalars, n: n * k })
  return next
}

function emit(e: Emitter, { p, g, state: { momentum_buffer }, scalars, shape }: Update, group: Group): void {
  const [n, k] = shape
  const size = n * k
  const [u, start] = [0, 0].map(() => e.alloc('float32', size))
  const squares = e.alloc('float64', 1)
  e.kernels.muon_momentum({ g, momentum_buffer, u, scalars, n: size })
  e.kernels.sum_squares({ x: u, total: squares, n: size })
  e.kernels.muon_normalize({ u, squares, x: start, scalars, n: size })
  let x: Buf = start
  for (let i = 0; i < group.nsSteps; i++) x = iterate(e, x, scalars, shape)
  e.kernels.muon_update({ p, x, scalars, n: size, ratio: ratioOf(group, n, k) })
}

const reference: Twins = {
  muon_momentum({ g, momentum_buffer: buffer, u, scalars: { momentum, nesterov }, n }) {
    for (let i = 0; i < n; i++) {
      buffer[i] = blended(buffer[i], g[i], 1 - momentum)
      u[i] = nesterov ? blended(g[i], buffer[i], momentum) : buffer[i]
    }
  },
  sum_squares({ x, total, n }) {
    total[0] = 0
    for (let i = 0; i < n; i++) total[0] += x[i] * x[i]
  },
  muon_normalize({ u, squares, x, scalars: { eps }, n }) {
    const norm = Math.max(Math.sqrt(squares[0]), eps)
    for (let i = 0; i < n; i++) x[i] = u[i] / norm
  },
  muon_polynomial({ gram, square, y, scalars: { b, c }, n }) {
    for (let i = 0; i < n; i++) y[i] = b * gram[i] + c * square[i]
  },
  muon_iterate({ x, change, y, scalars: { a }, n }) {
    for (let i = 0; i < n; i++) y[i] = a * x[i] + change[i]
  },
  muon_update({ p, x, scalars: { lr, decay }, n, ratio }) {
    for (let i = 0; i < n; i++) p[i] = p[i] * (1 - decay) - lr * ratio * x[i]
  },
}

const rule: UpdateRule<Group, 'muon_update'> = {
  name: 'Muon',
  kernel: 'muon_update',
  emit,
  options: {
    lr: numberOption(1e-3),
    weightDecay: numberOption(0.1),
    momentum: numberOption(0.95),
    nesterov: flag(true),
    nsCoefficients: coefficients,
    eps: numberOption(1e-7),
    nsSteps: { default: 5, check: (where, name, value) => checkInt(where, name, value, { min: 0, below: 100 }) },
    adjustLrFn: {
      default: null,
      check: (where, name, value) => (value === null ? null : checkOneOf(where, name, value, adjustments)),
    },
  },
  slots: [{ key: 'momentum_buffer' }],
  countsSteps: false,
  updateScalars: ({ lr, weightDecay, momentum, nesterov, eps, nsCoefficients: [a, b, c] }) => ({
    lr,
    decay: lr * weightDecay,
    momentum,
    nesterov: Number(nesterov),
    eps,
    a,
    b,
    c,
  }),
  checkParam(where, shape) {
    if (shape.length !== 2) throw rangeError(where, 'parameters of two dimensions', shapeText(shape))
  },
  reference,
}

/**
 * Muon: `m += (1 - momentum)(g - m); u = g + momentum·(m - g)` (nesterov), then `p = p - lr·weightDecay·p - lr·ratio·NS(u)`,
 * where NS(u) = `u/‖u‖` after `nsSteps` times `x = ax + bAx + cA²x`, `A = x·xᵀ`: nearly the orthogonal factor of u.
 *
 * ```ts
 * const matrices = model.parameters().filter(p => p.shape.length === 2)
 * const optimizer = new optim.Muon(matrices, { lr: 0.02 })
 * ```
 * Takes parameters [n, k] only; biases and embeddings want an optimizer of their own. The iteration runs in float32;
 * PyTorch rounds it to bfloat16, so that a step differs from PyTorch's by about a hundredth of itself.
 * Throws RangeError for another shape or an option out of range.
 * Source: Jordan (2024), https://kellerjordan.github.io/posts/muon; torch.optim.Muon.
 */
export class Muon extends Optimizer {
  static readonly rule = rule

  constructor(params: Params, options: MuonOptions = {}) {
    super(rule, params, options)
  }
}
