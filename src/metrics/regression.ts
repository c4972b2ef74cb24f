/** Errors of predicted numbers. Not here: the losses that train (nn.MSELoss and its kin). */

import { checkBoolean, checkOneOf, checkOptions } from '../base/check.js'
import { AnnealError, phrase, shapeError, typeError } from '../base/errors.js'
import { type Matrix, matrixOf, mean, type Scores, type Weighted, weightsOf } from './targets.js'

/** Options of the errors of numbers. */
export interface RegressionOptions extends Weighted {
  /** Several columns: their mean, each for itself, or their mean by these weights. Default 'uniformAverage'. */
  multioutput?: 'uniformAverage' | 'rawValues' | ArrayLike<number>
}

/** Options of `r2Score`. */
export interface R2Options extends Weighted {
  /** As for errors; 'varianceWeighted' weighs columns by the variance of yTrue. Default 'uniformAverage'. */
  multioutput?: RegressionOptions['multioutput'] | 'varianceWeighted'
  /** 1 (right) or 0 for a constant yTrue instead of NaN or -Infinity. Default true. */
  forceFinite?: boolean
}

interface Pair {
  truth: Matrix
  prediction: Matrix
  weights: Float64Array | null
}

function pairOf(where: string, yTrue: unknown, yPred: unknown, { sampleWeight }: Weighted): Pair {
  const [truth, prediction] = [matrixOf(where, 'yTrue', yTrue), matrixOf(where, 'yPred', yPred)]
  const shapeOf = ({ rows, width }: Matrix) => `[${rows}, ${width}]`
  if (truth.rows !== prediction.rows || truth.width !== prediction.width)
    throw shapeError(where, `yPred ${shapeOf(truth)} as yTrue`, shapeOf(prediction))
  if (truth.rows === 0) throw new AnnealError('ERR_EMPTY', phrase(where, 'at least one row', '0'))
  return { truth, prediction, weights: weightsOf(where, sampleWeight, truth.rows) }
}

const columnOf = ({ data, rows, width }: Matrix, c: number) =>
  Float64Array.from({ length: rows }, (_, i) => data[i * width + c])

/** For each column the mean of `error(truth, prediction)`. */
function columnErrors({ truth, prediction, weights }: Pair, error: (y: number, p: number) => number): number[] {
  return Array.from({ length: truth.width }, (_, c) => {
    const p = columnOf(prediction, c)
    return mean(
      columnOf(truth, c).map((y, i) => error(y, p[i])),
      weights,
    )
  })
}

/** The values of columns as one, or as they are. */
function outputOf(
  where: string,
  values: number[],
  multioutput: R2Options['multioutput'] = 'uniformAverage',
  variances?: number[],
): number | number[] {
  if (typeof multioutput === 'string') {
    checkOneOf(where, 'multioutput', multioutput, [
      'uniformAverage',
      'rawValues',
      ...(variances ? ['varianceWeighted'] : []),
    ])
    if (multioutput === 'rawValues') return values
    const by = multioutput === 'varianceWeighted' && variances!.some(v => v !== 0) ? variances! : null
    return mean(values, by)
  }
  if (typeof multioutput?.length !== 'number')
    throw typeError(where, 'multioutput to be text or an array of weights', multioutput)
  if (values.length === 1 || multioutput.length !== values.length)
    throw shapeError(where, `weights of several columns (${values.length})`, `${multioutput.length}`)
  return mean(values, multioutput)
}

type Metric = {
  (yTrue: Scores, yPred: Scores, options: RegressionOptions & { multioutput: 'rawValues' }): number[]
  (yTrue: Scores, yPred: Scores, options?: RegressionOptions): number
}

function metric(where: string, error: (y: number, p: number) => number, finish = (x: number) => x): Metric {
  return ((yTrue: Scores, yPred: Scores, options: RegressionOptions = {}) => {
    checkOptions(where, options, ['multioutput', 'sampleWeight'])
    return outputOf(where, columnErrors(pairOf(where, yTrue, yPred, options), error).map(finish), options.multioutput)
  }) as Metric
}

const squared = (y: number, p: number) => (y - p) ** 2

/**
 * mean (y - p)².
 *
 * ```ts
 * metrics.meanSquaredError([3, -0.5, 2, 7], [2.5, 0, 2, 8]) // 0.375
 * ```
 * Throws ERR_SHAPE for shapes that differ, ERR_NONFINITE for NaN. Source: sklearn.metrics.mean_squared_error.
 */
export const meanSquaredError = metric('meanSquaredError', squared)

/**
 * √ mean (y - p)², of each column.
 *
 * ```ts
 * metrics.rootMeanSquaredError([3, -0.5, 2, 7], [2.5, 0, 2, 8]) // 0.6123…
 * ```
 * Errors as meanSquaredError. Source: sklearn.metrics.root_mean_squared_error.
 */
export const rootMeanSquaredError = metric('rootMeanSquaredError', squared, Math.sqrt)

/**
 * mean |y - p|.
 *
 * ```ts
 * metrics.meanAbsoluteError([3, -0.5, 2, 7], [2.5, 0, 2, 8]) // 0.5
 * ```
 * Errors as meanSquaredError. Source: sklearn.metrics.mean_absolute_error.
 */
export const meanAbsoluteError = metric('meanAbsoluteError', (y, p) => Math.abs(y - p))

/**
 * The share of the variance that is explained: R² = 1 - Σ (y - p)² / Σ (y - ȳ)². 1 is best, 0 what the mean gives.
 *
 * ```ts
 * metrics.r2Score([3, -0.5, 2, 7], [2.5, 0, 2, 8]) // 0.9486…
 * ```
 * NaN of a single row. Errors as meanSquaredError. Source: sklearn.metrics.r2_score.
 */
export function r2Score(yTrue: Scores, yPred: Scores, options: R2Options & { multioutput: 'rawValues' }): number[]
export function r2Score(yTrue: Scores, yPred: Scores, options?: R2Options): number
export function r2Score(yTrue: Scores, yPred: Scores, options: R2Options = {}): number | number[] {
  const where = 'r2Score'
  const { multioutput, forceFinite = true } = checkOptions(where, options, [
    'multioutput',
    'forceFinite',
    'sampleWeight',
  ])
  checkBoolean(where, 'forceFinite', forceFinite)
  const pair = pairOf(where, yTrue, yPred, options)
  if (pair.truth.rows < 2) return NaN
  const residual = columnErrors(pair, squared)
  const variances = residual.map((_, c) => {
    const y = columnOf(pair.truth, c)
    const centre = mean(y, pair.weights)
    return mean(
      y.map(x => squared(x, centre)),
      pair.weights,
    )
  })
  const scores = residual.map((error, c) => {
    if (forceFinite && (error === 0 || variances[c] === 0)) return error === 0 ? 1 : 0
    return 1 - error / variances[c]
  })
  return outputOf(where, scores, multioutput, variances)
}
