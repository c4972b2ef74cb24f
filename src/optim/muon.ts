/** Muon: momentum whose direction is orthogonalised, for the matrices of hidden layers. */

import { checkInt, checkNumber, checkOneOf } from '../base/check.js'
import { rangeError, typeError } from '../base/errors.js'
import type { Buf, Emitter, Floats } from '../emitters/emitter.js'
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
function iterate(e: Emitter, x: Buf, row: Buf, [n, k]: readonly number[]): Buf {
  const { kernels } = e
  const side = Math.min(n, k)
  const [gram, square, b] = [0, 0, 0].map(() => e.alloc('float32', side * side))
  const [change, next] = [0, 0].map(() => e.alloc('float32', n * k))
  if (n <= k) kernels.linear_fwd(x, x, null, gram, n, k, n)
  else kernels.linear_bwd_weight(x, x, gram, null, n, k, k)
  kernels.linear_fwd(gram, gram, null, square, side, side, side)
  kernels.muon_polynomial(gram, square, b, row, side * side)
  if (n <= k) kernels.linear_bwd_input(b, x, null, change, n, k, n)
  else kernels.linear_fwd(x, b, null, change, n, k, k)
  kernels.muon_iterate(x, change, next, row, n * k)
  return next
}

function emit(e: Emitter, { p, g, slots: [momentumBuffer], row, shape }: Update, group: Group): void {
  const [n, k] = shape
  const size = n * k
  const [u, start] = [0, 0].map(() => e.alloc('float32', size))
  const squares = e.alloc('float64', 1)
  e.kernels.muon_momentum(g, momentumBuffer, u, row, size)
  e.kernels.sum_squares(u, squares, size)
  e.kernels.muon_normalize(u, squares, start, row, size)
  let x: Buf = start
  for (let i = 0; i < group.nsSteps; i++) x = iterate(e, x, row, shape)
  e.kernels.muon_update(p, x, row, size, ratioOf(group, n, k))
}

/** The order of the row, which every kernel of an update gets. */
const rowOf = ({ lr, weightDecay, momentum, nesterov, eps, nsCoefficients }: Group) => [
  lr,
  lr * weightDecay,
  momentum,
  Number(nesterov),
  eps,
  ...nsCoefficients,
]

const reference = {
  muon_momentum(g: Floats, buffer: Floats, u: Floats, [, , momentum, nesterov]: Floats, n: number) {
    for (let i = 0; i < n; i++) {
      buffer[i] = blended(buffer[i], g[i], 1 - momentum)
      u[i] = nesterov ? blended(g[i], buffer[i], momentum) : buffer[i]
    }
  },
  sum_squares(u: Floats, total: Floats, n: number) {
    total[0] = 0
    for (let i = 0; i < n; i++) total[0] += u[i] * u[i]
  },
  muon_normalize(u: Floats, [squares]: Floats, x: Floats, [, , , , eps]: Floats, n: number) {
    const norm = Math.max(Math.sqrt(squares), eps)
    for (let i = 0; i < n; i++) x[i] = u[i] / norm
  },
  muon_polynomial(gram: Floats, square: Floats, y: Floats, [, , , , , , b, c]: Floats, n: number) {
    for (let i = 0; i < n; i++) y[i] = b * gram[i] + c * square[i]
  },
  muon_iterate(x: Floats, change: Floats, y: Floats, [, , , , , a]: Floats, n: number) {
    for (let i = 0; i < n; i++) y[i] = a * x[i] + change[i]
  },
  muon_update(p: Floats, x: Floats, [lr, decay]: Floats, n: number, ratio: number) {
    for (let i = 0; i < n; i++) p[i] = p[i] * (1 - decay) - lr * ratio * x[i]
  },
}

const rule: UpdateRule<Group> = {
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
  row: rowOf,
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
