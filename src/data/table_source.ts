/** Tables one after the other: from a file by pieces, from several files, from a function. Not here: tensors (stream_table.ts). */

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { AnnealError, phrase, typeError } from '../base/errors.js'
import type { Url } from '../base/platform_types.js'
import type { ColumnType } from './column.js'
import { type Input, openInput } from './input.js'
import { asFileError, checkReadOptions, type ReadTableOptions } from './read_table.js'
import { feedCsv, type RowSink, type TextEnd } from './readers/csv.js'
import { readerOf } from './readers/index.js'
import { cellRefuser, type ReadOptions } from './readers/reader.js'
import { TextRows } from './row_builders.js'
import { Table } from './table.js'
import { tableFrom } from './table_from.js'
import type { LocatedTable, TableOffset } from './table_offset.js'

type Rows = Iterable<Record<string, unknown>>

/** Columns by name, or a table: what a function's iterable gives. */
export type ColumnChunk = Table | Parameters<typeof tableFrom>[0]

/** A file or a folder of files, several, or a function that begins anew at every call. */
export type StreamSource =
  | string
  | Url
  | readonly (string | Url)[]
  | (() => AsyncIterable<ColumnChunk> | Iterable<ColumnChunk>)

/** A table is given as soon as it has so many rows. */
const ROWS = 4096

/** The tables of a source, once, from an offset on; CSV and TSV by pieces, other formats a file at a time. */
export async function* tablesOf(
  where: string,
  source: StreamSource,
  options: ReadTableOptions,
  from?: TableOffset,
): AsyncGenerator<LocatedTable> {
  if (typeof source === 'function') {
    for await (const chunk of source()) {
      const table = chunk instanceof Table ? chunk : await tableFrom(chunk as Rows)
      yield { table, offset: null }
    }
    return
  }
  const files: (string | URL)[] = []
  for (const path of Array.isArray(source) ? source : [source]) files.push(...(await filesOf(where, path)))
  for (let file = from?.file ?? 0; file < files.length; file++)
    yield* fileTables(where, files[file], options, file === from?.file ? from : { file })
}

/** The file, or all files of the folder in the order of their names. */
async function filesOf(where: string, path: string | URL): Promise<(string | URL)[]> {
  if (typeof path !== 'string' && !(path instanceof URL))
    throw typeError(where, 'source to be paths or a function', path)
  if (!(await stat(path)).isDirectory()) return [path]
  const entries = await readdir(path, { withFileTypes: true })
  const names = entries.filter(entry => entry.isFile()).map(({ name }) => name)
  if (names.length === 0) throw new AnnealError('ERR_EMPTY', phrase(where, 'a folder with files', String(path)))
  const folder = path instanceof URL ? path.pathname : path
  return names.sort().map(name => join(folder, name))
}

async function* fileTables(
  where: string,
  path: string | URL,
  options: ReadTableOptions,
  from: TableOffset,
): AsyncGenerator<LocatedTable> {
  const checked = checkReadOptions(options)
  const input = await openInput(where, path, from.text?.byte)
  try {
    const reader = readerOf(input, options.format)
    if (reader.delimited)
      yield* csvTables(input, { ...checked, delimiter: checked.delimiter ?? reader.delimited.delimiter }, from)
    else yield { table: await reader.read(input, checked), offset: from }
  } catch (error) {
    throw asFileError(error, input)
  } finally {
    await input.close()
  }
}

/** The rows of delimited text from an offset on; types are told from the first of them. */
async function* csvTables(input: Input, options: ReadOptions, from: TableOffset): AsyncGenerator<LocatedTable> {
  const { asked, missing } = options
  const refuse = cellRefuser(input.name, 'line')
  let names: readonly string[] = []
  let types: readonly ColumnType[] | null = from.text?.types ?? null
  let offset: TableOffset | null = from
  let rows: TextRows | null = null
  const begin = () => new TextRows({ names, asked, missing, refuse }, types)
  const open = (found: readonly string[]): RowSink => {
    names = found
    rows = begin()
    return { push: (cells, line) => rows!.push(cells, line) }
  }
  const take = (end: TextEnd): LocatedTable => {
    const located = { table: rows!.finish(), offset }
    types = rows!.types
    offset = end && { file: from.file, text: { ...end, names, types } }
    rows = begin()
    return located
  }
  for await (const end of feedCsv(input, options, open, from.text))
    if (rows !== null && (rows as TextRows).rows >= ROWS) yield take(end)
  if (rows !== null && (rows as TextRows).rows > 0) yield take(null)
}
