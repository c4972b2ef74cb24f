/** Tables from what is in memory: rows of objects, columns, Arrow tables. Not here: files (read_table.ts). */

import { checkOptions } from '../base/check.js'
import { AnnealError, describe, phrase, shapeError, typeError } from '../base/errors.js'
import { Tensor } from '../tensor/tensor.js'
import { type ArrowTable, arrowColumns, isArrowTable } from './arrow_columns.js'
import type { Column, ColumnType, NumberArray } from './column.js'
import {
  type ColumnOptions,
  checkColumns,
  checkNames,
  ObjectRows,
  type RefuseCell,
  ValueColumn,
} from './row_builders.js'
import { Table } from './table.js'

type RowObject = Readonly<Record<string, unknown>>
/** Arrays, typed arrays or tensors of equal length by name. */
type ColumnsObject = Readonly<Record<string, ArrayLike<unknown> | Tensor>>

const WHERE = 'tableFrom'

const refuseCell: RefuseCell = (row, column, expected, received) => {
  throw new AnnealError(
    'ERR_DTYPE',
    phrase(`${WHERE}: row ${row}, column ${describe(column)}`, expected, describe(received)),
  )
}

/**
 * A table from rows of objects, from columns or from an Arrow table.
 *
 * ```ts
 * const table = data.tableFrom([{ age: 30, city: 'Oslo' }, { age: null, city: 'Rome' }])
 * const same = data.tableFrom({ age: [30, NaN], city: ['Oslo', 'Rome'] })
 * const people = data.tableFrom(database.prepare('SELECT * FROM people').iterate())  // better-sqlite3
 * const stream = await data.tableFrom(rowsThatArriveOneByOne)                        // async iterable: a promise
 * ```
 * Numbers and bigints make numbers (bigint where one is beyond 2^53), text a category or text, Dates dates; null,
 * undefined and NaN are missing, and so is a key that a row lacks. `columns` gives types by name. Throws TypeError for
 * other arguments, ERR_DTYPE with row, column and value for values of another type than the first, ERR_SHAPE for columns
 * of different lengths. Source: pandas.DataFrame.
 */
export function tableFrom(rows: AsyncIterable<RowObject>, options?: ColumnOptions): Promise<Table>
export function tableFrom(rows: Iterable<RowObject> | ColumnsObject | ArrowTable, options?: ColumnOptions): Table
export function tableFrom(
  source: AsyncIterable<RowObject> | Iterable<RowObject> | ColumnsObject | ArrowTable,
  options: ColumnOptions = {},
): Table | Promise<Table> {
  const asked = checkColumns(WHERE, checkOptions(WHERE, options, ['columns']).columns)
  if (typeof source !== 'object' || source === null || ArrayBuffer.isView(source) || source instanceof Tensor)
    throw typeError(WHERE, 'rows of objects, columns by name or an Arrow table', source)
  if (isArrowTable(source)) return fromColumns(arrowColumns(source, asked, refuseCell))
  if (Symbol.asyncIterator in source) return fromStream(source as AsyncIterable<RowObject>, asked)
  const rows = new ObjectRows(WHERE, asked, refuseCell)
  if (!(Symbol.iterator in source)) return fromArrays(source as ColumnsObject, asked)
  for (const row of source as Iterable<RowObject>) rows.push(checkRow(row, rows.rows))
  return rows.finish()
}

async function fromStream(source: AsyncIterable<RowObject>, asked: ReadonlyMap<string, ColumnType>): Promise<Table> {
  const rows = new ObjectRows(WHERE, asked, refuseCell)
  for await (const row of source) rows.push(checkRow(row, rows.rows))
  return rows.finish()
}

function checkRow(row: unknown, i: number): object {
  if (typeof row !== 'object' || row === null || Array.isArray(row))
    throw typeError(WHERE, `row ${i} to be an object`, row)
  return row
}

function fromArrays(source: ColumnsObject, asked: ReadonlyMap<string, ColumnType>): Table {
  checkNames(WHERE, asked, Object.keys(source))
  return fromColumns(Object.entries(source).map(([name, values]) => columnOf(name, values, asked.get(name))))
}

/** Columns of equal length as a table. */
export function fromColumns(columns: readonly Column[], where = WHERE): Table {
  const lengths = columns.map(
    ({ values, shape }) =>
      values.length /
      Math.max(
        1,
        shape.reduce((a, b) => a * b, 1),
      ),
  )
  const odd = lengths.findIndex(length => length !== lengths[0])
  if (odd >= 0) {
    const expected = `column ${describe(columns[odd].name)} to have ${lengths[0]} rows as ${describe(columns[0].name)}`
    throw shapeError(where, expected, String(lengths[odd]))
  }
  return new Table(columns, lengths[0] ?? 0)
}

const NUMBER_ARRAYS = [
  ...[Float64Array, Float32Array, Int32Array, Uint32Array, Int16Array, Uint16Array, Int8Array, Uint8Array],
]

/** Numbers as they stand. */
export function numberColumn(name: string, values: NumberArray, shape: readonly number[] = []): Column {
  const isFloat = values instanceof Float64Array || values instanceof Float32Array
  return { name, type: isFloat ? 'number' : 'integer', values, shape }
}

function columnOf(name: string, source: ArrayLike<unknown> | Tensor, type: ColumnType | undefined): Column {
  if (source instanceof Tensor) {
    const [rows, ...shape] = source.shape
    if (rows === undefined) throw shapeError(WHERE, `${describe(name)} to have rows`, 'a scalar')
    return numberColumn(name, source.values.slice(), shape)
  }
  if (typeof source !== 'object' || source === null || !Number.isSafeInteger(source.length) || source.length < 0)
    throw typeError(WHERE, `${describe(name)} to be an array, a typed array or a Tensor`, source)
  if (type === undefined && NUMBER_ARRAYS.some(of => source instanceof of))
    return numberColumn(name, (source as NumberArray).slice())
  const column = new ValueColumn(name, type, refuseCell)
  for (let row = 0; row < source.length; row++) column.push(source[row], row)
  return column.finish(source.length)
}
