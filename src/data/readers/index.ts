/** The formats of tables: the one list. */

import type { Input } from '../input.js'
import { arrow } from './arrow.js'
import { csv, tsv } from './csv.js'
import { idx } from './idx.js'
import { jsonLines } from './json_lines.js'
import { npy, npz } from './npy.js'
import { parquet } from './parquet.js'
import type { TableFormat, TableReader } from './reader.js'

export const readers: readonly TableReader[] = [csv, tsv, jsonLines, parquet, arrow, npy, npz, idx]

/** The reader that was asked for, else by the ending of the name, else by the first bytes, else CSV. */
export function readerOf(input: Input, format?: TableFormat): TableReader {
  const ending = /\.([^.]+)$/.exec(input.name.toLowerCase().replace(/\.gz$/, ''))?.[1] ?? ''
  const reader =
    readers.find(reader => reader.format === format) ??
    readers.find(({ endings }) => endings.includes(ending)) ??
    readers.find(({ begins }) => begins?.(input.head)) ??
    csv
  input.format = reader.format
  return reader
}
