/** Curves over a common x axis, told apart by colour, dash pattern and marker alike. */

import { checkNumber, checkOneOf, checkOptions } from '../base/check.js'
import { rangeError, typeError } from '../base/errors.js'
import { type Axis, type ScaleType, scaleAxis } from './axis.js'
import { checkPage, drawChart, heading, loadPlot, pageKeys } from './chart.js'
import { backgroundMark, curveMarks } from './curve_marks.js'
import { axisMarks, legend } from './frame.js'
import type { Chart, ChartPage } from './page.js'
import { type Curve, countRuns, readSeries, type Scales, type Series } from './series.js'
import { seriesStyles } from './style.js'

/** Options of `lineChart`. */
export interface LineChartOptions extends ChartPage {
  /** Axis titles, with the unit. */
  xLabel: string
  /** Title of the y axis, with the unit. */
  yLabel: string
  /** Curves of one to six runs; a run may have several (`run`, `dashed`). */
  series: readonly Series[]
  /** Any number of further curves, thin and grey behind the others and not in the legend. */
  background?: readonly Series[]
  /** Default 'linear'. A logarithmic axis leaves out values that are not positive. */
  xScale?: ScaleType
  /** As `xScale`. */
  yScale?: ScaleType
  /** Show just this range of y, cutting off what is beyond; default: all values, from zero where they come near it. */
  yDomain?: readonly [number, number]
}

const optionKeys = [...pageKeys, 'xLabel', 'yLabel', 'series', 'background', 'xScale', 'yScale', 'yDomain']
const scaleTypes = ['linear', 'log'] as const
const where = 'lineChart'

/**
 * A line chart as SVG and PNG. Needs the optional packages @observablehq/plot and linkedom (and @resvg/resvg-js for `png()`).
 *
 * ```ts
 * const chart = await report.lineChart({
 *   title: 'Loss', xLabel: 'epoch', yLabel: 'cross-entropy (nats)', series: [{ name: 'training', values: history.trainLoss }],
 * })
 * await writeFile('loss.svg', chart.svg)
 * await writeFile('loss.png', await chart.png())
 * ```
 *
 * Throws `TypeError`/`RangeError` for bad options (no finite value, more than six runs among them) and `AnnealError`
 * `ERR_MISSING_PACKAGE`.
 */
export async function lineChart(options: LineChartOptions): Promise<Chart> {
  checkOptions(where, options, optionKeys)
  const { width, height } = checkPage(where, options, ['xLabel', 'yLabel'])
  const scales: Scales = {
    x: checkOneOf(where, 'xScale', options.xScale ?? 'linear', scaleTypes),
    y: checkOneOf(where, 'yScale', options.yScale ?? 'linear', scaleTypes),
  }
  const curves = readNamed(options.series, scales)
  const behind = readSeries(where, 'background', options.background ?? [], scales)
  const all = [...curves, ...behind]
  const plot = await loadPlot(where)

  const head = heading(plot, options, width)
  const key = legend(plot, curves.length > 1 ? curves : [], { left: 16, top: head.bottom, width: width - 32 })
  const x = xAxis(scales.x, all, width - 100)
  const y = yAxis(scales.y, all, checkDomain(options.yDomain, scales.y), height - key.bottom - 60)
  const { xLabel, yLabel } = options
  const frame = axisMarks(plot, { x, y, xLabel, yLabel, width, height, top: key.bottom + 10 })
  const marks = [
    ...frame.marks,
    ...behind.map(curve => backgroundMark(plot, curve, { x, y })),
    ...curveMarks(plot, curves, { x, y }),
    ...head.marks,
    ...key.marks,
  ]
  return drawChart(where, plot, options, { ...frame.options, width, height, marks })
}

/** All finite x (0) or y (1) of the points that can be drawn. */
function finite(curves: readonly Curve[], index: 0 | 1): number[] {
  return curves.flatMap(curve => curve.points.filter(point => point.every(Number.isFinite)).map(point => point[index]))
}

/** Ends at the data; where all x are whole (epochs, updates), so are the ticks. */
function xAxis(type: ScaleType, curves: readonly Curve[], length: number): Axis {
  const values = finite(curves, 0)
  return scaleAxis(type, values, { tight: true, length, along: 'x', whole: values.every(Number.isInteger) })
}

function yAxis(type: ScaleType, curves: readonly Curve[], domain: readonly number[] | undefined, length: number): Axis {
  const ends = curves.flatMap(({ points, deviation }) => points.flatMap(([, y], i) => bandEnds(y, deviation[i])))
  const drawable = [...finite(curves, 1), ...ends.filter(y => Number.isFinite(y) && (type === 'linear' || y > 0))]
  return scaleAxis(type, domain ?? drawable, { tight: domain !== undefined, length, along: 'y' })
}

function bandEnds(y: number, deviation: number | undefined): number[] {
  return deviation === undefined ? [] : [y - deviation, y + deviation]
}

/** The curves that are named: of one to six runs, and something of them can be drawn. */
function readNamed(series: readonly Series[], scales: Scales): Curve[] {
  const curves = readSeries(where, 'series', series, scales)
  const [runs, most] = [countRuns(series), seriesStyles.length]
  if (runs < 1 || runs > most) throw rangeError(where, `series to hold 1 to ${most} curves or runs`, runs)
  if (finite(curves, 1).length === 0) {
    const names = series.map(({ name }) => name)
    throw rangeError(where, 'series to hold a value that can be drawn', names)
  }
  return curves
}

function checkDomain(domain: LineChartOptions['yDomain'], type: ScaleType): LineChartOptions['yDomain'] {
  if (domain === undefined) return undefined
  if (!Array.isArray(domain)) throw typeError(where, 'yDomain to be [low, high]', domain)
  const low = checkNumber(where, 'yDomain[0]', domain[0], type === 'log' ? { above: 0 } : {})
  return [low, checkNumber(where, 'yDomain[1]', domain[1], { above: low })]
}
