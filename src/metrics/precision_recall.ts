/** Precision, recall and F1. Not here: all of them as a table (classification_report.ts). */

import { checkOneOf, checkOptions } from '../base/check.js'
import { AnnealError, phrase, rangeError, shapeError } from '../base/errors.js'
import { type Cell, type Column, codesOf, indexOfCategory, labelsOf } from '../data/labels.js'
import {
  classTargets,
  type Labels,
  type MultilabelTargets,
  mean,
  type SingleTargets,
  type Weighted,
  weightsOf,
} from './targets.js'

/** How scores of classes become one; null: not at all. */
export type Average = 'binary' | 'micro' | 'macro' | 'weighted' | 'samples' | null

/** Options of `precisionScore`, `recallScore` and `f1Score`. */
export interface PrecisionRecallOptions extends Weighted {
  /**
   * 'binary': of `posLabel` alone; 'micro': of all counts together; 'macro': the mean over classes; 'weighted': weighed
   * by rows of each class; 'samples': the mean over rows (of several labels per row); null: a score per class. Default
   * 'binary'.
   */
  average?: Average
  /** The class that 'binary' is about. Default 1. */
  posLabel?: Cell
  /** The classes that count, in the order of the scores. Default: all, rising. */
  labels?: ArrayLike<Cell> | null
  /** The score where it would be 0 / 0; a mean leaves NaN out. Default 0. */
  zeroDivision?: number
}

export const PRECISION_RECALL_OPTIONS = ['average', 'posLabel', 'labels', 'zeroDivision', 'sampleWeight']

/** Per class, or per row: rows (labels) that are rightly predicted, predicted, true. */
export interface Counts {
  right: number[]
  predicted: number[]
  actual: number[]
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)

/** Counts per class of one label per row. */
function singleCounts({ truth, prediction }: SingleTargets, classes: Column, weights: Float64Array | null): Counts {
  const zeros = () => new Array<number>(classes.length).fill(0)
  const counts = { right: zeros(), predicted: zeros(), actual: zeros() }
  const [t, p] = [codesOf(truth, classes), codesOf(prediction, classes)]
  t.forEach((code, i) => {
    const weight = weights ? weights[i] : 1
    if (code >= 0) counts.actual[code] += weight
    if (p[i] >= 0) counts.predicted[p[i]] += weight
    if (code >= 0 && code === p[i]) counts.right[code] += weight
  })
  return counts
}

/** Counts per label, or per row, of 0 and 1 per row and label. */
function multilabelCounts(
  targets: MultilabelTargets,
  labels: Column,
  weights: Float64Array | null,
  perRow: boolean,
): Counts {
  const { truth, prediction } = targets
  const zeros = () => new Array<number>(perRow ? truth.rows : labels.length).fill(0)
  const counts = { right: zeros(), predicted: zeros(), actual: zeros() }
  for (let i = 0; i < truth.rows; i++) {
    labels.forEach((label: Cell, c: number) => {
      const at = i * truth.width + Number(label)
      const into = perRow ? i : c
      const weight = weights && !perRow ? weights[i] : 1
      counts.actual[into] += weight * truth.data[at]
      counts.predicted[into] += weight * prediction.data[at]
      counts.right[into] += weight * truth.data[at] * prediction.data[at]
    })
  }
  return counts
}

/** The classes that are scored. */
function scoredClasses(
  where: string,
  targets: SingleTargets | MultilabelTargets,
  options: PrecisionRecallOptions,
): Column {
  const { average = 'binary', posLabel = 1, labels } = options
  if (average === 'binary') return binaryClass(where, targets, posLabel)
  const given = labels ? labelsOf(where, 'labels', labels) : null
  if (targets.kind !== 'multilabel') {
    if (average === 'samples') throw shapeError(where, "several labels per row for average 'samples'", 'one')
    return given ?? targets.labels
  }
  const { width } = targets.truth
  const odd = given?.findIndex(
    (label: Cell) => !(Number.isInteger(label) && Number(label) >= 0 && Number(label) < width),
  )
  if (odd !== undefined && odd >= 0)
    throw rangeError(where, `labels[${odd}] to be a column below ${width}`, given![odd])
  return given ?? Float64Array.from({ length: width }, (_, c) => c)
}

function binaryClass(where: string, targets: SingleTargets | MultilabelTargets, posLabel: Cell): Column {
  if (targets.kind !== 'binary') {
    const expected = `average to be 'micro', 'macro', 'weighted' or null for ${targets.kind} targets`
    throw rangeError(where, expected, 'binary')
  }
  const { labels } = targets
  if (!indexOfCategory(labels).has(posLabel) && labels.length >= 2)
    throw rangeError(where, `posLabel to be one of ${Array.from(labels as readonly Cell[]).join(', ')}`, posLabel)
  return typeof posLabel === 'number' ? Float64Array.of(posLabel) : [posLabel]
}

/** Counts per class (one for 'micro' and 'binary'), or per row for 'samples', after all checks. */
export function countsOf(where: string, yTrue: Labels, yPred: Labels, options: PrecisionRecallOptions): Counts {
  const { average = 'binary', sampleWeight, zeroDivision = 0 } = options
  if (average !== null) checkOneOf(where, 'average', average, ['binary', 'micro', 'macro', 'weighted', 'samples'])
  if (zeroDivision !== 0 && zeroDivision !== 1 && !Number.isNaN(zeroDivision))
    throw rangeError(where, 'zeroDivision to be 0, 1 or NaN', zeroDivision)
  const targets = classTargets(where, yTrue, yPred)
  const classes = scoredClasses(where, targets, options)
  if (classes.length === 0) throw new AnnealError('ERR_EMPTY', phrase(where, 'at least one label', 'none'))
  const multilabel = targets.kind === 'multilabel'
  const weights = weightsOf(where, sampleWeight, multilabel ? targets.truth.rows : targets.truth.length)
  const counts = multilabel
    ? multilabelCounts(targets, classes, weights, average === 'samples')
    : singleCounts(targets, classes, weights)
  if (average !== 'micro') return counts
  return { right: [sum(counts.right)], predicted: [sum(counts.predicted)], actual: [sum(counts.actual)] }
}

/** The mean of scores that are no NaN, weighed unless the weights of those are all 0. */
function averageOf(scores: readonly number[], weights: ArrayLike<number> | null): number {
  const present = scores.flatMap((score, i) => (Number.isNaN(score) ? [] : [i]))
  if (present.length === 0) return NaN
  const values = present.map(i => scores[i])
  const of = weights && present.map(i => weights[i])
  return mean(values, of && sum(of) > 0 ? of : null)
}

/** part / whole of the counts, averaged. */
export function scoreOf(
  { actual }: Counts,
  options: PrecisionRecallOptions,
  part: readonly number[],
  whole: readonly number[],
): number | number[] {
  const { average = 'binary', zeroDivision = 0, sampleWeight } = options
  const scores = part.map((count, c) => (whole[c] === 0 ? zeroDivision : count / whole[c]))
  if (average === null) return scores
  const rows = average === 'samples' && sampleWeight ? checkedRows(sampleWeight, scores.length) : null
  return averageOf(scores, average === 'weighted' ? actual : rows)
}

const checkedRows = (weights: NonNullable<Weighted['sampleWeight']>, rows: number) =>
  weightsOf('samples', weights, rows)

type Scored = {
  (yTrue: Labels, yPred: Labels, options: PrecisionRecallOptions & { average: null }): number[]
  (yTrue: Labels, yPred: Labels, options?: PrecisionRecallOptions): number
}

/** A score as a function: which counts of the classes are divided by which. */
function score(where: string, parts: (counts: Counts) => [part: number[], whole: number[]]): Scored {
  return ((yTrue: Labels, yPred: Labels, options: PrecisionRecallOptions = {}) => {
    checkOptions(where, options, PRECISION_RECALL_OPTIONS)
    const counts = countsOf(where, yTrue, yPred, options)
    return scoreOf(counts, options, ...parts(counts))
  }) as Scored
}

/** Of F1's 2·right / (actual + predicted). */
export const f1Parts = ({ right, actual, predicted }: Counts): [number[], number[]] => [
  right.map(count => 2 * count),
  actual.map((count, c) => count + predicted[c]),
]

/**
 * The share of rows predicted as a class that are of it: right / predicted.
 *
 * ```ts
 * metrics.precisionScore([0, 1, 2, 0, 1, 2], [0, 2, 1, 0, 0, 1], { average: 'macro' }) // 0.2222…
 * ```
 * Throws RangeError for an average that does not fit, a posLabel that does not occur; errors as accuracyScore. Source:
 * sklearn.metrics.precision_score.
 */
export const precisionScore = score('precisionScore', ({ right, predicted }) => [right, predicted])

/**
 * The share of rows of a class that are predicted as it: right / actual.
 *
 * ```ts
 * metrics.recallScore(['spam', 'ham', 'spam'], ['spam', 'spam', 'ham'], { posLabel: 'spam' }) // 0.5
 * ```
 * Errors as precisionScore. Source: sklearn.metrics.recall_score.
 */
export const recallScore = score('recallScore', ({ right, actual }) => [right, actual])

/**
 * The harmonic mean of precision and recall: 2·right / (actual + predicted).
 *
 * ```ts
 * metrics.f1Score([0, 1, 1, 0], [0, 1, 0, 0]) // 0.6666…
 * ```
 * Errors as precisionScore. Source: sklearn.metrics.f1_score.
 */
export const f1Score = score('f1Score', f1Parts)
