/** Labels and categories: reading, sorting and numbering them, and weights of rows. Not here: splitting by them (stratify.ts). */

import { checkNumber } from '../base/check.js'
import { AnnealError, phrase, rangeError, shapeError, typeError } from '../base/errors.js'
import { isDetached, isNumberArray } from '../base/kinds.js'
import { compareValues } from '../base/order.js'
import { Tensor } from '../tensor/tensor.js'

/** A value of a table. null (or undefined, or NaN) is the missing value. */
export type Cell = number | string | boolean | bigint | null
/** Numbers with NaN where one is missing, codes, or values of any kind. */
export type Column = Float64Array | Int32Array | readonly Cell[]

export const isMissing = (cell: unknown): boolean => cell === null || cell === undefined || Number.isNaN(cell)

const keyOf = (cell: Cell): Cell => (isMissing(cell) ? null : cell)

/** Where each category stands. */
export function indexOfCategory(categories: Column): Map<Cell, number> {
  return new Map(Array.from(categories as readonly Cell[], (cell, i) => [keyOf(cell), i]))
}

/** The code of each value, its category's index, or -1. */
export function codesOf(column: Column, categories: Column): Int32Array {
  const index = indexOfCategory(categories)
  return Int32Array.from(column as readonly Cell[], cell => index.get(keyOf(cell)) ?? -1)
}

/** The different values, rising, the missing one last. Throws TypeError for text among numbers. */
export function uniqueOf(where: string, label: string, column: Column): Column {
  const seen = new Set(Array.from(column as readonly Cell[], keyOf))
  const present = [...seen].filter(cell => cell !== null)
  const types = [...new Set(present.map(cell => typeof cell))]
  if (types.length > 1) throw typeError(where, `${label} to hold values of one type`, types)
  const missing = present.length < seen.size
  if (column instanceof Float64Array || column instanceof Int32Array) {
    return Float64Array.from([...Float64Array.from(present as number[]).sort(), ...(missing ? [NaN] : [])])
  }
  return [...present.sort(compareValues), ...(missing ? [null] : [])]
}

/** A Tensor's values, an array, a typed array, as they are; throws TypeError for anything else, ERR_DETACHED. */
export function listOf(where: string, expected: string, given: unknown): ArrayLike<unknown> {
  const values = given instanceof Tensor ? given.values : given
  const typed = ArrayBuffer.isView(values) && !(values instanceof DataView)
  if (!typed && !Array.isArray(values)) throw typeError(where, expected, given)
  if (typed && isDetached(values))
    throw new AnnealError('ERR_DETACHED', phrase(where, expected, 'one whose buffer was transferred'))
  return values as ArrayLike<unknown>
}

const isColumnShape = ({ shape }: Tensor) => shape.length === 1 || (shape.length === 2 && shape[1] === 1)

/** One label per row, of a Tensor [rows] or [rows, 1] or of an array: numbers as float64. Throws TypeError or ERR_SHAPE for else. */
export function labelsOf(where: string, name: string, labels: unknown): Column {
  if (labels instanceof Tensor && !isColumnShape(labels))
    throw shapeError(where, `${name} to have one dimension`, `shape [${labels.shape.join(', ')}]`)
  const list = listOf(where, `${name} to be a Tensor or an array of labels`, labels)
  if (isNumberArray(list)) return Float64Array.from(list)
  const cells = Array.from(list, (label, i) => {
    const single = Array.isArray(label) && label.length === 1 ? label[0] : label
    if (isMissing(single)) return null
    if (typeof single === 'object' || typeof single === 'function')
      throw typeError(where, `${name}[${i}] to be one label`, label)
    return single as Cell
  })
  return cells.every(cell => typeof cell === 'number') ? Float64Array.from(cells as number[]) : cells
}

/** One class per row: no missing one, no fraction. */
export function classesOf(where: string, name: string, y: unknown): Column {
  const labels = labelsOf(where, name, y)
  const row = labels.findIndex(
    (label: Cell) => isMissing(label) || (typeof label === 'number' && !Number.isInteger(label)),
  )
  if (row < 0) return labels
  throw rangeError(where, `${name}[${row}] to be a class: text, an integer or a boolean`, labels[row])
}

/** How much each of `rows` rows counts, at least 0. Throws TypeError, ERR_SHAPE, RangeError, or ERR_EMPTY where none counts. */
export function checkSampleWeight(where: string, weights: unknown, rows: number): Float64Array {
  const values = listOf(where, 'sampleWeight to be a Tensor or an array', weights) as ArrayLike<number>
  if (values.length !== rows) throw shapeError(where, `${rows} weights`, `${values.length}`)
  const numbers = Float64Array.from(values, (weight, i) => checkNumber(where, `sampleWeight[${i}]`, weight, { min: 0 }))
  if (rows > 0 && numbers.every(weight => weight === 0))
    throw new AnnealError('ERR_EMPTY', phrase(where, 'a weight above 0', 'none'))
  return numbers
}
