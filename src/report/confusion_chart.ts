/** A confusion matrix as a picture. Not here: counting (metrics.confusionMatrix). */

import type { Markish } from '@observablehq/plot'
import { checkNumber, checkOptions } from '../base/check.js'
import { rangeError, typeError } from '../base/errors.js'
import { checkPage, drawChart, heading, loadPlot, type Plot, pageKeys, px } from './chart.js'
import type { Chart, ChartPage } from './page.js'
import { fontSize, ink, seriesStyles } from './style.js'
import { formatNumber, printable, textWidth } from './text.js'

/** Options of `confusionMatrixChart`. */
export interface ConfusionMatrixChartOptions extends Omit<ChartPage, 'title' | 'height'> {
  /** Default 'Confusion matrix'. */
  title?: string
  /** Counts: a row per true class, a column per predicted one. */
  matrix: readonly ArrayLike<number>[]
  /** Names of the classes; default 0, 1, 2, … */
  labels?: readonly string[]
}

interface Cell {
  row: number
  column: number
  count: number
  /** Of its row. */
  share: number
}

const where = 'confusionMatrixChart'

/**
 * Counts per true and predicted class; a cell is as dark as its share of the true class. Needs what `lineChart` needs.
 * Source: scikit-learn's `ConfusionMatrixDisplay`.
 *
 * ```ts
 * const chart = await report.confusionMatrixChart({ matrix: [[48, 2], [5, 45]], labels: ['ham', 'spam'] })
 * ```
 *
 * Throws `TypeError`/`RangeError` for bad options (a matrix that is not square among them) and `AnnealError`
 * `ERR_MISSING_PACKAGE`.
 */
export async function confusionMatrixChart(options: ConfusionMatrixChartOptions): Promise<Chart> {
  checkOptions(where, options, [...pageKeys.filter(key => key !== 'height'), 'matrix', 'labels'])
  const page = { title: 'Confusion matrix', ...options }
  const { width } = checkPage(where, { width: 560, ...page }, [])
  const cells = readMatrix(options.matrix)
  const size = options.matrix.length
  const labels = readLabels(options.labels, size).map(printable)
  const plot = await loadPlot(where)

  const head = heading(plot, page, width)
  const widest = Math.ceil(Math.max(...labels.map(label => textWidth(label, fontSize.tick))))
  const marginLeft = 56 + Math.min(width / 3, widest)
  const cell = Math.min(88, (width - marginLeft - 24) / size)
  // Names that are wider than a cell stand upright.
  const upright = widest > cell - 6
  const [marginTop, marginBottom] = [head.bottom + 8, 46 + (upright ? widest + 8 : 20)]
  const side = cell * size
  const height = Math.ceil(marginTop + side + marginBottom)
  const box = { left: marginLeft, top: marginTop, side, cell, upright, height }
  const marks = [...cellMarks(plot, cells, cell), ...nameMarks(plot, labels, box), ...head.marks]
  const scale = (domain: [number, number]) => ({ domain, axis: null })
  return drawChart(where, plot, page, {
    ...{ width, height, marginLeft, marginRight: width - marginLeft - side, marginTop, marginBottom },
    ...{ x: scale([0, size]), y: scale([size, 0]), marks },
  })
}

function readMatrix(matrix: readonly ArrayLike<number>[]): Cell[] {
  if (!Array.isArray(matrix)) throw typeError(where, 'matrix to be an array of rows', matrix)
  const size = matrix.length
  if (size === 0) throw rangeError(where, 'matrix not to be empty', matrix)
  return matrix.flatMap((counts, row) => {
    const values = Array.from<number>(counts ?? [])
    if (values.length !== size) throw rangeError(where, `matrix[${row}] to have ${size} columns`, values.length)
    for (const [column, count] of values.entries()) checkNumber(where, `matrix[${row}][${column}]`, count, { min: 0 })
    const total = values.reduce((sum, count) => sum + count, 0)
    return values.map((count, column) => ({ row, column, count, share: total ? count / total : 0 }))
  })
}

function readLabels(labels: readonly string[] | undefined, size: number): readonly string[] {
  if (labels === undefined) return Array.from({ length: size }, (_, i) => String(i))
  if (!Array.isArray(labels) || labels.some(label => typeof label !== 'string'))
    throw typeError(where, 'labels to be an array of strings', labels)
  if (labels.length !== size) throw rangeError(where, `labels to have ${size} names`, labels.length)
  return labels
}

/** Counts that do not fit into their cells are left to the colours. */
function cellMarks(plot: Plot, cells: readonly Cell[], cell: number): Markish[] {
  const widest = Math.max(...cells.map(({ count }) => textWidth(formatNumber(count), fontSize.axis)))
  const fits = widest + 4 <= cell && cell >= 18
  return [
    plot.rect(cells, {
      ...{ x1: 'column', x2: (d: Cell) => d.column + 1, y1: 'row', y2: (d: Cell) => d.row + 1 },
      ...{ fill: seriesStyles[0].color, fillOpacity: 'share', stroke: ink.grid },
    }),
    plot.text(fits ? cells : [], {
      ...{ x: (d: Cell) => d.column + 0.5, y: (d: Cell) => d.row + 0.5, text: (d: Cell) => formatNumber(d.count) },
      ...{ fontSize: fontSize.axis, fill: (d: Cell) => (d.share > 0.55 ? ink.paper : ink.text) },
    }),
  ]
}

interface Box {
  left: number
  top: number
  side: number
  cell: number
  upright: boolean
  height: number
}

function nameMarks(plot: Plot, labels: readonly string[], { left, top, side, cell, upright, height }: Box): Markish[] {
  const name = { text: (d: string) => d, fill: ink.text, fontSize: fontSize.tick }
  const at = (i: number) => (i + 0.5) * cell
  const columns = { x: px((_: string, i?: number) => left + at(i!)) }
  const title = { fill: ink.text, fontSize: fontSize.axis }
  return [
    plot.text(labels, { ...name, x: px(() => left - 10), y: px((_, i) => top + at(i!)), textAnchor: 'end' }),
    plot.text(labels, {
      ...{ ...name, ...columns, y: px(() => top + side + 10) },
      ...(upright ? { rotate: -90, textAnchor: 'end' as const } : { lineAnchor: 'top' as const }),
    }),
    plot.text(['predicted class'], { ...title, x: px(() => left + side / 2), y: px(() => height - 16) }),
    plot.text(['true class'], { ...title, x: px(() => 20), y: px(() => top + side / 2), rotate: -90 }),
  ]
}
