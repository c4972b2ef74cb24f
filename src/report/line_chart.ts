/** Curves over a common x axis, told apart by colour, dash pattern and marker alike. */

import type { Markish } from '@observablehq/plot'
import { checkBoolean, checkNumber, checkOneOf, checkOptions } from '../base/check.js'
import { rangeError, typeError } from '../base/errors.js'
import { type Axis, type ScaleType, scaleAxis } from './axis.js'
import { checkPage, drawChart, heading, loadPlot, type Plot, pageKeys } from './chart.js'
import { axisMarks, legend } from './frame.js'
import type { Chart, ChartPage } from './page.js'
import { ink, markerPaint, type SeriesStyle, seriesStyles } from './style.js'

export interface Series {
  /** What the legend calls the curve. */
  name: string
  /** y at x = 1, 2, 3, …; or give `points`. A value that is not finite is a gap. */
  values?: ArrayLike<number>
  /** [x, y] pairs in the order in which they are joined. */
  points?: readonly (readonly [number, number])[]
  /** Hold each value until the next x instead of joining the points, as a learning rate does. */
  step?: boolean
}

export interface LineChartOptions extends ChartPage {
  /** Axis titles, with the unit. */
  xLabel: string
  yLabel: string
  /** One to six curves. */
  series: readonly Series[]
  /** Any number of further curves, thin and grey behind the others and not in the legend. */
  background?: readonly Series[]
  /** Default 'linear'. A logarithmic axis leaves out values that are not positive. */
  xScale?: ScaleType
  yScale?: ScaleType
  /** Show just this range of y, cutting off what is beyond; default: all values, from zero where they come near it. */
  yDomain?: readonly [number, number]
}

interface Curve {
  name: string
  step: boolean
  points: [number, number][]
  style: SeriesStyle
}

const optionKeys = [...pageKeys, 'xLabel', 'yLabel', 'series', 'background', 'xScale', 'yScale', 'yDomain']
const scales = ['linear', 'log'] as const
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
 * Throws `TypeError`/`RangeError` for bad options (no finite value, more than six series among them) and `AnnealError`
 * `ERR_MISSING_PACKAGE`.
 */
export async function lineChart(options: LineChartOptions): Promise<Chart> {
  checkOptions(where, options, optionKeys)
  const { width, height } = checkPage(where, options, ['xLabel', 'yLabel'])
  const xType = checkOneOf(where, 'xScale', options.xScale ?? 'linear', scales)
  const yType = checkOneOf(where, 'yScale', options.yScale ?? 'linear', scales)
  const curves = readSeries(options.series, xType, yType)
  const behind = readBackground(options.background, xType, yType)
  const all = [...curves, ...behind]
  const plot = await loadPlot(where)

  const head = heading(plot, options, width)
  const key = legend(plot, curves.length > 1 ? curves : [], { left: 16, top: head.bottom, width: width - 32 })
  const x = scaleAxis(xType, finite(all, 0), { tight: true, length: width - 100, along: 'x' })
  const y = yAxis(yType, all, checkDomain(options.yDomain), height - key.bottom - 60)
  const frame = axisMarks(plot, {
    x,
    y,
    xLabel: options.xLabel,
    yLabel: options.yLabel,
    width,
    height,
    top: key.bottom + 10,
  })
  const marks = [
    ...frame.marks,
    ...behind.map(curve => backgroundMark(plot, curve, options.yDomain !== undefined)),
    ...curveMarks(plot, curves, options.yDomain !== undefined),
    ...head.marks,
    ...key.marks,
  ]
  return drawChart(where, plot, options, { ...frame.options, width, height, marks })
}

/** All finite x (0) or y (1) of the points that can be drawn. */
function finite(curves: readonly Curve[], index: 0 | 1): number[] {
  return curves.flatMap(curve => curve.points.filter(point => point.every(Number.isFinite)).map(point => point[index]))
}

function yAxis(type: ScaleType, curves: readonly Curve[], domain: readonly number[] | undefined, length: number): Axis {
  return scaleAxis(type, domain ?? finite(curves, 1), { tight: domain !== undefined, length, along: 'y' })
}

function readSeries(series: readonly Series[], xType: ScaleType, yType: ScaleType): Curve[] {
  if (!Array.isArray(series)) throw typeError(where, 'series to be an array', series)
  const most = seriesStyles.length
  if (series.length < 1 || series.length > most)
    throw rangeError(where, `series to hold 1 to ${most} curves`, series.length)
  const curves = series.map((one, i) => readCurve(one, 'series', i, xType, yType))
  if (finite(curves, 1).length === 0)
    throw rangeError(
      where,
      'series to hold a value that can be drawn',
      series.map(s => s.name),
    )
  return curves
}

function readBackground(background: unknown, xType: ScaleType, yType: ScaleType): Curve[] {
  if (background === undefined) return []
  if (!Array.isArray(background)) throw typeError(where, 'background to be an array', background)
  return background.map((one, i) => readCurve(one, 'background', i, xType, yType))
}

function readCurve(one: Series, list: string, index: number, xType: ScaleType, yType: ScaleType): Curve {
  checkOptions(`${where}: ${list}[${index}]`, one, ['name', 'values', 'points', 'step'])
  if (typeof one.name !== 'string') throw typeError(where, `${list}[${index}].name to be a string`, one.name)
  const pairs = one.points ?? Array.from(one.values ?? [], (value, i): [number, number] => [i + 1, value])
  if (!Array.isArray(pairs) || (one.points === undefined) === (one.values === undefined)) {
    throw typeError(where, `${list}[${index}] to have either values or points`, one)
  }
  const drawable = (value: number, type: ScaleType) =>
    Number.isFinite(value) && (type === 'linear' || value > 0) ? value : NaN
  const points = pairs.map(([x, y]): [number, number] => [drawable(x, xType), drawable(y, yType)])
  return {
    name: one.name,
    step: checkBoolean(where, 'step', one.step ?? false),
    points,
    style: seriesStyles[index % seriesStyles.length],
  }
}

function checkDomain(domain: readonly [number, number] | undefined): readonly [number, number] | undefined {
  if (domain === undefined) return undefined
  if (!Array.isArray(domain)) throw typeError(where, 'yDomain to be [low, high]', domain)
  const low = checkNumber(where, 'yDomain[0]', domain[0])
  return [low, checkNumber(where, 'yDomain[1]', domain[1], { above: low })]
}

function backgroundMark(plot: Plot, { points, step }: Curve, clip: boolean): Markish {
  return plot.line(points, { stroke: ink.bar, strokeWidth: 1.2, curve: step ? 'step-after' : 'linear', clip })
}

/** First all lines, then all markers, so that no line crosses out a marker. */
function curveMarks(plot: Plot, curves: readonly Curve[], clip: boolean): Markish[] {
  const lines = curves.map(({ points, style, step }) =>
    plot.line(points, {
      stroke: style.color,
      strokeWidth: 2.2,
      strokeDasharray: style.dash,
      curve: step ? 'step-after' : 'linear',
      clip,
    }),
  )
  const markers = curves.map(({ points, style }, i) =>
    plot.dot(spread(points, i, curves.length), { symbol: style.symbol, r: 4.5, clip, ...markerPaint(style) }),
  )
  return [...lines, ...markers]
}

/** At most nine markers a curve, each curve at places of its own, so that curves which coincide can still be told apart. */
function spread(points: readonly [number, number][], index: number, count: number): readonly [number, number][] {
  const drawable = points.filter(point => point.every(Number.isFinite))
  const stride = Math.max(1, Math.ceil(drawable.length / 9), Math.min(count, Math.floor(drawable.length / 3)))
  const first = Math.floor((index * stride) / count)
  return drawable.filter((_, i) => i % stride === first)
}
