/**
 * The columns of a table: values of one type, stored as one array. Not here: how a type is told from a file (told_type.ts)
 * or how values are gathered (column_stores.ts).
 */

/**
 * What a column holds. `integer` and `number` are numbers, `category` is text with few different values; the two of each
 * pair are stored alike.
 */
export const columnTypes = ['number', 'integer', 'category', 'boolean', 'date', 'text'] as const
/** What the values of a column are. */
export type ColumnType = (typeof columnTypes)[number]

export type NumberArray =
  | Float64Array
  | Float32Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array

/** Values by row: numbers in a typed array, missing ones NaN; all else in an array, missing ones null. */
export type ColumnValues = NumberArray | (bigint | null)[] | (string | null)[] | (boolean | null)[] | (Date | null)[]

/** One value of a table; null where it is missing, but NaN among numbers. */
export type Cell = number | bigint | string | boolean | Date | NumberArray | null

export interface Column {
  readonly name: string
  readonly type: ColumnType
  readonly values: ColumnValues
  /** The shape of each row; [] for a single value. Only numbers in typed arrays have another. */
  readonly shape: readonly number[]
}

/** Values per row. */
export function widthOf({ shape }: Column): number {
  return shape.reduce((product, size) => product * size, 1)
}

export function isNumbers(values: ColumnValues): values is NumberArray {
  return ArrayBuffer.isView(values)
}

/** The value, or the values, of a row. */
export function cellOf(column: Column, row: number): Cell {
  const { values, shape } = column
  if (shape.length === 0) return values[row]
  const width = widthOf(column)
  return (values as NumberArray).subarray(row * width, (row + 1) * width)
}

/** The rows at `indices`, copied. */
export function takeRows(column: Column, indices: ArrayLike<number>): Column {
  const { values } = column
  if (!isNumbers(values)) return { ...column, values: Array.from(indices, i => values[i]) as ColumnValues }
  const width = widthOf(column)
  const taken = new (values.constructor as new (n: number) => NumberArray)(indices.length * width)
  for (let i = 0; i < indices.length; i++) {
    if (width === 1) taken[i] = values[indices[i]]
    else taken.set(values.subarray(indices[i] * width, (indices[i] + 1) * width), i * width)
  }
  return { ...column, values: taken }
}

/** Columns of the same names and types one below the other. */
export function joinRows(parts: readonly Column[]): Column {
  const [first] = parts
  if (parts.length === 1) return first
  if (!parts.every(({ values }) => isNumbers(values)))
    return { ...first, values: parts.flatMap(({ values }) => Array.from(values as Cell[])) as ColumnValues }
  const arrays = parts.map(({ values }) => values as NumberArray)
  const alike = arrays.every(array => array.constructor === arrays[0].constructor)
  const ArrayType = (alike ? arrays[0].constructor : Float64Array) as new (n: number) => NumberArray
  const all = new ArrayType(arrays.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const array of arrays) {
    all.set(array, at)
    at += array.length
  }
  return { ...first, values: all }
}
