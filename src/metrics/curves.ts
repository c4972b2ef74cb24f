/** Curves over all thresholds of a score: ROC, and what average precision sums. Not here: areas of several classes. */

import { checkBoolean, checkOptions } from '../base/check.js'
import { AnnealError, phrase, rangeError, shapeError } from '../base/errors.js'
import { type Cell, type Column, classesOf, uniqueOf } from '../data/labels.js'
import { type Labels, matrixOf, type Scores, type Weighted, weightsOf } from './targets.js'

/** Cumulative weights of rows at and above each threshold, falling: true and false positives. */
export interface Thresholds {
  thresholds: number[]
  truePositives: number[]
  falsePositives: number[]
}

/** Of 1 (positive) and 0 per row. Rows without weight are left out. Source: sklearn.metrics.confusion_matrix_at_thresholds. */
export function thresholdsOf(
  positive: ArrayLike<number>,
  scores: ArrayLike<number>,
  weights: ArrayLike<number> | null,
): Thresholds {
  const order = Array.from({ length: scores.length }, (_, i) => i).filter(i => weights?.[i] !== 0)
  order.sort((a, b) => scores[b] - scores[a] || a - b)
  const out: Thresholds = { thresholds: [], truePositives: [], falsePositives: [] }
  let [right, wrong] = [0, 0]
  order.forEach((i, at) => {
    const weight = weights ? weights[i] : 1
    right += weight * positive[i]
    wrong += weight * (1 - positive[i])
    if (at + 1 < order.length && scores[order[at + 1]] === scores[i]) return
    out.thresholds.push(scores[i])
    out.truePositives.push(right)
    out.falsePositives.push(wrong)
  })
  return out
}

/** Points of a ROC curve from (0, 0) to (1, 1). */
export interface RocPoints {
  /** False positive rates, rising. */
  fpr: number[]
  /** True positive rates, one each. */
  tpr: number[]
  /** Rows with at least this score count as positive; the first is Infinity. */
  thresholds: number[]
}

/** `dropIntermediate` leaves out points on a straight line. */
export function rocPoints(
  positive: ArrayLike<number>,
  scores: ArrayLike<number>,
  weights: ArrayLike<number> | null,
  dropIntermediate: boolean,
): RocPoints {
  const { thresholds, truePositives: tps, falsePositives: fps } = thresholdsOf(positive, scores, weights)
  const bends = (x: readonly number[], i: number) => x[i + 1] - x[i] - (x[i] - x[i - 1]) !== 0
  const last = tps.length - 1
  const kept = tps.flatMap((_, i) =>
    dropIntermediate && i > 0 && i < last && !bends(fps, i) && !bends(tps, i) ? [] : [i],
  )
  const rates = (counts: readonly number[]) => [0, ...kept.map(i => counts[i])].map(count => count / counts[last])
  return { fpr: rates(fps), tpr: rates(tps), thresholds: [Infinity, ...kept.map(i => thresholds[i])] }
}

/** Options of `rocCurve`. */
export interface RocCurveOptions extends Weighted {
  /** The positive class. Default 1 among 0 and 1 or -1 and 1. */
  posLabel?: Cell
  /** Leave out points on a straight line. Default true. */
  dropIntermediate?: boolean
}

/**
 * The ROC curve of a binary classifier: false and true positive rates over all thresholds of the score.
 *
 * ```ts
 * const { fpr, tpr } = metrics.rocCurve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
 * const chart = await report.rocChart({ curves: [{ name: 'model', fpr, tpr }] })
 * ```
 * Rates of a class that does not occur are NaN. Throws RangeError where the positive class is not clear, ERR_SHAPE for
 * lengths that differ, ERR_NONFINITE for scores. Source: sklearn.metrics.roc_curve.
 */
export function rocCurve(yTrue: Labels, yScore: Scores, options: RocCurveOptions = {}): RocPoints {
  const where = 'rocCurve'
  const {
    posLabel,
    dropIntermediate = true,
    sampleWeight,
  } = checkOptions(where, options, ['posLabel', 'dropIntermediate', 'sampleWeight'])
  checkBoolean(where, 'dropIntermediate', dropIntermediate)
  const truth = classesOf(where, 'yTrue', yTrue)
  const scores = scoresOf(where, yScore, truth.length)
  const positive = positiveOf(where, truth, posLabel ?? defaultPositive(where, truth))
  return rocPoints(positive, scores, weightsOf(where, sampleWeight, truth.length), dropIntermediate)
}

/** One score per row. */
export function scoresOf(where: string, yScore: unknown, rows: number): Float64Array {
  const { data, width, rows: n } = matrixOf(where, 'yScore', yScore)
  if (width !== 1) throw shapeError(where, 'one score per row (that of the positive class)', `${width} columns`)
  if (n !== rows) throw shapeError(where, `${rows} scores`, `${n}`)
  if (n === 0) throw new AnnealError('ERR_EMPTY', phrase(where, 'at least one row', '0'))
  return data
}

/** 1 where the class is `posLabel`. */
export function positiveOf(where: string, truth: Column, posLabel: Cell): Float64Array {
  const labels = uniqueOf(where, 'yTrue', truth)
  if (labels.length >= 2 && !(labels as readonly Cell[]).includes(posLabel))
    throw rangeError(where, `posLabel to be one of ${Array.from(labels as readonly Cell[]).join(', ')}`, posLabel)
  return Float64Array.from(truth as readonly Cell[], label => (label === posLabel ? 1 : 0))
}

/** 1, where the classes are 0 and 1 or -1 and 1 as far as they occur. */
function defaultPositive(where: string, truth: Column): Cell {
  const labels = Array.from(uniqueOf(where, 'yTrue', truth) as readonly Cell[])
  const usual = [[0, 1], [-1, 1], [false, true]].find(pair => labels.every(label => (pair as Cell[]).includes(label))) // biome-ignore format: pairs
  if (!usual) throw rangeError(where, 'posLabel, as the classes are not 0 and 1 or -1 and 1', labels)
  return usual[1]
}
