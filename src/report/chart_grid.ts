/** Several charts as one picture. Not here: the charts (line_chart.ts, bar_chart.ts). */

import { checkInt, checkOptions } from '../base/check.js'
import { rangeError, typeError } from '../base/errors.js'
import type { Chart } from './page.js'
import { renderPng } from './png.js'
import { ink } from './style.js'

/** Options of `chartGrid`. */
export interface ChartGridOptions {
  /** Charts in a row. Default 2. */
  columns?: number
}

const where = 'chartGrid'

/** Width and height of a chart's page. */
function sizeOf({ svg }: Chart): [number, number] {
  const [width, height] = ['width', 'height'].map(name =>
    Number(new RegExp(`<svg[^>]* ${name}="([\\d.]+)"`).exec(svg)?.[1]),
  )
  if (!(width > 0 && height > 0)) throw typeError(where, 'charts to be charts of this package', svg.slice(0, 40))
  return [width, height]
}

/**
 * Charts in rows, as one SVG and PNG; every cell is as large as the largest chart.
 *
 * ```ts
 * const page = report.chartGrid([rates, losses], { columns: 1 })
 * await writeFile('run.svg', page.svg)
 * ```
 *
 * Throws `TypeError`/`RangeError` for bad arguments, none at all among them.
 */
export function chartGrid(charts: readonly Chart[], options: ChartGridOptions = {}): Chart {
  if (!Array.isArray(charts) || charts.some(chart => typeof chart?.svg !== 'string'))
    throw typeError(where, 'charts to be an array of charts', charts)
  if (charts.length === 0) throw rangeError(where, 'at least one chart', 0)
  checkOptions(where, options, ['columns'])
  const columns = Math.min(charts.length, checkInt(where, 'columns', options.columns ?? 2, { min: 1 }))
  const sizes = charts.map(sizeOf)
  const [width, height] = [0, 1].map(side => Math.max(...sizes.map(size => size[side])))
  const cells = charts.map(({ svg }, i) => {
    const [x, y] = [(i % columns) * width, Math.floor(i / columns) * height]
    return `<g transform="translate(${x},${y})">${svg}</g>`
  })
  const page = [columns * width, Math.ceil(charts.length / columns) * height]
  const open = `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="${page[0]}" height="${page[1]}" viewBox="0 0 ${page[0]} ${page[1]}">`
  const paper = `<rect width="${page[0]}" height="${page[1]}" fill="${ink.paper}"/>`
  const svg = `${open}${paper}${cells.join('')}</svg>`
  return { svg, png: scale => renderPng(svg, scale) }
}
