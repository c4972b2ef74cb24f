/** Tables one after the other: from a file by pieces, from several files, from a function. Not here: tensors (stream_table.ts). */

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { AnnealError, phrase, typeError } from '../base/errors.js'
import type { ColumnType } from './column.js'
import { openInput } from './input.js'
import { asFileError, checkReadOptions, type ReadTableOptions } from './read_table.js'
import { feedCsv, type RowSink } from './readers/csv.js'
import { readerOf } from './readers/index.js'
import { cellRefuser, type ReadOptions } from './readers/reader.js'
import { TextRows } from './row_builders.js'
import { Table } from './table.js'
import { tableFrom } from './table_from.js'

type Rows = Iterable<Record<string, unknown>>

/** Columns by name, or a table: what a function's iterable gives. */
export type ColumnChunk = Table | Parameters<typeof tableFrom>[0]

/** A file or a folder of files, several, or a function that begins anew at every call. */
export type StreamSource =
  | string
  | URL
  | readonly (string | URL)[]
  | (() => AsyncIterable<ColumnChunk> | Iterable<ColumnChunk>)

/** A table is given as soon as it has so many rows. */
const ROWS = 4096

/** The tables of a source, once; CSV and TSV by pieces, other formats a file at a time. */
export async function* tablesOf(where: string, source: StreamSource, options: ReadTableOptions): AsyncGenerator<Table> {
  if (typeof source === 'function') {
    for await (const chunk of source()) yield chunk instanceof Table ? chunk : await tableFrom(chunk as Rows)
    return
  }
  const given = Array.isArray(source) ? source : [source]
  for (const path of given) for (const file of await filesOf(where, path)) yield* fileTables(where, file, options)
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

async function* fileTables(where: string, path: string | URL, options: ReadTableOptions): AsyncGenerator<Table> {
  const checked = checkReadOptions(options)
  const input = await openInput(where, path)
  try {
    const reader = readerOf(input, options.format)
    if (reader.delimited)
      yield* csvTables(input, { ...checked, delimiter: checked.delimiter ?? reader.delimited.delimiter })
    else yield await reader.read(input, checked)
  } catch (error) {
    throw asFileError(error, input)
  } finally {
    await input.close()
  }
}

/** The rows of delimited text; types are told from the first of them. */
async function* csvTables(input: Awaited<ReturnType<typeof openInput>>, options: ReadOptions): AsyncGenerator<Table> {
  const { asked, missing } = options
  const refuse = cellRefuser(input.name, 'line')
  let names: readonly string[] = []
  let types: readonly ColumnType[] | null = null
  let rows: TextRows | null = null
  const begin = () => new TextRows({ names, asked, missing, refuse }, types)
  const open = (found: readonly string[]): RowSink => {
    names = found
    rows = begin()
    return { push: (cells, line) => rows!.push(cells, line) }
  }
  const take = (): Table => {
    const table = rows!.finish()
    types = rows!.types
    rows = begin()
    return table
  }
  for await (const _ of feedCsv(input, options, open))
    if (rows !== null && (rows as TextRows).rows >= ROWS) yield take()
  if (rows !== null && (rows as TextRows).rows > 0) yield take()
}
