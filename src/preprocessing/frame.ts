/**
 * What transformers compute on: columns of float64, or of categories, that a Tensor, a table or nested arrays are turned
 * into, and back. Between the steps of a pipeline nothing is rounded to float32. Not here: what is learned from it.
 */

import { AnnealError, describe, phrase, shapeError, typeError } from '../base/errors.js'
import { type Cell, type Column, isMissing } from '../data/labels.js'
import { newValues } from '../native/memory.js'
import { Tensor } from '../tensor/tensor.js'

/** A table by its columns, as `data.Table` is one. */
export interface TableLike {
  /** How many rows it has. */
  readonly rows: number
  /** The names of its columns. */
  readonly names: readonly string[]
  /** The values of a column. */
  column(name: string): ArrayLike<unknown>
}

/** What transformers learn from and transform: [rows, columns]. */
export type Features = Tensor | TableLike | readonly (readonly Cell[] | ArrayLike<number>)[]

export interface Frame {
  readonly rows: number
  /** The names of the columns, of a table. */
  readonly names: readonly string[] | null
  readonly columns: readonly Column[]
  /** Whether a column's values lie side by side: NumPy sums those pairwise, and strided ones in order. */
  readonly contiguous: boolean
}

/** A frame of numbers only. */
export interface NumericFrame extends Frame {
  readonly columns: readonly Float64Array[]
}

/** A column as a message names it. */
export const columnLabel = ({ names }: Frame, c: number): string => (names ? `column '${names[c]}'` : `column ${c}`)

/** The columns at `indices`, in their order. */
export function selectColumns(frame: Frame, indices: ArrayLike<number>): Frame {
  const at = Array.from(indices)
  const names = frame.names && at.map(c => frame.names![c])
  return { rows: frame.rows, names, columns: at.map(c => frame.columns[c]), contiguous: true }
}

function isTable(X: unknown): X is TableLike {
  const { rows, names, column } = (X ?? {}) as TableLike
  return typeof rows === 'number' && Array.isArray(names) && typeof column === 'function'
}

const CELLS = ['number', 'string', 'boolean', 'bigint']

function cellOf(where: string, value: unknown, place: () => string): Cell {
  if (value === null || value === undefined) return null
  if (!CELLS.includes(typeof value))
    throw typeError(where, `${place()} to be a number, text, boolean or missing`, value)
  return value as Cell
}

/** A column as float64 if it holds numbers only, else as it is. */
function columnOf(where: string, values: ArrayLike<unknown>, label: string): Column {
  if (values instanceof Float64Array) return values
  if (ArrayBuffer.isView(values) && typeof values[0] !== 'bigint') return Float64Array.from(values as ArrayLike<number>)
  const cells = Array.from(values, (value, row) => cellOf(where, value, () => `row ${row} of ${label}`))
  return cells.every(cell => typeof cell === 'number') ? Float64Array.from(cells as number[]) : cells
}

function fromTensor(where: string, X: Tensor): Frame {
  if (X.shape.length !== 2) throw notRows(where, `shape [${X.shape.join(', ')}]`)
  const [rows, width] = X.shape
  const { values: data } = X
  if (data.length !== X.size) throw new AnnealError('ERR_DETACHED', phrase(where, `${X.size} values`, `${data.length}`))
  const columns = Array.from({ length: width }, () => new Float64Array(rows))
  for (let i = 0, at = 0; i < rows; i++) for (let c = 0; c < width; c++) columns[c][i] = data[at++]
  return { rows, names: null, columns, contiguous: width === 1 }
}

function fromRows(where: string, X: readonly ArrayLike<unknown>[]): Frame {
  const isRow = (row: unknown) => Array.isArray(row) || (ArrayBuffer.isView(row) && !(row instanceof DataView))
  const odd = X.findIndex(row => !isRow(row))
  if (odd >= 0) throw notRows(where, `${describe(X[odd])} as row ${odd}`)
  const width = X.length > 0 ? X[0].length : 0
  const ragged = X.findIndex(row => row.length !== width)
  if (ragged >= 0)
    throw shapeError(where, `rows of ${width} values as the first`, `${X[ragged].length} in row ${ragged}`)
  const columns = Array.from({ length: width }, (_, c) =>
    columnOf(
      where,
      X.map(row => row[c]),
      `column ${c}`,
    ),
  )
  return { rows: X.length, names: null, columns, contiguous: width === 1 }
}

function notRows(where: string, received: string): AnnealError {
  return shapeError(where, 'X to have rows and columns', `${received}: add a dimension, [[1, 2]] for one sample`)
}

/** X as columns. Throws TypeError for what it cannot be, ERR_SHAPE unless it has two dimensions, ERR_EMPTY for nothing. */
export function frameOf(where: string, X: unknown): Frame {
  const frame = read(where, X)
  if (frame.rows === 0) throw new AnnealError('ERR_EMPTY', phrase(where, 'at least one row', '0'))
  if (frame.columns.length === 0) throw new AnnealError('ERR_EMPTY', phrase(where, 'at least one column', '0'))
  return frame
}

function read(where: string, X: unknown): Frame {
  if (X instanceof Tensor) return fromTensor(where, X)
  if (Array.isArray(X)) return fromRows(where, X)
  if (ArrayBuffer.isView(X)) throw notRows(where, describe(X))
  if (!isTable(X)) throw typeError(where, 'X to be a Tensor, a table or nested arrays', X)
  const names = [...X.names]
  const columns = names.map(name => columnOf(where, X.column(name), `column '${name}'`))
  return { rows: X.rows, names, columns, contiguous: true }
}

/** The values as float64, NaN where one is missing; null if there are others than numbers, booleans and missing ones. */
export function asNumbers(column: Column): Float64Array | null {
  if (column instanceof Float64Array) return column
  if (column instanceof Int32Array) return Float64Array.from(column)
  if (column.some(cell => typeof cell === 'string')) return null
  return Float64Array.from(column, cell => (isMissing(cell) ? NaN : Number(cell)))
}

/** A frame of float64. Throws TypeError for text, ERR_NONFINITE for an infinite value (a missing one is NaN and stays). */
export function numericFrame(where: string, frame: Frame): NumericFrame {
  const columns = frame.columns.map((column, c) => {
    const numbers = asNumbers(column)
    if (!numbers) {
      const row = (column as readonly Cell[]).findIndex(cell => typeof cell === 'string')
      throw typeError(where, `numbers in ${columnLabel(frame, c)} (row ${row})`, column[row])
    }
    checkNotInfinite(where, frame, c, numbers)
    return numbers
  })
  return { ...frame, columns }
}

/** Throws ERR_NONFINITE for an infinite value in column `c`. */
export function checkNotInfinite(where: string, frame: Frame, c: number, values: Float64Array): void {
  const row = values.findIndex(value => value === Infinity || value === -Infinity)
  if (row < 0) return
  const place = `${columnLabel(frame, c)} (row ${row})`
  throw new AnnealError('ERR_NONFINITE', phrase(where, `finite or missing numbers in ${place}`, values[row]))
}

/** [rows, columns]: int32 if all columns are codes, else float32. Throws TypeError for a column of text. */
export function tensorOf(where: string, frame: Frame): Tensor {
  const { rows, columns } = frame
  const width = columns.length
  const codes = width > 0 && columns.every(column => column instanceof Int32Array)
  const out = newValues(codes ? 'int32' : 'float32', rows * width)
  columns.forEach((column, c) => {
    const numbers = column instanceof Int32Array ? column : asNumbers(column)
    if (!numbers) throw textLeft(where, columnLabel(frame, c))
    for (let i = 0, at = c; i < rows; i++, at += width) out[at] = numbers[i]
  })
  return new Tensor([rows, width], codes ? 'int32' : 'float32', out)
}

function textLeft(where: string, label: string): TypeError {
  const hint = 'follow with OneHotEncoder or OrdinalEncoder in makePipeline'
  return typeError(where, `numbers to make a Tensor of (${hint})`, `text in ${label}`)
}

/** The values by rows. */
export function rowsOfFrame({ rows, columns }: Frame): Cell[][] {
  return Array.from({ length: rows }, (_, i) => columns.map(column => column[i]))
}
