/** How many predictions are right. Not here: which classes are confused (confusion_matrix.ts). */

import { checkBoolean, checkOptions } from '../base/check.js'
import type { Column } from '../data/labels.js'
import { confusionMatrix } from './confusion_matrix.js'
import { classTargets, type Labels, type Matrix, mean, type Weighted, weightsOf } from './targets.js'

/** Options of `accuracyScore`. */
export interface AccuracyOptions extends Weighted {
  /** The share of right predictions rather than their number. Default true. */
  normalize?: boolean
}

/**
 * The share of predictions that are right; of several labels per row, of rows that are right as a whole.
 *
 * ```ts
 * metrics.accuracyScore([0, 1, 2, 2], [0, 1, 1, 2]) // 0.75
 * ```
 * Throws TypeError for labels of several types, ERR_SHAPE for lengths that differ, RangeError for fractions. Source:
 * sklearn.metrics.accuracy_score.
 */
export function accuracyScore(yTrue: Labels, yPred: Labels, options: AccuracyOptions = {}): number {
  const where = 'accuracyScore'
  const { normalize = true, sampleWeight } = checkOptions(where, options, ['normalize', 'sampleWeight'])
  checkBoolean(where, 'normalize', normalize)
  const targets = classTargets(where, yTrue, yPred)
  const right =
    targets.kind === 'multilabel'
      ? rowsEqual(targets.truth, targets.prediction)
      : equal(targets.truth, targets.prediction)
  const weights = weightsOf(where, sampleWeight, right.length)
  return normalize ? mean(right, weights) : right.reduce((sum, x, i) => sum + x * (weights ? weights[i] : 1), 0)
}

const equal = (a: Column, b: Column) => Array.from({ length: a.length }, (_, i) => (a[i] === b[i] ? 1 : 0))

function rowsEqual(a: Matrix, b: Matrix): number[] {
  const row = (m: Matrix, i: number) => m.data.subarray(i * m.width, (i + 1) * m.width)
  return Array.from({ length: a.rows }, (_, i) => (row(a, i).every((x, j) => x === row(b, i)[j]) ? 1 : 0))
}

/** Options of `balancedAccuracyScore`. */
export interface BalancedAccuracyOptions extends Weighted {
  /** Scale so that guessing gives 0. Default false. */
  adjusted?: boolean
}

/**
 * The mean over the classes of their recall, so that each class counts as much as any other.
 *
 * ```ts
 * metrics.balancedAccuracyScore([0, 0, 0, 1], [0, 0, 0, 0]) // 0.5
 * ```
 * Classes that only occur among the predictions are left out. Errors as accuracyScore. Source:
 * sklearn.metrics.balanced_accuracy_score.
 */
export function balancedAccuracyScore(yTrue: Labels, yPred: Labels, options: BalancedAccuracyOptions = {}): number {
  const where = 'balancedAccuracyScore'
  const { adjusted = false, sampleWeight } = checkOptions(where, options, ['adjusted', 'sampleWeight'])
  checkBoolean(where, 'adjusted', adjusted)
  const matrix = confusionMatrix(yTrue, yPred, { sampleWeight })
  const recalls = matrix
    .map((row, c) => row[c] / row.reduce((a, b) => a + b, 0))
    .filter(recall => !Number.isNaN(recall))
  const chance = 1 / recalls.length
  return adjusted ? (mean(recalls) - chance) / (1 - chance) : mean(recalls)
}
