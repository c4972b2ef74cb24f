/** Rows of tensors and columns: gathering them into a batch. Not here: which rows, in which order. */

import { shapeError, typeError } from '../base/errors.js'
import { partOf } from '../emitters/writes.js'
import { sizeOf } from '../ops/spec.js'
import { checkAttached, Tensor } from '../tensor/tensor.js'
import { NarrowColumn } from './narrow_column.js'

/** What a data set may be made of: rows of a tensor, or narrow ones that become such rows. */
export type DataColumn = Tensor | NarrowColumn

/** Up to this many values a row is copied value by value; a call of `set` costs more than that. */
const NARROW = 16

/** Memory for so many values. */
type NewValues = (dtype: Tensor['dtype'], length: number) => Float32Array | Int32Array

/** For batches, which come and go. */
const ofV8: NewValues = (dtype, length) => (dtype === 'int32' ? new Int32Array(length) : new Float32Array(length))

/** Whether rows have to be widened. */
export function isNarrow(x: DataColumn): x is NarrowColumn {
  return x instanceof NarrowColumn
}

/** Refuses what has lost its memory: transferred to a worker, or resized. */
export function checkRowsAttached(where: string, x: DataColumn, name: string): void {
  if (isNarrow(x)) x.checkAttached(where, name)
  else checkAttached(where, x, name)
}

/** The number of rows of a tensor or column that has rows. */
export function rowsOf(where: string, name: string, value: unknown): number {
  if (value instanceof NarrowColumn) return value.shape[0]
  if (!(value instanceof Tensor)) throw typeError(where, `${name} to be a Tensor or a data.column`, value)
  if (value.shape.length === 0) throw shapeError(where, `${name} to have at least one dimension`, 'a scalar')
  return value.shape[0]
}

/** The values, unless their buffer was transferred or resized since. */
function valuesOf(where: string, t: Tensor): Float32Array | Int32Array {
  checkAttached(where, t)
  return t.values
}

/** Values per row of x: [n, …]. */
function widthOf({ shape }: Tensor): number {
  let width = 1
  for (let i = 1; i < shape.length; i++) width *= shape[i]
  return width
}

/** Copies `rows` of x: [n, …] to a new tensor [rows.length, …]. Every row is one of 0 … n-1. */
export function gatherRows(where: string, x: DataColumn, rows: Int32Array, newValues = ofV8): Tensor {
  if (isNarrow(x)) return x.gather(where, rows)
  const shape = [...x.shape]
  shape[0] = rows.length
  const width = widthOf(x)
  const from = valuesOf(where, x)
  const to = newValues(x.dtype, rows.length * width)
  if (width === 1) {
    for (let i = 0; i < rows.length; i++) to[i] = from[rows[i]]
  } else if (width <= NARROW) {
    for (let i = 0, at = 0; i < rows.length; i++) {
      for (let source = rows[i] * width, end = source + width; source < end; source++) to[at++] = from[source]
    }
  } else {
    for (let i = 0; i < rows.length; i++) to.set(from.subarray(rows[i] * width, (rows[i] + 1) * width), i * width)
  }
  return new Tensor(shape, x.dtype, to)
}

/** Row `i` of x: [n, …] as a tensor […] that shares its memory, if that is float32 or int32. */
export function rowView(where: string, x: DataColumn, i: number): Tensor {
  if (isNarrow(x)) return new Tensor(x.shape.slice(1), 'float32', x.gather(where, Int32Array.of(i)).buf)
  const width = widthOf(x)
  return new Tensor(x.shape.slice(1), x.dtype, partOf(valuesOf(where, x), i * width, (i + 1) * width))
}

/** `count` rows that nobody reads, in the place of others that are not there. */
export function placeholders(like: readonly Tensor[], count: number): Tensor[] {
  return like.map(({ shape, dtype }) => {
    return new Tensor([count, ...shape.slice(1)], dtype, ofV8(dtype, count * sizeOf(shape.slice(1))))
  })
}

/** The rows of all, of which there is one at least, in a tensor of their own. */
export function concatRows(parts: readonly Tensor[]): Tensor {
  const [{ shape, dtype }] = parts
  const all = [parts.reduce((sum, part) => sum + part.shape[0], 0), ...shape.slice(1)]
  const to = ofV8(dtype, sizeOf(all))
  let at = 0
  for (const { values: data, size } of parts) {
    to.set(data, at)
    at += size
  }
  return new Tensor(all, dtype, to)
}

/** The rows of each tensor of `first`, then those of the same of `second`. */
export function joinRows(first: readonly Tensor[], second: readonly Tensor[]): Tensor[] {
  return second.map((rows, i) => (first[i]?.shape[0] ? concatRows([first[i], rows]) : rows))
}

/** Tensors of one shape and dtype stacked to [count, …]. */
export function stack(where: string, rows: readonly Tensor[]): Tensor {
  const { shape, dtype, size } = rows[0]
  const to = ofV8(dtype, rows.length * size)
  rows.forEach((row, i) => {
    if (row.shape.join() !== shape.join() || row.dtype !== dtype) {
      throw shapeError(where, `samples of ${dtype} [${shape.join(', ')}]`, `${row.dtype} [${row.shape.join(', ')}]`)
    }
    to.set(valuesOf(where, row), i * size)
  })
  return new Tensor([rows.length, ...shape], dtype, to)
}
