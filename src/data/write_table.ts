/** Tables as files of text: CSV and TSV. Not here: reading them (read_table.ts), or text for people (table_text.ts). */

import { checkOneOf, checkOptions } from '../base/check.js'
import { driveAsync } from '../base/drive.js'
import { AnnealError, describe, phrase, typeError } from '../base/errors.js'
import { atomicWrite } from '../io/atomic_write.js'
import { promisingDisk } from '../io/disk.js'
import { type Cell, cellOf } from './column.js'
import { Table } from './table.js'

/** Options of `writeTable`. */
export interface WriteTableOptions {
  /** Default: tsv where the name ends in `.tsv`, else csv. */
  format?: 'csv' | 'tsv'
}

/** Rows that become one piece of text. */
const ROWS = 4096

const where = 'writeTable'

/** A cell that `readTable` reads as it was; what is missing is empty. */
function cellText(cell: Cell): string {
  if (cell === null || Number.isNaN(cell)) return ''
  if (cell instanceof Date) return cell.toISOString().replace(/T00:00:00\.000Z$/, '')
  return String(cell)
}

/** In quotes where it would be read as something else: RFC 4180. */
function quoted(text: string, delimiter: string): string {
  return text.includes(delimiter) || /["\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** A table's lines, many at a time. Throws ERR_SHAPE for a column whose rows have a shape. */
export function* linesOf(table: Table, delimiter: ',' | '\t'): Generator<Uint8Array> {
  const { rows } = table
  const columns = table.columns()
  const wide = columns.find(({ shape }) => shape.length > 0)
  if (wide)
    throw new AnnealError('ERR_SHAPE', phrase(where, `one value per row in ${describe(wide.name)}`, `${wide.shape}`))
  const line = (texts: readonly string[]) => `${texts.map(text => quoted(text, delimiter)).join(delimiter)}\n`
  yield Buffer.from(line(columns.map(({ name }) => name)))
  for (let from = 0; from < rows; from += ROWS) {
    let text = ''
    for (let row = from; row < Math.min(rows, from + ROWS); row++)
      text += line(columns.map(column => cellText(cellOf(column, row))))
    yield Buffer.from(text)
  }
}

/**
 * Writes a table as CSV or TSV: names in the first line, UTF-8, numbers in the shortest form that reads back as they were,
 * dates in ISO form, nothing for what is missing.
 *
 * ```ts
 * await data.writeTable('answers.csv', data.tableFrom({ age: [31, NaN], city: ['Berlin', 'Rome, Italy'] }))
 * ```
 * The file is there whole or not at all. Throws TypeError or RangeError for arguments, ERR_SHAPE for a column whose rows
 * have a shape, and what the disk throws. Source: pandas.DataFrame.to_csv.
 */
export async function writeTable(path: string, table: Table, options: WriteTableOptions = {}): Promise<void> {
  if (typeof path !== 'string' || path === '') throw typeError(where, 'path to be the name of a file', path)
  if (!(table instanceof Table)) throw typeError(where, 'table to be a Table', table)
  const { format = /\.tsv$/i.test(path) ? 'tsv' : 'csv' } = checkOptions(where, options, ['format'])
  checkOneOf(where, 'format', format, ['csv', 'tsv'])
  await driveAsync(atomicWrite(promisingDisk, path, linesOf(table, format === 'tsv' ? '\t' : ',')))
}
