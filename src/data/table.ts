/** Tables: named columns of equal length in memory. Not here: reading files (read_table.ts), making them of rows (table_from.ts). */

import { inspect } from 'node:util'
import { checkInt, checkOneOf, checkOptions } from '../base/check.js'
import { AnnealError, describe, phrase, rangeError, shapeError, typeError } from '../base/errors.js'
import { isDetached, isNumberArray } from '../base/kinds.js'
import { newValues } from '../native/memory.js'
import { Tensor } from '../tensor/tensor.js'
import { type Cell, type Column, type ColumnType, type ColumnValues, cellOf, takeRows, widthOf } from './column.js'
import { tableText } from './table_text.js'

/** Options of `Table.toTensor`. */
export interface ToTensorOptions {
  /** Default float32; int32 for labels and codes, which must then be integers. */
  dtype?: 'float32' | 'int32'
}

/**
 * Named columns of equal length, as `data.readTable` and `data.tableFrom` give them.
 *
 * ```ts
 * const table = await data.readTable('iris.csv')
 * console.log(table.head(3))               // names, types and rows
 * table.column('species')                  // ['setosa', …]
 * const X = table.drop(['species']).toTensor()   // float32 [150, 4]
 * for (const { species } of table) console.log(species)
 * ```
 * Types are `number`, `integer`, `category`, `boolean`, `date` and `text`. Numbers lie in typed arrays with NaN where one
 * is missing, everything else in arrays with null; integers beyond 2^53 are bigint. Source: pandas.DataFrame.
 */
export class Table implements Iterable<Record<string, Cell>> {
  /** Number of rows. */
  readonly rows: number
  readonly names: readonly string[]
  /** The type of every column by its name. */
  readonly types: Readonly<Record<string, ColumnType>>
  readonly #columns: ReadonlyMap<string, Column>

  /** @internal Use `data.readTable` or `data.tableFrom`. */
  constructor(columns: readonly Column[], rows: number) {
    const isColumn = (column: unknown) => typeof (column as Column | null | undefined)?.name === 'string'
    if (!Array.isArray(columns) || !Array.from(columns).every(isColumn)) throw typeError('Table', 'columns', columns)
    checkInt('Table', 'rows', rows, { min: 0 })
    this.rows = rows
    this.names = Object.freeze(columns.map(({ name }) => name))
    this.types = Object.freeze(Object.fromEntries(columns.map(({ name, type }) => [name, type])))
    this.#columns = new Map(columns.map(column => [column.name, column]))
  }

  /** The values of a column, not copied. Throws RangeError for a name that is none. */
  column(name: string): ColumnValues {
    return this.#column('Table.column', name).values
  }

  /** @internal The columns themselves. */
  columns(): Column[] {
    return [...this.#columns.values()]
  }

  /** The first `n` rows; printed, a readable excerpt. */
  head(n = 5): Table {
    const count = Math.min(checkInt('Table.head', 'n', n, { min: 0 }), this.rows)
    return this.#rowsAt(Int32Array.from({ length: count }, (_, i) => i))
  }

  /** These columns, in this order, not copied. */
  select(names: readonly string[]): Table {
    return new Table(this.#named('Table.select', names), this.rows)
  }

  /** All columns but these, not copied. */
  drop(names: readonly string[]): Table {
    const out = new Set(this.#named('Table.drop', names))
    return new Table(
      this.columns().filter(column => !out.has(column)),
      this.rows,
    )
  }

  /** The rows at `indices`, in their order, copied. Throws RangeError for an index outside the table. */
  take(indices: ArrayLike<number>): Table {
    if (!Array.isArray(indices) && (!isNumberArray(indices) || isDetached(indices)))
      throw typeError('Table.take', 'indices to be an array of row numbers', indices)
    for (let i = 0; i < indices.length; i++)
      checkInt('Table.take', `indices[${i}]`, indices[i], { min: 0, below: this.rows })
    return this.#rowsAt(indices)
  }

  /**
   * Numbers as a tensor: [rows, columns], float32 by default. One name, not in an array, gives [rows], and a column whose
   * rows have a shape gives [rows, …shape].
   *
   * ```ts
   * const X = table.toTensor(['age', 'income'])                 // float32 [n, 2]
   * const y = table.toTensor('label', { dtype: 'int32' })       // int32 [n]
   * ```
   * Booleans are 0 and 1, missing numbers NaN. Throws ERR_DTYPE for text and dates, and under int32 for what is no 32-bit
   * integer, with its row.
   */
  toTensor(names: string | readonly string[] = this.names, options: ToTensorOptions = {}): Tensor {
    const where = 'Table.toTensor'
    const asked = checkOptions(where, options, ['dtype']).dtype ?? 'float32'
    const dtype = checkOneOf(where, 'dtype', asked, ['float32', 'int32'])
    const columns = typeof names === 'string' ? [this.#column(where, names)] : this.#named(where, names)
    const wide = columns.find(({ shape }) => shape.length > 0)
    if (wide && columns.length > 1)
      throw shapeError(where, `${describe(wide.name)} alone, as its rows have a shape`, `${columns.length} columns`)
    const perRow = wide ? wide.shape : typeof names === 'string' ? [] : [columns.length]
    const stride = wide ? widthOf(wide) : columns.length
    const values = newValues(dtype, this.rows * stride)
    columns.forEach((column, c) => void fill(column, values, c, wide ? 1 : stride))
    return new Tensor(Object.freeze([this.rows, ...perRow]), dtype, values)
  }

  /** Rows as objects. */
  *[Symbol.iterator](): IterableIterator<Record<string, Cell>> {
    const columns = this.columns()
    for (let row = 0; row < this.rows; row++)
      yield Object.fromEntries(columns.map(column => [column.name, cellOf(column, row)]))
  }

  /** The first rows as text, with names and types. */
  toString(): string {
    return tableText(this.columns(), this.rows)
  }

  /** @internal What console.log shows. */
  [inspect.custom](): string {
    return this.toString()
  }

  #column(where: string, name: unknown): Column {
    if (typeof name !== 'string') throw typeError(where, 'the name of a column to be text', name)
    const column = this.#columns.get(name)
    if (!column) throw rangeError(where, `one of the columns ${this.names.map(describe).join(', ')}`, name)
    return column
  }

  #named(where: string, names: readonly string[]): Column[] {
    if (!Array.isArray(names)) throw typeError(where, 'an array of column names', names)
    const twice = names.find((name, i) => names.indexOf(name) < i)
    if (twice !== undefined) throw rangeError(where, 'every column once', twice)
    return Array.from(names, name => this.#column(where, name))
  }

  #rowsAt(indices: ArrayLike<number>): Table {
    return new Table(
      this.columns().map(column => takeRows(column, indices)),
      indices.length,
    )
  }
}

/** Writes the numbers of a column to every `stride`-th place from `first` on. */
function fill({ name, type, values }: Column, to: Float32Array | Int32Array, first: number, stride: number): void {
  const where = 'Table.toTensor'
  if (!['number', 'integer', 'boolean'].includes(type)) {
    const remedy = type === 'date' ? '' : ' (preprocessing.OneHotEncoder and OrdinalEncoder make numbers of text)'
    throw new AnnealError('ERR_DTYPE', phrase(where, `numbers in ${describe(name)}${remedy}`, type))
  }
  for (let i = 0, at = first; i < values.length; i++, at += stride) {
    const value = values[i]
    to[at] = value === null ? NaN : Number(value)
    if (to instanceof Int32Array && (value === null || to[at] !== Number(value)))
      throw new AnnealError('ERR_DTYPE', phrase(where, `32-bit integers in ${describe(name)}`, `${value} in row ${i}`))
  }
}
