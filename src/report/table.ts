/** The same rows as plain text, Markdown or HTML. No sorting, no totals: the rows come ready. */

import { typeError } from '../base/errors.js'
import { escapeMarkup, formatNumber, printable } from './text.js'

/** One row: column title → cell, in the order of the columns. A number is shown in at most six significant digits. */
export type Row = Readonly<Record<string, string | number | undefined>>

interface Cells {
  titles: string[]
  rows: string[][]
  /** Which columns hold numbers only and so are aligned to the right. */
  numeric: boolean[]
}

const numberText = /^[-−+]?[\d.,]+(e-?\d+)?\s?(%|×|[a-zµ]{1,2})?$/i

function cells(where: string, rows: readonly Row[]): Cells {
  if (!Array.isArray(rows) || rows.some(row => typeof row !== 'object' || row === null)) {
    throw typeError(where, 'rows to be an array of objects', rows)
  }
  const titles = [...new Set(rows.flatMap(row => Object.keys(row)))]
  const cell = (value: unknown) => {
    if (typeof value === 'object' && value !== null) throw typeError(where, 'cells to be text or numbers', value)
    return typeof value === 'number' ? formatNumber(value) : printable(String(value ?? ''))
  }
  const texts = rows.map(row => titles.map(title => cell(row[title])))
  const isNumber = (text: string) => text === '' || text === 'NaN' || numberText.test(text)
  const numeric = titles.map((_, i) => texts.some(row => row[i] !== '') && texts.every(row => isNumber(row[i])))
  return { titles, rows: texts, numeric }
}

/**
 * Rows as a table of plain text, numbers to the right.
 *
 * ```ts
 * report.textTable([{ run: 'static', loss: 0.19 }, { run: 'dynamic', loss: 0.4454 }])
 * // run        loss
 * // -------  ------
 * // static     0.19
 * // dynamic  0.4454
 * ```
 *
 * Throws `TypeError` for rows that are no objects.
 */
export function textTable(rows: readonly Row[]): string {
  const { titles, rows: texts, numeric } = cells('textTable', rows)
  const widths = titles.map((title, i) => Math.max(title.length, ...texts.map(row => row[i].length)))
  const pad = (text: string, i: number) => (numeric[i] ? text.padStart(widths[i]) : text.padEnd(widths[i]))
  const line = (row: string[]) => row.map(pad).join('  ').trimEnd()
  return [line(titles), line(widths.map(width => '-'.repeat(width))), ...texts.map(line)].join('\n')
}

/** Rows as a Markdown table; cells are taken as plain text. Throws `TypeError` for rows that are no objects. */
export function markdownTable(rows: readonly Row[]): string {
  const { titles, rows: texts, numeric } = cells('markdownTable', rows)
  const line = (row: string[]) => `| ${row.map(escapeMarkdown).join(' | ')} |`
  const rule = `| ${numeric.map(right => (right ? '---:' : '---')).join(' | ')} |`
  return [line(titles), rule, ...texts.map(line)].join('\n')
}

function escapeMarkdown(text: string): string {
  return text.replace(/[\\|`*_<>[\]]/g, '\\$&').replace(/\s*\n\s*/g, ' ')
}

/** Rows as an HTML table. Throws `TypeError` for rows that are no objects. */
export function htmlTable(rows: readonly Row[]): string {
  const { titles, rows: texts, numeric } = cells('htmlTable', rows)
  const line = (row: string[], tag: string) =>
    `<tr>${row.map((text, i) => `<${tag}${numeric[i] ? ' class="number"' : ''}>${escapeMarkup(text)}</${tag}>`).join('')}</tr>`
  const body = texts.map(row => line(row, 'td')).join('\n')
  return `<table>\n<thead>${line(titles, 'th')}</thead>\n<tbody>\n${body}\n</tbody>\n</table>`
}
