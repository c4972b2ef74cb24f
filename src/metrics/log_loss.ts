/** The cross-entropy of probabilities. Not here: the loss that trains (nn.CrossEntropyLoss, of logits). */

import { checkBoolean, checkOptions } from '../base/check.js'
import { AnnealError, phrase, rangeError, shapeError } from '../base/errors.js'
import { type Cell, type Column, classesOf, codesOf, labelsOf, uniqueOf } from '../data/labels.js'
import { type Labels, matrixOf, mean, type Scores, type Weighted, weightsOf } from './targets.js'

/** Options of `logLoss`. */
export interface LogLossOptions extends Weighted {
  /** The mean rather than the sum. Default true. */
  normalize?: boolean
  /** All classes, in any order; columns of yProba are in rising order. Default: those of yTrue. */
  labels?: ArrayLike<Cell> | null
}

/**
 * -mean log p(true class): the cross-entropy of predicted probabilities.
 *
 * yProba: [rows, classes] in rising order of the classes, or [rows] for the higher of two. Probabilities are kept an
 * epsilon (of float32 for a Tensor or Float32Array, else of float64) away from 0 and 1.
 *
 * ```ts
 * metrics.logLoss(['spam', 'ham'], [[0.1, 0.9], [0.9, 0.1]]) // 0.1053…
 * ```
 * Throws RangeError for what is no probability, ERR_EMPTY for a single class without `labels`, ERR_SHAPE for another
 * number of columns. Source: sklearn.metrics.log_loss.
 */
export function logLoss(yTrue: Labels, yProba: Scores, options: LogLossOptions = {}): number {
  const where = 'logLoss'
  const {
    normalize = true,
    labels,
    sampleWeight,
  } = checkOptions(where, options, ['normalize', 'labels', 'sampleWeight'])
  checkBoolean(where, 'normalize', normalize)
  const truth = classesOf(where, 'yTrue', yTrue)
  const { rows, width, data, epsilon } = matrixOf(where, 'yProba', yProba)
  const odd = data.findIndex(p => p < 0 || p > 1)
  if (odd >= 0) throw rangeError(where, 'yProba to hold probabilities from 0 to 1', data[odd])
  if (truth.length !== rows) throw shapeError(where, `${truth.length} rows of yProba`, `${rows}`)
  const codes = codesOf(truth, checkClasses(where, truth, labels, Math.max(2, width)))
  const unknown = codes.indexOf(-1)
  if (unknown >= 0)
    throw new AnnealError('ERR_LABEL_RANGE', phrase(where, `yTrue[${unknown}] to be among labels`, truth[unknown]))
  const probability = (i: number) => {
    if (width > 1) return data[i * width + codes[i]]
    return codes[i] === 1 ? data[i] : 1 - data[i]
  }
  const losses = Float64Array.from(codes, (_, i) => -Math.log(Math.min(Math.max(probability(i), epsilon), 1 - epsilon)))
  const weights = weightsOf(where, sampleWeight, rows)
  return normalize ? mean(losses, weights) : losses.reduce((sum, loss, i) => sum + loss * (weights ? weights[i] : 1), 0)
}

function checkClasses(where: string, truth: Column, labels: LogLossOptions['labels'], columns: number): Column {
  const classes = uniqueOf(where, 'labels', labels ? labelsOf(where, 'labels', labels) : truth)
  if (classes.length < 2) {
    const expected = labels ? 'at least two labels' : 'at least two classes in yTrue, or labels'
    throw new AnnealError('ERR_EMPTY', phrase(where, expected, `${classes.length}`))
  }
  if (classes.length !== columns)
    throw shapeError(where, `yProba of ${classes.length} classes (else give labels)`, `${columns}`)
  return classes
}
