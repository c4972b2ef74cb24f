/** Horizontal bars, each with its value written at its end: for comparisons such as benchmarks. */

import type { Markish } from '@observablehq/plot'
import { checkFunction, checkNumber, checkOneOf, checkOptions } from '../base/check.js'
import { rangeError, typeError } from '../base/errors.js'
import { type Axis, type ScaleType, scaleAxis } from './axis.js'
import { checkPage, drawChart, heading, loadPlot, type Plot, pageKeys, px } from './chart.js'
import type { Chart, ChartPage } from './page.js'
import { fontSize, ink, seriesStyles } from './style.js'
import { formatNumber, printable, textWidth } from './text.js'

/** One bar of a chart. */
export interface Bar {
  /** What stands beside it. */
  label: string
  /** Its length, in the unit of `valueLabel`. */
  value: number
  /** Filled dark instead of light, to mark the bar the picture is about. */
  highlight?: boolean
}

/** Options of `barChart`. */
export interface BarChartOptions extends Omit<ChartPage, 'height'> {
  /** What the bars measure, with the unit. */
  valueLabel: string
  /** Drawn from top to bottom. */
  bars: readonly Bar[]
  /** Default 'linear', from zero. A logarithmic axis needs positive values. */
  scale?: ScaleType
  /** The text at the end of a bar; default: the number in at most six significant digits. */
  format?: (value: number) => string
}

const where = 'barChart'
const barHeight = 32

/**
 * A chart of horizontal bars as SVG and PNG, as high as its bars need. Needs what `lineChart` needs.
 *
 * ```ts
 * const chart = await report.barChart({
 *   title: 'One training step', valueLabel: 'time (µs), less is better', bars: [{ label: 'anneal', value: 17.2, highlight: true }],
 * })
 * ```
 *
 * Throws `TypeError`/`RangeError` for bad options and `AnnealError` `ERR_MISSING_PACKAGE`.
 */
export async function barChart(options: BarChartOptions): Promise<Chart> {
  checkOptions(where, options, [...pageKeys.filter(key => key !== 'height'), 'valueLabel', 'bars', 'scale', 'format'])
  const { width } = checkPage(where, options, ['valueLabel'])
  const type = checkOneOf(where, 'scale', options.scale ?? 'linear', ['linear', 'log'] as const)
  const format = checkFunction(where, 'format', options.format ?? formatNumber)
  const bars = readBars(options.bars, type)
  const plot = await loadPlot(where)

  const head = heading(plot, options, width)
  const widest = (texts: string[]) => Math.ceil(Math.max(...texts.map(text => textWidth(text, fontSize.axis))))
  const marginLeft = 28 + Math.min(width / 2, widest(bars.map(bar => bar.label)))
  const marginRight = 24 + widest(bars.map(bar => format(bar.value)))
  const [marginTop, marginBottom] = [head.bottom + 6, 58]
  const values = bars.map(bar => bar.value)
  // A logarithmic axis has no zero: begin so far below the least value that its bar still has a length.
  const ends = type === 'linear' ? [0, ...values] : [0.7 * Math.min(...values), ...values]
  const axis = scaleAxis(type, ends, {
    tight: false,
    length: width - marginLeft - marginRight,
    along: 'x',
  })
  const height = marginTop + marginBottom + bars.length * barHeight
  const marks = [
    ...barMarks(plot, bars, axis, format),
    ...valueAxis(plot, axis, options.valueLabel, (marginLeft + width - marginRight) / 2, height),
  ]
  return drawChart(where, plot, options, {
    width,
    height,
    ...{ marginLeft, marginRight, marginTop, marginBottom },
    x: { type: axis.type, domain: axis.domain, axis: null },
    y: { domain: [bars.length, 0], axis: null },
    marks: [...marks, ...head.marks],
  })
}

function readBars(bars: readonly Bar[], type: ScaleType): Bar[] {
  if (!Array.isArray(bars)) throw typeError(where, 'bars to be an array', bars)
  if (bars.length === 0) throw rangeError(where, 'bars not to be empty', bars)
  for (const [i, bar] of bars.entries()) {
    checkOptions(`${where}: bars[${i}]`, bar, ['label', 'value', 'highlight'])
    if (typeof bar.label !== 'string') throw typeError(where, `bars[${i}].label to be a string`, bar.label)
    checkNumber(where, `bars[${i}].value`, bar.value, type === 'log' ? { above: 0 } : { min: 0 })
  }
  return [...bars]
}

function barMarks(plot: Plot, bars: readonly Bar[], axis: Axis, format: (value: number) => string): Markish[] {
  const start = axis.type === 'log' ? axis.domain[0] : 0
  const row = { y: (_: Bar, i: number) => i + 0.5, fontSize: fontSize.axis, fill: ink.text }
  return [
    plot.gridX(axis.ticks, { stroke: ink.grid, strokeOpacity: 1 }),
    plot.rect(bars, {
      x1: () => start,
      x2: 'value',
      y1: (_: Bar, i: number) => i + 0.13,
      y2: (_: Bar, i: number) => i + 0.87,
      fill: (bar: Bar) => (bar.highlight ? seriesStyles[0].color : ink.bar),
      stroke: ink.soft,
    }),
    plot.text(bars, {
      ...row,
      x: 'value',
      text: bar => format(bar.value),
      textAnchor: 'start',
      dx: 6,
      stroke: ink.paper,
      strokeWidth: 4,
    }),
    plot.text(bars, { ...row, text: bar => printable(bar.label), frameAnchor: 'left', textAnchor: 'end', dx: -10 }),
  ]
}

function valueAxis(plot: Plot, axis: Axis, label: string, middle: number, height: number): Markish[] {
  const tick = { tickSize: 5, label: null, color: ink.soft, fontSize: fontSize.tick, fill: ink.text }
  return [
    plot.axisX(axis.ticks, { ...tick, text: (_: number, i: number) => axis.labels[i] }),
    plot.text([label], {
      text: printable,
      x: px(() => middle),
      y: px(() => height - 16),
      fontSize: fontSize.axis,
      fill: ink.text,
    }),
  ]
}
