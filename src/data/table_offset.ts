/** Where in a source a table begins, so that a later pass can begin there. Not here: reading from there (table_source.ts). */

import type { ColumnType } from './column.js'
import type { Table } from './table.js'

/** Plain data, for checkpoints: the number of a file, and for text the place in it. */
export interface TableOffset {
  readonly file: number
  /** Absent: the file's beginning. */
  readonly text?: TextOffset
}

/** The beginning of a line, and what the lines before have told. */
export interface TextOffset {
  readonly byte: number
  /** Lines before it. */
  readonly lines: number
  readonly delimiter: string
  readonly names: readonly string[]
  readonly types: readonly ColumnType[]
}

/** A table and where it begins; null where no pass can begin there. */
export interface LocatedTable {
  readonly table: Table
  readonly offset: TableOffset | null
}

/** The number of the source's first row that is read from an offset on. */
export interface RowOffset {
  readonly row: number
  readonly offset: TableOffset
}

/** The same for a part of a stream: what a checkpoint keeps. */
export interface StreamOffset extends RowOffset {
  readonly part: number
}

/** Of each part of a stream, the last known offset before its first row. */
export class PartOffsets {
  readonly #known = new Map<number, RowOffset>()

  constructor(readonly partRows: number) {}

  /** A table of `rows` rows begins there, with the source's row number `row`. */
  note(row: number, rows: number, offset: TableOffset | null): void {
    if (!offset) return
    const first = Math.ceil(row / this.partRows)
    for (let part = first; part * this.partRows < row + rows; part++) this.#known.set(part, { row, offset })
  }

  of(part: number): RowOffset | null {
    return this.#known.get(part) ?? null
  }

  know({ part, row, offset }: StreamOffset): void {
    this.#known.set(part, { row, offset })
  }
}
