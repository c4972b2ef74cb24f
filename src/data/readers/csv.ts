/** CSV and TSV, read by csv-parse. Not here: types (row_builders.ts). */

import type { Options, Parser } from 'csv-parse'
import { describe } from '../../base/errors.js'
import { missingPackage } from '../../base/optional.js'
import type { Input } from '../input.js'
import { numberOf } from '../parse_text.js'
import { checkNames, TextRows } from '../row_builders.js'
import type { Table } from '../table.js'
import type { TextOffset } from '../table_offset.js'
import { needsParser, PlainLines } from './plain_lines.js'
import { cellRefuser, type ReadOptions, refuseFile, type TableReader } from './reader.js'
import { hasMark, MAX_LINE, textOf, utf8 } from './text.js'

const DELIMITERS = [',', ';', '\t', '|']

/** The delimiter that is most frequent in the first line, outside quotes; the comma where there is none. */
function toldDelimiter(text: string): string {
  const [line] = text.replace(/"[^"]*"/g, '').split(/\r?\n/, 1)
  const counts = DELIMITERS.map(delimiter => line.split(delimiter).length)
  return DELIMITERS[counts.indexOf(Math.max(...counts))]
}

/** What takes the rows of a file once its names are known. */
export interface RowSink {
  push(cells: string[], line: number): void
}

/** Takes the records of a file one after the other: the first gives the names. */
class Records {
  sink: RowSink | null = null
  names: readonly string[] = []

  constructor(
    private readonly name: string,
    private readonly options: ReadOptions,
    private readonly open: (names: readonly string[]) => RowSink,
  ) {}

  take(cells: string[], line: number): void {
    const known = this.sink !== null
    const hasNames = !known && this.#open(cells, line)
    if (hasNames) return
    if (cells.length !== this.names.length) this.#refuseRagged(cells, line)
    this.sink!.push(cells, line)
  }

  /** Takes records of these names from the first on. */
  goOn(names: readonly string[]): void {
    this.names = names
    this.sink = this.open(names)
  }

  /** Whether the first record is names; else the columns are numbered and it is a row. */
  #open(cells: readonly string[], line: number): boolean {
    const { header, asked } = this.options
    const hasNames = header ?? !cells.every(cell => numberOf(cell) !== null)
    this.names = cells.map((cell, c) => (hasNames && cell !== '' ? cell : `column_${c}`))
    const twice = this.names.find((name, c) => this.names.indexOf(name) < c)
    if (twice !== undefined) refuseFile(`${this.name}, line ${line}`, 'every column named once', describe(twice))
    checkNames('readTable', asked, this.names)
    this.sink = this.open(this.names)
    return hasNames
  }

  #refuseRagged(cells: readonly string[], line: number): never {
    const { length } = this.names
    const beyond = `${describe(cells[length])} after column ${describe(this.names[length - 1])}`
    const received = cells.length > length ? beyond : `none for column ${describe(this.names[cells.length])}`
    return refuseFile(`${this.name}, line ${line}`, `${length} cells`, `${cells.length}, ${received}`)
  }
}

/** csv-parse's complaints in our words. */
const EXPECTED: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: 'every quote closed',
  CSV_INVALID_CLOSING_QUOTE: 'a delimiter or the end of the line after a closing quote',
  INVALID_OPENING_QUOTE: 'quotes around whole cells, and doubled within',
  CSV_MAX_RECORD_SIZE: `a record of at most ${MAX_LINE} bytes`,
}

function refuseCsv(name: string, names: readonly string[], linesBefore: number, error: Error & CsvPlace): never {
  const expected = EXPECTED[error.code ?? '']
  if (expected === undefined) throw error
  const column = names[Number(error.column)]
  const place = `${name}, line ${linesBefore + (error.lines ?? 1)}${column === undefined ? '' : `, column ${describe(column)}`}`
  return refuseFile(place, expected, error.message.replace(/^[\w ]+: /, ''))
}

/** What csv-parse's errors carry. */
interface CsvPlace {
  code?: string
  lines?: number
  column?: unknown
}

/** Where the lines that were taken end; null where only a parser knows. */
export type TextEnd = Pick<TextOffset, 'byte' | 'lines' | 'delimiter'> | null

async function loadCsvParse() {
  try {
    return await import('csv-parse')
  } catch (cause) {
    throw missingPackage('readTable', ['csv-parse'], cause)
  }
}

/**
 * Feeds a file to `open`'s sink, a piece at every step of the iteration. `from`: where the input begins, in the middle of
 * the file.
 */
export async function* feedCsv(
  input: Input,
  options: ReadOptions,
  open: (names: readonly string[]) => RowSink,
  from?: TextOffset,
): AsyncGenerator<TextEnd> {
  const records = new Records(input.name, options, open)
  let plain: PlainLines | null = from
    ? new PlainLines(input.name, from.delimiter, records, from.byte, from.lines)
    : null
  if (from) records.goOn(from.names)
  let parser: Parser | null = null
  try {
    for await (const chunk of utf8(input.name, input.chunks(), from?.byte)) {
      const delimiter = options.delimiter ?? toldDelimiter(textOf(chunk))
      plain ??= new PlainLines(input.name, delimiter, records, hasMark(input.head) ? 3 : 0)
      if (!parser && !needsParser(chunk)) plain.push(chunk)
      else {
        parser ??= new (await loadCsvParse()).Parser(settings(records, plain)).on('error', () => {}).resume()
        const bytes = plain.drain(chunk)
        await step(done => parser!.write(bytes, done))
      }
      yield parser || input.zipped ? null : { byte: plain.bytes, lines: plain.lines, delimiter: plain.delimiter }
    }
    if (parser) await step(done => parser!.end(done))
    else plain?.finish()
  } catch (error) {
    refuseCsv(input.name, records.names, plain?.lines ?? 0, error as Error)
  }
  if (!records.sink) refuseFile(input.name, 'a line with names or values', 'an empty file')
}

function settings(records: Records, { delimiter, lines: before }: PlainLines): Options {
  return {
    delimiter,
    max_record_size: MAX_LINE,
    relax_column_count: true, // Records says which cell is too many or missing
    skip_empty_lines: true,
    on_record: (cells: string[], { lines }: { lines: number }) => void records.take(cells, before + lines),
  }
}

/** A call of a stream as a promise. */
function step(call: (done: (error?: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => call(error => (error ? reject(error) : resolve())))
}

/** Reads a file of texts between delimiters as a table. */
async function read(input: Input, options: ReadOptions): Promise<Table> {
  const { asked, missing } = options
  let rows: TextRows | null = null
  const open = (names: readonly string[]) => {
    rows = new TextRows({ names, asked, missing, refuse: cellRefuser(input.name, 'line') })
    return rows
  }
  for await (const _ of feedCsv(input, options, open));
  return rows!.finish()
}

export const csv: TableReader = { format: 'csv', endings: ['csv'], delimited: {}, read }

export const tsv: TableReader = {
  format: 'tsv',
  endings: ['tsv', 'tab'],
  delimited: { delimiter: '\t' },
  read: (input, options) => read(input, { ...options, delimiter: options.delimiter ?? '\t' }),
}
