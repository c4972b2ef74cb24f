/** Which classes are taken for which. Not here: the picture (report.confusionMatrixChart). */

import { checkOneOf, checkOptions } from '../base/check.js'
import { AnnealError, phrase, shapeError } from '../base/errors.js'
import { type Cell, codesOf, labelsOf } from '../data/labels.js'
import { classTargets, type Labels, type Weighted, weightsOf } from './targets.js'

/** Options of `confusionMatrix`. */
export interface ConfusionMatrixOptions extends Weighted {
  /** The classes in the order of rows and columns; rows with others are left out. Default: all, rising. */
  labels?: ArrayLike<Cell> | null
  /** Divide by the sum of each true class, of each predicted one, or of all. Default null. */
  normalize?: 'true' | 'pred' | 'all' | null
}

/**
 * Counts (or sums of weights) of rows by true class, down, and predicted class, across.
 *
 * ```ts
 * metrics.confusionMatrix([2, 0, 2, 2, 0, 1], [0, 0, 2, 2, 0, 2]) // [[2, 0, 0], [0, 0, 1], [1, 0, 2]]
 * ```
 * Errors as accuracyScore; ERR_EMPTY for labels of which none is true anywhere. Source: sklearn.metrics.confusion_matrix.
 */
export function confusionMatrix(yTrue: Labels, yPred: Labels, options: ConfusionMatrixOptions = {}): number[][] {
  const where = 'confusionMatrix'
  const {
    labels,
    normalize = null,
    sampleWeight,
  } = checkOptions(where, options, ['labels', 'normalize', 'sampleWeight'])
  if (normalize !== null) checkOneOf(where, 'normalize', normalize, ['true', 'pred', 'all'])
  const targets = classTargets(where, yTrue, yPred)
  if (targets.kind === 'multilabel') throw shapeError(where, 'one label per row', 'several columns')
  const classes = labels ? labelsOf(where, 'labels', labels) : targets.labels
  const [truth, prediction] = [codesOf(targets.truth, classes), codesOf(targets.prediction, classes)]
  if (truth.every(code => code < 0))
    throw new AnnealError('ERR_EMPTY', phrase(where, 'a label that is in yTrue', 'none'))
  const weights = weightsOf(where, sampleWeight, truth.length)
  const matrix = Array.from({ length: classes.length }, () => new Array<number>(classes.length).fill(0))
  truth.forEach((row, i) => {
    if (row >= 0 && prediction[i] >= 0) matrix[row][prediction[i]] += weights ? weights[i] : 1
  })
  return normalize ? normalized(matrix, normalize) : matrix
}

/** Divided by the sums of rows, of columns or of all; 0 where those are 0. */
function normalized(matrix: number[][], by: 'true' | 'pred' | 'all'): number[][] {
  const sum = (values: number[]) => values.reduce((a, b) => a + b, 0)
  const ofRow = matrix.map(sum)
  const ofColumn = matrix.map((_, c) => sum(matrix.map(row => row[c])))
  const total = sum(ofRow)
  const divisor = (r: number, c: number) => (by === 'true' ? ofRow[r] : by === 'pred' ? ofColumn[c] : total)
  return matrix.map((row, r) => row.map((count, c) => (count === 0 ? 0 : count / divisor(r, c))))
}
