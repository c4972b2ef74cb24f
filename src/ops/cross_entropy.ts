/** Softmax and cross-entropy in one op: loss and gradient come out of one pass over the logits. */

import { checkNumber, checkOptions } from '../base/check.js'
import { rangeError } from '../base/errors.js'
import type { Buf, Emitter, Floats } from '../emitters/emitter.js'
import { softmaxRow, sumRow } from './along.js'
import {
  type ClassLossAttrs,
  type ClassLossOptions,
  checkClassLoss,
  checkLabelShape,
  checkScores,
  classDim,
  emitClassChain,
  labelShape,
} from './class_loss.js'
import { lossHasNoForm } from './onnx.js'
import { reductions } from './reduced_loss.js'
import { rowSizes, toRows } from './rows.js'
import { type Application, checkOperand, defineOp, isSameShape, type Operand } from './spec.js'

export interface CrossEntropyOptions extends ClassLossOptions {
  /** Share of the target spread over all classes, in [0, 1]. Default 0. */
  labelSmoothing?: number
}

interface Attrs extends ClassLossAttrs {
  readonly labelSmoothing: number
  /** Whether targets are distributions over the classes. */
  readonly soft: boolean
}

const where = 'crossEntropy'

/** The options with defaults filled in; throws TypeError or RangeError. */
export function checkCrossEntropy(options: CrossEntropyOptions) {
  checkOptions(where, options, ['weight', 'ignoreIndex', 'reduction', 'labelSmoothing'])
  const { ignoreIndex, reduction } = checkClassLoss(where, options)
  const { labelSmoothing = 0 } = options
  checkNumber(where, 'labelSmoothing', labelSmoothing, { min: 0, max: 1 })
  return { ignoreIndex, reduction, labelSmoothing }
}

/** Float targets of the logits' own shape are distributions; anything else is a label per row. */
export function isDistribution(logits: Operand, targets: Operand): boolean {
  return targets.dtype === 'float32' && isSameShape(targets.shape, logits.shape) && logits.shape.length > 0
}

function emitForward(e: Emitter, app: Application<Attrs>, m: number, n: number): { each: Buf; loss: Buf } {
  const [logits, targets, weight] = app.inputs
  const { ignoreIndex, reduction, labelSmoothing, soft } = app.attrs
  const rows = (buf: Buf) => toRows(e, buf, logits.shape, classDim(logits.shape))
  const [each, loss, dlogits] = [e.alloc('float32', m), e.alloc('float32', 1), e.alloc('float32', m * n)]
  const [scores, code] = [rows(logits.buf), reductions.indexOf(reduction)]
  // Every argument spelt out: V8 keeps a hidden class for every copy by spreading until it collects its old generation.
  if (soft) {
    const dtarget = app.needs[1] ? e.alloc('float32', m * n) : null
    e.kernels.soft_xent_fwd_bwd({
      logits: scores,
      target: rows(targets.buf),
      weight: weight?.buf,
      each,
      loss,
      dlogits,
      dtarget,
      m,
      n,
      reduction: code,
      label_smoothing: labelSmoothing,
    })
    app.saved = [dlogits, ...(dtarget ? [dtarget] : [])]
  } else {
    e.kernels.softmax_xent_fwd_bwd({
      logits: scores,
      labels: e.labels(where, targets.buf, n, ignoreIndex),
      weight: weight?.buf,
      each,
      loss,
      dlogits,
      m,
      n,
      reduction: code,
      ignore_index: ignoreIndex,
      label_smoothing: labelSmoothing,
    })
    app.saved = [dlogits]
  }
  return { each, loss }
}

/** One row's weighted targets, minus its log-probabilities, and the loss's slopes; the twin of one row of the kernels. */
function rowTwin(
  logits: Floats,
  r: number,
  n: number,
  weight: Floats | null | undefined,
  target: (c: number) => number,
) {
  const { shifted, logSum } = softmaxRow(logits, r, n)
  const shares = shifted.map((_, c) => (weight ? weight[c] : 1) * target(c))
  const total = sumRow(n, c => shares[c])
  return {
    shares,
    minusLog: shifted.map(v => logSum - v),
    slopes: shifted.map((v, c) => Math.exp(v - logSum) * total - shares[c]),
  }
}

/**
 * Cross-entropy of softmax(logits): logits [rows, classes] or [rows, classes, ...] float32. Labels [rows] or [rows, ...]
 * int32 (or float32 with integer values): with reduction `mean`, `Σ w[yᵢ]·(-log softmax(xᵢ)[yᵢ]) / Σ w[yᵢ]`. Or float32
 * targets of the logits' shape, distributions over the classes: with `mean`, `Σ w[c]·t[i, c]·(-log softmax(xᵢ)[c]) / rows`.
 * Source: torch.nn.functional.cross_entropy.
 */
export const crossEntropy = defineOp({
  name: 'crossEntropy',
  parse: (logits: Operand, targets: Operand, options: CrossEntropyOptions = {}) => {
    const checked = checkCrossEntropy(options)
    const operands = [checkOperand(where, 'logits', logits), checkOperand(where, 'labels', targets)]
    if (options.weight) operands.push(options.weight)
    const soft = isDistribution(logits, targets)
    if (soft && checked.ignoreIndex >= 0) {
      throw rangeError(where, 'no ignoreIndex beside distributions as targets', checked.ignoreIndex)
    }
    // Spelt out: V8 keeps a hidden class for every copy by spreading until it collects its old generation.
    const { ignoreIndex, reduction, labelSmoothing } = checked
    return { operands, attrs: { ignoreIndex, reduction, labelSmoothing, soft } satisfies Attrs }
  },
  infer([logits, targets, weight], { reduction, soft }) {
    checkScores(where, 'logits', logits, weight)
    if (!soft) checkLabelShape(where, logits, targets)
    return { shape: reduction === 'none' ? labelShape(logits.shape) : [], dtype: 'float32' }
  },
  forward(e, app) {
    const { shape } = app.inputs[0]
    const { each, loss } = emitForward(e, app, ...rowSizes(shape, classDim(shape)))
    if (app.attrs.reduction === 'none') return each
    e.free(each)
    return loss
  },
  backward(e, app, grad) {
    const [dlogits, dtarget] = app.saved
    const [dx, dt] = [dlogits, dtarget].map(slopes => slopes && emitClassChain(e, app, slopes, grad))
    return [dx, dt ?? null, null]
  },
  givesOwnGradients: true,
  reference: {
    scale_rows({ x, s, y, m, n }) {
      for (let r = 0; r < m; r++) for (let c = 0; c < n; c++) y[r * n + c] = x[r * n + c] * s[r]
    },
    softmax_xent_fwd_bwd({
      logits,
      labels,
      weight,
      each,
      loss,
      dlogits,
      m,
      n,
      reduction,
      ignore_index,
      label_smoothing,
    }) {
      let [total, norm] = [0, 0]
      dlogits.fill(0, 0, m * n)
      for (let r = 0; r < m; r++) {
        const label = labels[r]
        each[r] = 0
        if (label === ignore_index) continue
        const row = rowTwin(logits, r, n, weight, c => (c === label ? 1 - label_smoothing : 0) + label_smoothing / n)
        each[r] = sumRow(n, c => (row.shares[c] === 0 ? 0 : row.shares[c] * row.minusLog[c]))
        dlogits.set(row.slopes, r * n)
        total += each[r]
        norm += weight ? weight[label] : 1
      }
      const mean = reductions[reduction] === 'mean'
      loss[0] = mean ? total / norm : total
      if (mean) for (let i = 0; i < m * n; i++) dlogits[i] = norm === 0 ? 0 : dlogits[i] / norm
    },
    soft_xent_fwd_bwd({ logits, target, weight, each, loss, dlogits, dtarget, m, n, reduction, label_smoothing }) {
      const count = reductions[reduction] === 'mean' ? m : 1
      loss[0] = 0
      for (let r = 0; r < m; r++) {
        const row = rowTwin(logits, r, n, weight, c => (1 - label_smoothing) * target[r * n + c] + label_smoothing / n)
        each[r] = sumRow(n, c => row.shares[c] * row.minusLog[c])
        loss[0] += each[r] / count
        for (let c = 0; c < n; c++) {
          dlogits[r * n + c] = row.slopes[c] / count
          if (dtarget) dtarget[r * n + c] = ((weight ? weight[c] : 1) * (1 - label_smoothing) * row.minusLog[c]) / count
        }
      }
    },
  },
  onnx: lossHasNoForm,
  samples: () => [
    { x: [[4, 3], { labels: [0, 2, 1, 1] }] },
    { x: [[4, 3], { labels: [0, 2, -100, 1] }], args: [{ reduction: 'sum' }] },
    { x: [[4, 3], { labels: [0, 2, 1, 1] }], args: [{ reduction: 'none', labelSmoothing: 0.1 }] },
    { x: [[3, 20], { labels: [19, 7, 0] }], args: [{ labelSmoothing: 0.3 }] },
    { x: [[4, 3], { labels: [0, 2, 7, 1] }], args: [{ ignoreIndex: 7, weight: { shape: [3] } }] },
    { x: softOperands([4, 3]) },
    { x: softOperands([3, 20]), args: [{ reduction: 'sum', labelSmoothing: 0.3, weight: { shape: [20] } }] },
    { x: softOperands([4, 3]), args: [{ reduction: 'none', labelSmoothing: 0.1 }] },
    { x: softOperands([2, 3, 4]), args: [{ weight: { shape: [3] } }] },
    { x: softOperands([5]) },
  ],
  badSamples: () => [
    { x: [[2, 3], { labels: [0, 3] }], message: 'labels[1] to be in [0, 2] but received 3' },
    { x: [[2, 3], { labels: [-1, 0] }], message: 'labels[0] to be in [0, 2] but received -1' },
    { x: [[2, 3], { labels: [0] }], message: 'labels to have shape [2]' },
    { x: [[], { labels: [0] }], message: 'logits to have shape [rows, classes]' },
    { x: [[3], { labels: [0] }], message: 'labels to have shape []' },
    {
      x: [
        [2, 3],
        [3, 2],
      ],
      message: 'labels to have shape [2]',
    },
    { x: softOperands([2, 3]), args: [{ ignoreIndex: 1 }], message: 'no ignoreIndex beside distributions' },
    { x: [[2, 3], { labels: [0, 1] }], args: [{ labelSmoothing: 2 }], message: 'labelSmoothing to be' },
    { x: [[2, 3], { labels: [0, 1] }], args: [{ reduction: 'avg' }], message: 'reduction to be' },
    { x: [[2, 3], { labels: [0, 1] }], args: [{ weight: { shape: [2] } }], message: 'weight to have shape [3]' },
  ],
})

/** Logits and targets, which need not sum to one. */
function softOperands(shape: number[]): unknown[] {
  return [shape, { shape, from: 0, to: 1 }]
}
