/** Pictures of how good a model is: ROC curves and residuals. Thin: the points come from metrics, the drawing is lineChart. */

import { checkOptions } from '../base/check.js'
import { rangeError, typeError } from '../base/errors.js'
import { pageKeys } from './chart.js'
import { lineChart } from './line_chart.js'
import type { Chart, ChartPage } from './page.js'

/** A ROC curve as `metrics.rocCurve` gives it. */
export interface RocCurve {
  /** Whose curve it is: a model or a class. */
  name: string
  /** False positive rates, ascending from 0 to 1. */
  fpr: ArrayLike<number>
  /** True positive rates, one each. */
  tpr: ArrayLike<number>
}

/** Options of `rocChart`. */
export interface RocChartOptions extends Omit<ChartPage, 'title'> {
  /** Default 'ROC curve'. */
  title?: string
  /** One to six. */
  curves: readonly RocCurve[]
}

/**
 * ROC curves with the area under each, by trapezoids, in the legend, and the diagonal of a guess in grey. Needs what
 * `lineChart` needs. Source: scikit-learn's `RocCurveDisplay`.
 *
 * ```ts
 * const chart = await report.rocChart({ curves: [{ name: 'model', fpr: [0, 0, 0.5, 1], tpr: [0, 0.5, 1, 1] }] })
 * ```
 *
 * Throws `TypeError`/`RangeError` for bad options and `AnnealError` `ERR_MISSING_PACKAGE`.
 */
export async function rocChart(options: RocChartOptions): Promise<Chart> {
  const where = 'rocChart'
  checkOptions(where, options, [...pageKeys, 'curves'])
  const { curves, title = 'ROC curve', width = 560, height = 560, ...page } = options
  if (!Array.isArray(curves)) throw typeError(where, 'curves to be an array', curves)
  const series = curves.map((curve, i) => {
    checkOptions(`${where}: curves[${i}]`, curve, ['name', 'fpr', 'tpr'])
    const points = pairs(where, `curves[${i}]`, ['fpr', 'tpr'], curve.fpr, curve.tpr)
    if (points.flat().some(rate => !(rate >= 0 && rate <= 1)))
      throw rangeError(where, `curves[${i}] to hold rates from 0 to 1`, points)
    return { name: `${curve.name}, area ${area(points).toFixed(3)}`, points }
  })
  const chance = [0, 1].map(rate => [rate, rate] as const)
  return lineChart({
    ...{ ...page, title, width, height, series, yDomain: [0, 1] },
    xLabel: 'false positive rate',
    yLabel: 'true positive rate',
    background: [{ name: 'chance', points: chance }],
  })
}

/** Options of `residualChart`. */
export interface ResidualChartOptions extends Omit<ChartPage, 'title'> {
  /** Default 'Residuals'. */
  title?: string
  /** The values that were to be predicted. */
  yTrue: ArrayLike<number>
  /** The predictions. */
  yPred: ArrayLike<number>
}

/**
 * Predicted values against residuals `yTrue - yPred`, with the line of none. Needs what `lineChart` needs. Source:
 * scikit-learn's `PredictionErrorDisplay`.
 *
 * ```ts
 * const chart = await report.residualChart({ yTrue: [1, 2, 3], yPred: [1.1, 1.8, 3.2] })
 * ```
 *
 * Throws `TypeError`/`RangeError` for bad options and `AnnealError` `ERR_MISSING_PACKAGE`.
 */
export async function residualChart(options: ResidualChartOptions): Promise<Chart> {
  const where = 'residualChart'
  checkOptions(where, options, [...pageKeys, 'yTrue', 'yPred'])
  const { yTrue, yPred, title = 'Residuals', ...page } = options
  const points = pairs(where, '', ['yPred', 'yTrue'], yPred, yTrue).map(([x, y]) => [x, y - x] as const)
  const [low, high] = [Math.min, Math.max].map(pick => points.reduce((end, [x]) => pick(end, x), points[0][0]))
  return lineChart({
    ...{ ...page, title },
    xLabel: 'predicted value',
    yLabel: 'residual: true − predicted',
    series: [{ name: 'residuals', points, scatter: true }],
    background: [{ name: 'none', points: [low, high].map(x => [x, 0] as const) }],
  })
}

/** Two lists of the same length as points. */
function pairs(where: string, path: string, names: [string, string], x: ArrayLike<number>, y: ArrayLike<number>) {
  const [xs, ys] = [x, y].map((list, i) => {
    if (typeof list?.length !== 'number') throw typeError(where, `${path && `${path}.`}${names[i]} to be a list`, list)
    return Array.from(list)
  })
  if (xs.length === 0 || xs.length !== ys.length)
    throw rangeError(where, `${names.join(' and ')} to be of one length, not empty`, [xs.length, ys.length])
  return xs.map((value, i) => [value, ys[i]] as const)
}

function area(points: readonly (readonly [number, number])[]): number {
  return points.slice(1).reduce((sum, [x, y], i) => sum + ((x - points[i][0]) * (y + points[i][1])) / 2, 0)
}
