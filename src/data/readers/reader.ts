/** What a format of tables is to `readTable`. Adding one is a file with a `TableReader` and a line in index.ts. */

import { AnnealError, describe, phrase } from '../../base/errors.js'
import type { ColumnType } from '../column.js'
import type { Input } from '../input.js'
import type { RefuseCell } from '../row_builders.js'
import type { Table } from '../table.js'

export type TableFormat = 'csv' | 'tsv' | 'jsonl' | 'parquet' | 'arrow' | 'npy' | 'npz' | 'idx'

/** The options of `readTable`, checked. */
export interface ReadOptions {
  /** Types by name. */
  asked: ReadonlyMap<string, ColumnType>
  missing: ReadonlySet<string>
  delimiter?: string
  header?: boolean
}

export interface TableReader {
  readonly format: TableFormat
  /** Endings of names, without the dot. */
  readonly endings: readonly string[]
  /** Whether a file begins like this format; absent where nothing tells. */
  begins?(head: Uint8Array): boolean
  read(input: Input, options: ReadOptions): Promise<Table>
  /** Whether this is delimited text, which can be read by pieces; the delimiter, where the format says which. */
  readonly delimited?: { readonly delimiter?: string }
}

/** Throws the error of a broken file; `received` is shown as it stands. */
export function refuseFile(place: string, expected: string, received: string): never {
  throw new AnnealError('ERR_FILE_FORMAT', phrase(place, expected, received))
}

/** Throws the error of a cell; `unit` is what the file's rows are counted in. */
export function cellRefuser(name: string, unit: 'line' | 'row'): RefuseCell {
  return (place, column, expected, received) =>
    refuseFile(`${name}, ${unit} ${place}, column ${describe(column)}`, expected, describe(received))
}

/** Whether bytes begin with this text, one byte per character. */
export function beginsWith(head: Uint8Array, text: string): boolean {
  return Buffer.from(head.subarray(0, text.length)).toString('latin1') === text
}
