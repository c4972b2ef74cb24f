/** Scores of rankings: the area under the ROC curve, and average precision. Not here: the curves (curves.ts). */

import { checkNumber, checkOneOf, checkOptions } from '../base/check.js'
import { AnnealError, phrase, rangeError, shapeError } from '../base/errors.js'
import { type Cell, type Column, classesOf, codesOf, labelsOf, uniqueOf } from '../data/labels.js'
import { positiveOf, rocPoints, scoresOf, thresholdsOf } from './curves.js'
import {
  indicatorsOf,
  type Labels,
  type Matrix,
  matrixOf,
  mean,
  type Scores,
  type Weighted,
  weightsOf,
} from './targets.js'

/** How scores of several classes become one; null: not at all. */
export type AreaAverage = 'micro' | 'macro' | 'weighted' | 'samples' | null

type BinaryScore = (positive: ArrayLike<number>, scores: ArrayLike<number>, weights: ArrayLike<number> | null) => number

const AVERAGES = ['micro', 'macro', 'weighted', 'samples'] as const

/** A score of each column (of each row for 'samples') of 0 and 1, averaged. */
function averaged(
  score: BinaryScore,
  truth: Matrix,
  scores: Matrix,
  average: AreaAverage,
  weights: Float64Array | null,
): number | number[] {
  const { rows, width } = truth
  if (average === 'micro') {
    const repeated = weights && Float64Array.from(truth.data, (_, at) => weights[Math.floor(at / width)])
    return score(truth.data, scores.data, repeated)
  }
  const bySamples = average === 'samples'
  const [count, length] = bySamples ? [rows, width] : [width, rows]
  const slice = ({ data }: Matrix, c: number) =>
    Float64Array.from({ length }, (_, i) => data[bySamples ? c * width + i : i * width + c])
  const each = Array.from({ length: count }, (_, c) =>
    score(slice(truth, c), slice(scores, c), bySamples ? null : weights),
  )
  if (average === null) return each
  const support = () =>
    each.map((_, c) => slice(truth, c).reduce((sum, x, i) => sum + x * (weights ? weights[i] : 1), 0))
  const by = average === 'weighted' ? support() : bySamples ? weights : null
  if (by && Array.from(by).every(w => w === 0)) return 0
  return mean(by ? each.map((x, c) => (by[c] === 0 ? 0 : x)) : each, by)
}

/** 0 and 1 per row and class of one class per row. */
function oneVersusRest(truth: Column, classes: Column): Matrix {
  const [rows, width] = [truth.length, classes.length]
  const data = new Float64Array(rows * width)
  codesOf(truth, classes).forEach((code, i) => {
    data[i * width + code] = 1
  })
  return { rows, width, flat: false, data, epsilon: Number.EPSILON }
}

const isIndicator = (y: unknown) => {
  const shape = (y as { shape?: readonly number[] })?.shape
  return shape
    ? shape.length === 2 && shape[1] > 1
    : Array.isArray(y) && typeof y[0] === 'object' && (y[0] as number[])?.length > 1
}

/** The area under x ↦ y by trapezoids. */
function area(x: readonly number[], y: readonly number[]): number {
  return x.slice(1).reduce((sum, at, i) => sum + ((at - x[i]) * (y[i + 1] + y[i])) / 2, 0)
}

/** Up to a false positive rate, scaled so that guessing gives 0.5 (McClish 1989). */
function partialArea(fpr: readonly number[], tpr: readonly number[], maxFpr: number): number {
  const stop = fpr.findIndex(rate => rate > maxFpr)
  const between = (maxFpr - fpr[stop - 1]) / (fpr[stop] - fpr[stop - 1])
  const end = tpr[stop - 1] + between * (tpr[stop] - tpr[stop - 1])
  const least = 0.5 * maxFpr ** 2
  const partial = area([...fpr.slice(0, stop), maxFpr], [...tpr.slice(0, stop), end])
  return 0.5 * (1 + (partial - least) / (maxFpr - least))
}

/** NaN where only one class occurs. */
const binaryArea =
  (maxFpr: number | null): BinaryScore =>
  (positive, scores, weights) => {
    const both = [0, 1].every(x => Array.prototype.includes.call(positive, x))
    if (!both) return NaN
    const { fpr, tpr } = rocPoints(positive, scores, weights, true)
    return maxFpr === null || maxFpr === 1 ? area(fpr, tpr) : partialArea(fpr, tpr, maxFpr)
  }

/** Options of `rocAucScore`. */
export interface RocAucOptions extends Weighted {
  /** Over classes (or labels). Default 'macro'. */
  average?: AreaAverage
  /** The area up to this false positive rate, above 0 and at most 1; two classes only. Default null: all. */
  maxFpr?: number | null
  /** More than two classes: each against the rest, or each against each. Default 'raise': an error. */
  multiClass?: 'raise' | 'ovr' | 'ovo'
  /** All classes, rising, in the order of the columns of yScore. Default: those of yTrue. */
  labels?: ArrayLike<Cell> | null
}

/**
 * The area under the ROC curve: the chance that a positive row has a higher score than a negative one.
 *
 * ```ts
 * metrics.rocAucScore([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) // 0.75
 * metrics.rocAucScore(labels, logits.softmax(1), { multiClass: 'ovr' })
 * ```
 * yScore: a score per row; for more than two classes probabilities [rows, classes]; for several labels per row
 * [rows, labels]. NaN where only one class occurs. Throws ERR_SHAPE for shapes that do not fit, RangeError for
 * probabilities that do not sum to 1 or labels that do not rise. Source: sklearn.metrics.roc_auc_score.
 */
export function rocAucScore(yTrue: Labels, yScore: Scores, options: RocAucOptions & { average: null }): number[]
export function rocAucScore(yTrue: Labels, yScore: Scores, options?: RocAucOptions): number
export function rocAucScore(yTrue: Labels, yScore: Scores, options: RocAucOptions = {}): number | number[] {
  const where = 'rocAucScore'
  checkOptions(where, options, ['average', 'maxFpr', 'multiClass', 'labels', 'sampleWeight'])
  const { average = 'macro', maxFpr = null, multiClass = 'raise', sampleWeight } = options
  if (average !== null) checkOneOf(where, 'average', average, AVERAGES)
  if (maxFpr !== null) checkNumber(where, 'maxFpr', maxFpr, { above: 0, max: 1 })
  checkOneOf(where, 'multiClass', multiClass, ['raise', 'ovr', 'ovo'])
  if (isIndicator(yTrue)) return severalLabels(where, binaryArea(maxFpr), yTrue, yScore, average, sampleWeight)
  const truth = classesOf(where, 'yTrue', yTrue)
  const classes = uniqueOf(where, 'yTrue', truth)
  const weights = weightsOf(where, sampleWeight, truth.length)
  const { width } = matrixOf(where, 'yScore', yScore)
  if (classes.length > 2 || (classes.length === 2 && width > 2))
    return multiclassArea(where, truth, yScore, options, weights)
  const scores = scoresOf(where, yScore, truth.length)
  return binaryArea(maxFpr)(positiveOf(where, truth, classes[classes.length - 1]), scores, weights)
}

function severalLabels(
  where: string,
  score: BinaryScore,
  yTrue: unknown,
  yScore: unknown,
  average: AreaAverage,
  sampleWeight: Weighted['sampleWeight'],
): number | number[] {
  const [truth, scores] = [indicatorsOf(where, 'yTrue', yTrue), matrixOf(where, 'yScore', yScore)]
  sameShape(where, truth, scores)
  return averaged(score, truth, scores, average, weightsOf(where, sampleWeight, truth.rows))
}

function sameShape(where: string, truth: Matrix, scores: Matrix): void {
  if (scores.rows !== truth.rows || scores.width !== truth.width)
    throw shapeError(where, `yScore [${truth.rows}, ${truth.width}]`, `[${scores.rows}, ${scores.width}]`)
}

function multiclassArea(
  where: string,
  truth: Column,
  yScore: Scores,
  { average = 'macro', maxFpr = null, multiClass, labels }: RocAucOptions,
  weights: Float64Array | null,
): number | number[] {
  if (multiClass !== 'ovr' && multiClass !== 'ovo')
    throw rangeError(where, "multiClass to be 'ovr' or 'ovo' for several classes", multiClass)
  if (maxFpr !== null && maxFpr !== 1) throw rangeError(where, 'maxFpr to be null for several classes', maxFpr)
  const classes = labels ? risingLabels(where, labels, truth) : uniqueOf(where, 'yTrue', truth)
  const scores = matrixOf(where, 'yScore', yScore)
  const expected = oneVersusRest(truth, classes)
  sameShape(where, expected, scores)
  for (let i = 0; i < scores.rows; i++) {
    const sum = scores.data.subarray(i * scores.width, (i + 1) * scores.width).reduce((a, b) => a + b, 0)
    if (Math.abs(1 - sum) > 1e-8 + 1e-5 * Math.abs(sum))
      throw rangeError(where, `probabilities that sum to 1 in row ${i} (softmax of logits)`, sum)
  }
  if (average === 'samples')
    throw rangeError(where, "average to be 'micro', 'macro', 'weighted' or null for several classes", average)
  if (multiClass === 'ovr') return averaged(binaryArea(null), expected, scores, average, weights)
  return oneVersusOne(where, codesOf(truth, classes), scores, average, weights)
}

function risingLabels(where: string, labels: ArrayLike<Cell>, truth: Column): Column {
  const given = labelsOf(where, 'labels', labels)
  const rising = uniqueOf(where, 'labels', given)
  if (given.length !== rising.length || given.some((label: Cell, i: number) => label !== rising[i]))
    throw rangeError(where, 'labels to rise, each once', Array.from(given as readonly Cell[]))
  const odd = codesOf(truth, given).indexOf(-1)
  if (odd >= 0) throw new AnnealError('ERR_LABEL_RANGE', phrase(where, `yTrue[${odd}] to be among labels`, truth[odd]))
  return given
}

/** The mean over pairs of classes of the two areas between them. Source: Hand and Till 2001. */
function oneVersusOne(
  where: string,
  codes: Int32Array,
  scores: Matrix,
  average: AreaAverage,
  weights: Float64Array | null,
): number {
  if (average !== 'macro' && average !== 'weighted')
    throw rangeError(where, "average to be 'macro' or 'weighted' for 'ovo'", average)
  if (weights) throw rangeError(where, "no sampleWeight for 'ovo'", 'one')
  const present = [...new Set(codes)].sort((a, b) => a - b)
  const pairs = present.flatMap((a, i) => present.slice(i + 1).map(b => [a, b]))
  const results = pairs.map(([a, b]) => {
    const rows = Array.from(codes.keys()).filter(i => codes[i] === a || codes[i] === b)
    const areaOf = (c: number) =>
      binaryArea(null)(
        rows.map(i => (codes[i] === c ? 1 : 0)),
        rows.map(i => scores.data[i * scores.width + c]),
        null,
      )
    return { area: (areaOf(a) + areaOf(b)) / 2, share: rows.length / codes.length }
  })
  return mean(
    results.map(result => result.area),
    average === 'weighted' ? results.map(result => result.share) : null,
  )
}

/** Options of `averagePrecisionScore`. */
export interface AveragePrecisionOptions extends Weighted {
  /** Over classes (or labels). Default 'macro'. */
  average?: AreaAverage
  /** The positive class of two. Default 1. */
  posLabel?: Cell
}

/** Σ (recall step)·precision over falling thresholds; without positives every recall is 1. */
const binaryPrecision: BinaryScore = (positive, scores, weights) => {
  const { truePositives: tps, falsePositives: fps } = thresholdsOf(positive, scores, weights)
  const total = tps[tps.length - 1]
  const recall = tps.map(count => (total === 0 ? 1 : count / total))
  const precision = tps.map((count, i) => (count + fps[i] === 0 ? 0 : count / (count + fps[i])))
  return precision.reduce((sum, p, i) => sum + (recall[i] - (i ? recall[i - 1] : 0)) * p, 0)
}

/**
 * Average precision: Σ (Rₙ - Rₙ₋₁)·Pₙ over the thresholds of a score, the area under the precision-recall steps.
 *
 * ```ts
 * metrics.averagePrecisionScore([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) // 0.8333…
 * ```
 * yScore: a score per row; for more than two classes, or several labels per row, [rows, classes]. Throws ERR_SHAPE for
 * shapes that do not fit, RangeError for a posLabel that does not occur. Source: sklearn.metrics.average_precision_score.
 */
export function averagePrecisionScore(
  yTrue: Labels,
  yScore: Scores,
  options: AveragePrecisionOptions & { average: null },
): number[]
export function averagePrecisionScore(yTrue: Labels, yScore: Scores, options?: AveragePrecisionOptions): number
export function averagePrecisionScore(
  yTrue: Labels,
  yScore: Scores,
  options: AveragePrecisionOptions = {},
): number | number[] {
  const where = 'averagePrecisionScore'
  checkOptions(where, options, ['average', 'posLabel', 'sampleWeight'])
  const { average = 'macro', posLabel = 1, sampleWeight } = options
  if (average !== null) checkOneOf(where, 'average', average, AVERAGES)
  if (isIndicator(yTrue)) {
    if (posLabel !== 1) throw rangeError(where, 'posLabel to be 1 for several labels per row', posLabel)
    return severalLabels(where, binaryPrecision, yTrue, yScore, average, sampleWeight)
  }
  const truth = classesOf(where, 'yTrue', yTrue)
  const classes = uniqueOf(where, 'yTrue', truth)
  const weights = weightsOf(where, sampleWeight, truth.length)
  if (classes.length <= 2)
    return binaryPrecision(positiveOf(where, truth, posLabel), scoresOf(where, yScore, truth.length), weights)
  if (posLabel !== 1) throw rangeError(where, 'posLabel to be 1 for several classes', posLabel)
  const [expected, scores] = [oneVersusRest(truth, classes), matrixOf(where, 'yScore', yScore)]
  sameShape(where, expected, scores)
  return averaged(binaryPrecision, expected, scores, average, weights)
}
