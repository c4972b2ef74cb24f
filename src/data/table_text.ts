/** A table as text for people: names, types, the first rows. Not here: tables of reports. */

import { type Cell, type Column, cellOf } from './column.js'

const MAX_ROWS = 10
const MAX_COLUMNS = 12
const MAX_WIDTH = 24

function cellText(cell: Cell): string {
  if (cell === null || Number.isNaN(cell)) return '·'
  if (cell instanceof Date) return cell.toISOString().replace(/T00:00:00\.000Z$/, '')
  if (ArrayBuffer.isView(cell)) return `${cell.length} numbers`
  if (typeof cell === 'number') return Number.isInteger(cell) ? String(cell) : String(Number(cell.toPrecision(6)))
  return String(cell).replace(/\s+/g, ' ')
}

const cut = (text: string) => (text.length > MAX_WIDTH ? `${text.slice(0, MAX_WIDTH - 1)}…` : text)

/** Columns side by side, numbers to the right; `·` is a missing value. */
export function tableText(columns: readonly Column[], rows: number): string {
  const shown = columns.slice(0, MAX_COLUMNS)
  const lines = shown.map(column => {
    const { name, type, shape } = column
    const cells = Array.from({ length: Math.min(rows, MAX_ROWS) }, (_, row) => cellText(cellOf(column, row)))
    const texts = [name, shape.length ? `${type} [${shape.join(', ')}]` : type, ...cells].map(cut)
    const width = Math.max(...texts.map(text => text.length))
    const right = type === 'number' || type === 'integer'
    return texts.map(text => (right ? text.padStart(width) : text.padEnd(width)))
  })
  const body = (lines[0] ?? []).map((_, i) =>
    lines
      .map(column => column[i])
      .join('  ')
      .trimEnd(),
  )
  const hidden = columns.length - shown.length
  const more = [rows > MAX_ROWS ? 'first rows shown' : '', hidden ? `${hidden} more columns` : ''].filter(Boolean)
  return [...body, `${rows} rows × ${columns.length} columns${more.length ? ` (${more.join(', ')})` : ''}`].join('\n')
}
