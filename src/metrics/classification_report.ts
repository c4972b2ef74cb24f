/** Precision, recall, F1 and rows of every class, and their averages. Not here: how they are computed (precision_recall.ts). */

import { checkBoolean, checkInt, checkOptions } from '../base/check.js'
import { shapeError } from '../base/errors.js'
import { type Cell, labelsOf } from '../data/labels.js'
import { type Average, type Counts, countsOf, f1Parts, scoreOf } from './precision_recall.js'
import { classTargets, type Labels, type Weighted } from './targets.js'

/** Options of `classificationReport`. */
export interface ClassificationReportOptions extends Weighted {
  /** The classes, in the order of the lines. Default: all, rising. */
  labels?: ArrayLike<Cell> | null
  /** Their names. */
  targetNames?: readonly string[] | null
  /** Decimals. Default 2. */
  digits?: number
  /** The numbers instead of a text. Default false. */
  outputDict?: boolean
  /** As for precisionScore. Default 0. */
  zeroDivision?: number
}

/** A line of the report. */
export interface ClassScores {
  /** Of the rows called this class, the share that is. */
  precision: number
  /** Of the rows of this class, the share called so. */
  recall: number
  /** Harmonic mean of the two. */
  f1Score: number
  /** Rows of the class, or the sum of their weights. */
  support: number
}

/** By class, 'macro avg', 'weighted avg' and 'micro avg', which is a number under 'accuracy' where it is that. */
export type ReportScores = Record<string, ClassScores | number>

const OPTIONS = ['labels', 'targetNames', 'sampleWeight', 'digits', 'outputDict', 'zeroDivision']
const where = 'classificationReport'

/**
 * Precision, recall, F1 and support of every class and their averages: a text, or the numbers (`outputDict`).
 *
 * ```ts
 * const [yTrue, yPred] = [[0, 1, 2, 2], [0, 1, 1, 2]]
 * console.log(metrics.classificationReport(yTrue, yPred, { targetNames: ['setosa', 'versicolor', 'virginica'] }))
 * const { accuracy } = metrics.classificationReport(yTrue, yPred, { outputDict: true })
 * ```
 * Throws ERR_SHAPE for another number of names; errors as precisionScore. Source: sklearn.metrics.classification_report.
 */
export function classificationReport(
  yTrue: Labels,
  yPred: Labels,
  options: ClassificationReportOptions & { outputDict: true },
): ReportScores
export function classificationReport(yTrue: Labels, yPred: Labels, options?: ClassificationReportOptions): string
export function classificationReport(
  yTrue: Labels,
  yPred: Labels,
  options: ClassificationReportOptions = {},
): ReportScores | string {
  const { digits = 2, outputDict = false } = checkOptions(where, options, OPTIONS)
  checkInt(where, 'digits', digits, { min: 0, max: 100 })
  checkBoolean(where, 'outputDict', outputDict)
  const lines = linesOf(yTrue, yPred, options)
  if (outputDict)
    return Object.fromEntries(
      [...lines.classes, ...lines.averages].map(([name, s]) => [name, name === 'accuracy' ? s.precision : s]),
    )
  return textOf(lines, digits, options.sampleWeight != null)
}

type Line = [name: string, scores: ClassScores]

function linesOf(
  yTrue: Labels,
  yPred: Labels,
  options: ClassificationReportOptions,
): { classes: Line[]; averages: Line[] } {
  const { labels, targetNames, sampleWeight, zeroDivision } = options
  const targets = classTargets(where, yTrue, yPred)
  const multilabel = targets.kind === 'multilabel'
  const all = multilabel ? Float64Array.from({ length: targets.truth.width }, (_, c) => c) : targets.labels
  const shown = labels ? labelsOf(where, 'labels', labels) : all
  if (targetNames && targetNames.length !== shown.length)
    throw shapeError(where, `${shown.length} targetNames, one per class`, `${targetNames.length}`)
  const scores = (average: Average): { each: (c: number) => ClassScores; counts: Counts } => {
    const given = { average, labels: shown, sampleWeight, zeroDivision }
    const counts = countsOf(where, yTrue, yPred, given)
    const pick = (score: number | number[], c: number) => (typeof score === 'number' ? score : score[c])
    const of = (part: number[], whole: number[], c: number) => pick(scoreOf(counts, given, part, whole), c)
    const each = (c: number) => ({
      precision: of(counts.right, counts.predicted, c),
      recall: of(counts.right, counts.actual, c),
      f1Score: of(...f1Parts(counts), c),
      support: counts.actual[c],
    })
    return { each, counts }
  }
  const { each, counts } = scores(null)
  const support = counts.actual.reduce((a, b) => a + b, 0)
  const names = targetNames ?? Array.from(shown as readonly Cell[], String)
  const complete =
    !multilabel && Array.from(all as readonly Cell[]).every(label => (shown as readonly Cell[]).includes(label))
  const averages = ['micro', 'macro', 'weighted', ...(multilabel ? ['samples'] : [])].map((average): Line => {
    const name = average === 'micro' && complete ? 'accuracy' : `${average} avg`
    return [name, { ...scores(average as Average).each(0), support }]
  })
  return { classes: names.map((name, c): Line => [name, each(c)]), averages }
}

const HEADERS = ['precision', 'recall', 'f1-score', 'support']

function textOf(
  { classes, averages }: { classes: Line[]; averages: Line[] },
  digits: number,
  weighted: boolean,
): string {
  const width = Math.max(...classes.map(([name]) => name.length), 'weighted avg'.length, digits)
  const cells = (values: readonly string[]) => values.map(value => ` ${value.padStart(9)}`).join('')
  const row = (name: string, values: readonly string[]) => `${name.padStart(width)} ${cells(values)}\n`
  const line = ([name, scores]: Line) => {
    const { precision, recall, f1Score, support } = scores
    const last = [toFixed(f1Score, digits), weighted && Number.isInteger(support) ? `${support}.0` : String(support)]
    const first = name === 'accuracy' ? ['', ''] : [toFixed(precision, digits), toFixed(recall, digits)]
    return row(name, [...first, ...last])
  }
  return `${row('', HEADERS)}\n${classes.map(line).join('')}\n${averages.map(line).join('')}`
}

/** `toFixed` that rounds halves to even, as Python's format does. */
function toFixed(x: number, digits: number): string {
  if (Number.isNaN(x)) return 'nan'
  const scaled = x * 10 ** digits
  const isHalf = scaled - Math.floor(scaled) === 0.5 && Number.isInteger(x * 2 ** (digits + 1))
  return isHalf && Math.floor(scaled) % 2 === 0
    ? (Math.floor(scaled) / 10 ** digits).toFixed(digits)
    : x.toFixed(digits)
}
