/** The negative log-likelihood of labels. */

import { checkOptions } from '../base/check.js'
import {
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
import { checkOperand, defineOp, type Operand } from './spec.js'

const where = 'nllLoss'

/** The options with defaults filled in; throws TypeError or RangeError. */
export function checkNll(options: ClassLossOptions) {
  return checkClassLoss(where, checkOptions(where, options, ['weight', 'ignoreIndex', 'reduction']))
}

/**
 * Negative log-likelihood of labels: logProbabilities [rows, classes] or [rows, classes, ...] float32, labels [rows] or
 * [rows, ...] int32 (or float32 with integer values). With reduction `mean`, `Σ w[yᵢ]·(-xᵢ[yᵢ]) / Σ w[yᵢ]`.
 * Source: torch.nn.functional.nll_loss.
 */
export const nllLoss = defineOp({
  name: 'nllLoss',
  parse: (logProbabilities: Operand, labels: Operand, options: ClassLossOptions = {}) => {
    const attrs = checkNll(options)
    const operands = [checkOperand(where, 'logProbabilities', logProbabilities), checkOperand(where, 'labels', labels)]
    if (options.weight) operands.push(options.weight)
    return { operands, attrs }
  },
  infer([x, labels, weight], { reduction }) {
    checkScores(where, 'logProbabilities', x, weight)
    checkLabelShape(where, x, labels)
    return { shape: reduction === 'none' ? labelShape(x.shape) : [], dtype: 'float32' }
  },
  forward(e, app) {
    const [x, labels, weight] = app.inputs
    const { reduction, ignoreIndex } = app.attrs
    const [m, n] = rowSizes(x.shape, classDim(x.shape))
    const [each, loss, dx] = [e.alloc('float32', m), e.alloc('float32', 1), e.alloc('float32', m * n)]
    e.kernels.nll_fwd_bwd({
      x: toRows(e, x.buf, x.shape, classDim(x.shape)),
      labels: e.labels(where, labels.buf, n, ignoreIndex),
      weight: weight ? weight.buf : null,
      each,
      loss,
      dx,
      m,
      n,
      reduction: reductions.indexOf(reduction),
      ignore_index: ignoreIndex,
    })
    app.saved = [dx]
    return reduction === 'none' ? each : loss
  },
  backward: (e, app, grad) => [emitClassChain(e, app, app.saved[0], grad), null, null],
  reference: {
    nll_fwd_bwd({ x, labels, weight, each, loss, dx, m, n, reduction, ignore_index }) {
      const weightOf = (label: number) => (label === ignore_index ? 0 : weight ? weight[label] : 1)
      const mean = reductions[reduction] === 'mean'
      const total = mean ? labels.reduce((sum, label) => sum + weightOf(label), 0) : 1
      dx.fill(0, 0, m * n)
      let sum = 0
      for (let r = 0; r < m; r++) {
        const [w, at] = [weightOf(labels[r]), r * n + labels[r]]
        each[r] = w === 0 ? 0 : -w * x[at]
        sum += each[r]
        if (w !== 0) dx[at] = -w / total
      }
      loss[0] = sum / total
    },
  },
  onnx: lossHasNoForm,
  samples: () => [
    { x: [[4, 3], { labels: [0, 2, 1, 1] }] },
    { x: [[4, 3], { labels: [0, 2, -100, 1] }], args: [{ reduction: 'sum' }] },
    { x: [[4, 3], { labels: [0, 2, 1, 1] }], args: [{ reduction: 'none', weight: { shape: [3] } }] },
    { x: [[3, 20], { labels: [19, 7, 0] }], args: [{ ignoreIndex: 7, weight: { shape: [20] } }] },
  ],
  badSamples: () => [
    { x: [[2, 3], { labels: [0, 3] }], message: 'labels[1] to be in [0, 2] but received 3' },
    { x: [[2, 3], { labels: [0] }], message: 'labels to have shape [2]' },
    { x: [[2, 3], { labels: [0, 1] }], args: [{ weight: { shape: [2] } }], message: 'weight to have shape [3]' },
    { x: [[2, 3], { labels: [0, 1] }], args: [{ labelSmoothing: 0.1 }], message: 'options to be among' },
  ],
})
