/** Softmax and cross-entropy in one op: loss and gradient come out of one pass over the logits. */

import type { Buf, Emitter, Floats } from '../backends/emitter.js'
import { checkInt, checkNumber, checkOneOf, checkOptions } from '../base/check.js'
import { AnnealError, shapeError } from '../base/errors.js'
import { softmaxRow, sumRow } from './along.js'
import { fromRows, rowSizes, toRows } from './rows.js'
import { checkDtype, checkOperand, defineOp, type Meta, type Operand, shapeText, sizeOf } from './spec.js'

export const reductions = ['none', 'mean', 'sum'] as const
export type Reduction = (typeof reductions)[number]

export interface CrossEntropyOptions {
  /** Weight of each class, float32 [classes]. Default: all 1. */
  weight?: Operand | null
  /** Label of rows that do not count. Default -100. */
  ignoreIndex?: number
  /** `mean` (over the labels' weights), `sum`, or `none` (one loss a row). Default mean. */
  reduction?: Reduction
  /** Share of the target spread over all classes, in [0, 1]. Default 0. */
  labelSmoothing?: number
}

interface Attrs {
  readonly ignoreIndex: number
  readonly reduction: Reduction
  readonly labelSmoothing: number
}

const where = 'crossEntropy'

/** The options with defaults filled in; throws TypeError or RangeError. */
export function checkCrossEntropy(options: CrossEntropyOptions): Attrs {
  checkOptions(where, options, ['weight', 'ignoreIndex', 'reduction', 'labelSmoothing'])
  const { ignoreIndex = -100, reduction = 'mean', labelSmoothing = 0 } = options
  return {
    ignoreIndex: checkInt(where, 'ignoreIndex', ignoreIndex, { min: -(2 ** 31), max: 2 ** 31 - 1 }),
    reduction: checkOneOf(where, 'reduction', reduction, reductions),
    labelSmoothing: checkNumber(where, 'labelSmoothing', labelSmoothing, { min: 0, max: 1 }),
  }
}

/** The dimension of the classes: the second, or the only one. */
function classDim(shape: readonly number[]): number {
  return shape.length === 1 ? 0 : 1
}

function checkShapes(logits: Meta, labels: Meta, weight: Meta | undefined): void {
  const { shape } = logits
  if (shape.length === 0) throw shapeError(where, 'logits to have shape [rows, classes]', '[]')
  const classes = shape[classDim(shape)]
  const wanted = shape.filter((_, i) => i !== classDim(shape))
  if (shapeText(labels.shape) !== shapeText(wanted)) {
    throw shapeError(where, `labels to have shape ${shapeText(wanted)}`, shapeText(labels.shape))
  }
  if (weight && (weight.shape.length !== 1 || weight.shape[0] !== classes)) {
    throw shapeError(where, `weight to have shape [${classes}]`, shapeText(weight.shape))
  }
  if (classes === 0) throw new AnnealError('ERR_EMPTY', `${where}: expected at least one class but received none`)
}

function emitScaled(e: Emitter, dlogits: Buf, grad: Buf, m: number, n: number): Buf {
  const out = e.alloc('float32', m * n)
  e.kernels.scale_rows(dlogits, grad, out, m, n)
  return out
}

/** Losses of one row and d loss / d logits, both times the row's weights; the twin of one row of the kernel. */
function rowTwin(logits: Floats, r: number, n: number, label: number, weight: Floats | null, smoothing: number) {
  const { shifted, logSum } = softmaxRow(logits, r, n)
  const w = (c: number) => (weight ? weight[c] : 1)
  const share = (c: number) => (c === label ? (1 - smoothing) * w(c) : 0) + (smoothing / n) * w(c)
  const total = sumRow(n, share)
  const loss = sumRow(n, c => (share(c) === 0 ? 0 : share(c) * (logSum - shifted[c])))
  return { loss, gradient: shifted.map((v, c) => Math.exp(v - logSum) * total - share(c)) }
}

/**
 * Cross-entropy of softmax(logits) against integer labels: logits [rows, classes] or [rows, classes, ...] float32, labels
 * [rows] or [rows, ...] int32 (or float32 with integer values). With reduction `mean`, `Σ w[yᵢ]·(-log softmax(xᵢ)[yᵢ]) / Σ w[yᵢ]`.
 * Source: torch.nn.functional.cross_entropy.
 */
export const crossEntropy = defineOp({
  name: 'crossEntropy',
  parse: (logits: Operand, labels: Operand, options: CrossEntropyOptions = {}) => {
    const attrs = checkCrossEntropy(options)
    const operands = [checkOperand(where, 'logits', logits), checkOperand(where, 'labels', labels)]
    if (options.weight) operands.push(checkOperand(where, 'weight', options.weight))
    return { operands, attrs }
  },
  infer([logits, labels, weight], { reduction }) {
    checkDtype(where, 'logits', logits, 'float32')
    if (weight) checkDtype(where, 'weight', weight, 'float32')
    checkShapes(logits, labels, weight)
    return { shape: reduction === 'none' ? labels.shape : [], dtype: 'float32' }
  },
  forward(e, app) {
    const [logits, labels, weight] = app.inputs
    const { ignoreIndex, reduction, labelSmoothing } = app.attrs
    const dim = classDim(logits.shape)
    const [m, n] = rowSizes(logits.shape, dim)
    const y = e.labels(where, labels.buf, n, ignoreIndex)
    const [rows, loss, dlogits] = [e.alloc('float32', m), e.alloc('float32', 1), e.alloc('float32', m * n)]
    const buffers = [toRows(e, logits.buf, logits.shape, dim), y, weight ? weight.buf : null, rows, loss, dlogits]
    e.kernels.softmax_xent_fwd_bwd(...buffers, m, n, reductions.indexOf(reduction), ignoreIndex, labelSmoothing)
    app.saved = [dlogits]
    return reduction === 'none' ? rows : loss
  },
  backward(e, { inputs: [{ shape }], attrs, saved: [dlogits] }, grad) {
    const dim = classDim(shape)
    const [m, n] = attrs.reduction === 'none' ? rowSizes(shape, dim) : [1, sizeOf(shape)]
    return [fromRows(e, emitScaled(e, dlogits, grad.buf, m, n), shape, dim), null, null]
  },
  reference: {
    scale_rows(x: Floats, s: Floats, y: Floats, m: number, n: number) {
      for (let r = 0; r < m; r++) for (let c = 0; c < n; c++) y[r * n + c] = x[r * n + c] * s[r]
    },
    softmax_xent_fwd_bwd(
      logits: Floats,
      labels: Int32Array,
      weight: Floats | null,
      rows: Floats,
      loss: Floats,
      dlogits: Floats,
      m: number,
      n: number,
      reduction: number,
      ignoreIndex: number,
      smoothing: number,
    ) {
      let [total, norm] = [0, 0]
      dlogits.fill(0, 0, m * n)
      for (let r = 0; r < m; r++) {
        const label = labels[r]
        rows[r] = 0
        if (label === ignoreIndex) continue
        const row = rowTwin(logits, r, n, label, weight, smoothing)
        rows[r] = row.loss
        dlogits.set(row.gradient, r * n)
        total += row.loss
        norm += weight ? weight[label] : 1
      }
      const mean = reductions[reduction] === 'mean'
      loss[0] = mean ? total / norm : total
      if (mean) for (let i = 0; i < m * n; i++) dlogits[i] = norm === 0 ? 0 : dlogits[i] / norm
    },
  },
  samples: () => [
    { x: [[4, 3], { labels: [0, 2, 1, 1] }] },
    { x: [[4, 3], { labels: [0, 2, -100, 1] }], args: [{ reduction: 'sum' }] },
    { x: [[4, 3], { labels: [0, 2, 1, 1] }], args: [{ reduction: 'none', labelSmoothing: 0.1 }] },
    { x: [[3, 20], { labels: [19, 7, 0] }], args: [{ labelSmoothing: 0.3 }] },
    { x: [[4, 3], { labels: [0, 2, 7, 1] }], args: [{ ignoreIndex: 7, weight: { shape: [3] } }] },
  ],
  badSamples: () => [
    { x: [[2, 3], { labels: [0, 3] }], message: 'labels[1] to be in [0, 2] but received 3' },
    { x: [[2, 3], { labels: [-1, 0] }], message: 'labels[0] to be in [0, 2] but received -1' },
    { x: [[2, 3], { labels: [0] }], message: 'labels to have shape [2]' },
    { x: [[], { labels: [0] }], message: 'logits to have shape [rows, classes]' },
    { x: [[3], { labels: [0] }], message: 'labels to have shape []' },
    { x: [[2, 3], { labels: [0, 1] }], args: [{ labelSmoothing: 2 }], message: 'labelSmoothing to be' },
    { x: [[2, 3], { labels: [0, 1] }], args: [{ reduction: 'avg' }], message: 'reduction to be' },
    { x: [[2, 3], { labels: [0, 1] }], args: [{ weight: { shape: [2] } }], message: 'weight to have shape [3]' },
  ],
})
