/** The furniture round the data: axes with grid and titles, and the legend. Knows no data. */

import type { Markish, PlotOptions } from '@observablehq/plot'
import type { Axis } from './axis.js'
import { type Plot, px } from './chart.js'
import { fontSize, ink, markerPaint, type SeriesStyle } from './style.js'
import { printable, textWidth } from './text.js'

export interface FrameOptions {
  x: Axis
  y: Axis
  xLabel: string
  yLabel: string
  width: number
  height: number
  /** Where the space for the data begins. */
  top: number
}

/** Grid, frame, ticks and axis titles, with margins just as wide as the labels need. */
export function axisMarks(plot: Plot, frame: FrameOptions): { marks: Markish[]; options: PlotOptions } {
  const { x, y, width, height, top: marginTop } = frame
  const marginLeft = Math.ceil(48 + Math.max(...y.labels.map(label => textWidth(label, fontSize.tick))))
  const [marginRight, marginBottom] = [28, 58]
  const grid = { stroke: ink.grid, strokeOpacity: 1 }
  const tick = { tickSize: 5, label: null, color: ink.soft, fontSize: fontSize.tick, fill: ink.text }
  const title = { text: (label: string) => printable(label), fontSize: fontSize.axis, fill: ink.text }
  const middle = marginTop + (height - marginTop - marginBottom) / 2
  const marks = [
    plot.gridX(x.ticks, grid),
    plot.gridY(y.ticks, grid),
    plot.frame({ stroke: ink.frame }),
    plot.axisX(x.ticks, { ...tick, text: (_: number, i: number) => x.labels[i] }),
    plot.axisY(y.ticks, { ...tick, text: (_: number, i: number) => y.labels[i] }),
    plot.text([frame.xLabel], {
      ...title,
      x: px(() => (marginLeft + width - marginRight) / 2),
      y: px(() => height - 16),
    }),
    plot.text([frame.yLabel], { ...title, x: px(() => 20), y: px(() => middle), rotate: -90 }),
  ]
  const scale = (axis: Axis) => ({ type: axis.type, domain: axis.domain, axis: null })
  return { marks, options: { marginTop, marginLeft, marginRight, marginBottom, x: scale(x), y: scale(y) } }
}

interface LegendItem {
  name: string
  /** A marker alone, for a curve that is points only. */
  scatter?: boolean
  style: SeriesStyle
}

const sample = 38
const rowHeight = 24

/** One row of samples and names, or as many as the names need. */
export function legend(
  plot: Plot,
  items: readonly LegendItem[],
  box: { left: number; top: number; width: number },
): { marks: Markish[]; bottom: number } {
  const placed: (LegendItem & { x: number; y: number })[] = []
  let [x, y] = [box.left, box.top + rowHeight / 2]
  for (const item of items) {
    const size = sample + 8 + textWidth(item.name, fontSize.legend)
    if (x > box.left && x + size > box.left + box.width) [x, y] = [box.left, y + rowHeight]
    placed.push({ ...item, x, y })
    x += size + 24
  }
  const samples = placed.flatMap(item => [
    plot.link(item.scatter ? [] : [item], {
      x1: px(() => item.x),
      x2: px(() => item.x + sample),
      y1: px(() => item.y),
      y2: px(() => item.y),
      stroke: item.style.color,
      strokeWidth: 2.2,
      strokeDasharray: item.style.dash,
    }),
    plot.dot([item], {
      x: px(() => item.x + sample / 2),
      y: px(() => item.y),
      symbol: item.style.symbol,
      r: 4.5,
      ...markerPaint(item.style),
    }),
  ])
  const names = plot.text(placed, {
    text: d => printable(d.name),
    x: px(d => d.x + sample + 8),
    y: px(d => d.y),
    textAnchor: 'start',
    fontSize: fontSize.legend,
    fill: ink.text,
  })
  return { marks: [...samples, names], bottom: items.length ? y + rowHeight / 2 : box.top }
}
