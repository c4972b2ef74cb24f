/** Splitting rows into a training and a test part as scikit-learn does. Not here: the stratified choice (stratify.ts). */

import { checkBoolean, checkInt, checkNumber, checkOptions } from '../base/check.js'
import { AnnealError, phrase, rangeError, shapeError, typeError } from '../base/errors.js'
import { isPlainObject } from '../base/kinds.js'
import { newValues } from '../native/memory.js'
import { RandomState } from '../streams/random_state.js'
import { Tensor } from '../tensor/tensor.js'
import { NarrowColumn } from './narrow_column.js'
import { gatherRows, rowsOf } from './rows.js'
import { type Labels, stratifiedIndices } from './stratify.js'
import { Table } from './table.js'

/** What can be split: a tensor, a column or a table by its rows, an array by its elements. */
export type Splittable = Tensor | NarrowColumn | Table | readonly unknown[] | Float32Array | Float64Array | Int32Array

/** Options of `trainTestSplit` and `trainTestIndices`. */
export interface SplitOptions {
  /** A fraction (rounded up) or a number of rows. Default: what is left of `trainSize`, else 0.25. */
  testSize?: number
  /** A fraction (rounded down) or a number of rows. Default: what is left of `testSize`. */
  trainSize?: number
  /** Permute the rows first. Default true. */
  shuffle?: boolean
  /** A seed from 0 to 2^32 - 1, or a stream to go on with. Default: true randomness. */
  randomState?: number | RandomState | null
  /** Labels, one per row, whose proportions both parts keep. */
  stratify?: Labels | null
}

const OPTIONS = ['testSize', 'trainSize', 'shuffle', 'randomState', 'stratify']
const WHERE = 'trainTestSplit'

function checkSize(name: string, size: number, n: number): void {
  checkNumber(WHERE, name, size)
  const fits = Number.isInteger(size) ? size >= 1 && size < n : size > 0 && size < 1
  if (!fits)
    throw rangeError(WHERE, `${name} to be a fraction between 0 and 1 or a number of rows from 1 to ${n - 1}`, size)
}

function countOf(size: number, n: number, round: (x: number) => number): number {
  return Number.isInteger(size) ? size : round(size * n)
}

/** Rows for training and for the test. */
function splitSizes(n: number, { testSize, trainSize }: SplitOptions): { train: number; test: number } {
  const testPart = testSize ?? (trainSize === undefined ? 0.25 : undefined)
  if (testSize !== undefined) checkSize('testSize', testSize, n)
  if (trainSize !== undefined) checkSize('trainSize', trainSize, n)
  const sized = testPart === undefined ? undefined : countOf(testPart, n, Math.ceil)
  const train = trainSize === undefined ? n - sized! : countOf(trainSize, n, Math.floor)
  const test = sized ?? n - train
  if (train + test > n || (testSize! < 1 && trainSize! < 1 && testSize! + trainSize! > 1)) {
    throw rangeError(WHERE, `testSize and trainSize to be at most all ${n} rows together`, [testSize, trainSize])
  }
  if (train === 0) throw new AnnealError('ERR_EMPTY', phrase(WHERE, `at least one row to train on of ${n}`, '0'))
  return { train, test }
}

function streamOf(randomState: SplitOptions['randomState']): RandomState {
  return randomState instanceof RandomState ? randomState : new RandomState(randomState)
}

/**
 * The row numbers of a split of `n` rows; the options and errors are `trainTestSplit`'s.
 *
 * ```ts
 * const { train, test } = data.trainTestIndices(10, { testSize: 0.2, randomState: 0 }) // test: Int32Array [2, 8]
 * ```
 */
export function trainTestIndices(n: number, options: SplitOptions = {}): { train: Int32Array; test: Int32Array } {
  checkInt(WHERE, 'n', n, { min: 0, max: 2 ** 31 - 1 })
  const { shuffle = true, randomState, stratify } = checkOptions(WHERE, options, OPTIONS)
  checkBoolean(WHERE, 'shuffle', shuffle)
  const sizes = splitSizes(n, options)
  if (stratify !== undefined && stratify !== null) {
    if (!shuffle) throw rangeError(WHERE, 'shuffle to be true with stratify', shuffle)
    return stratifiedIndices(WHERE, n, stratify, sizes, streamOf(randomState))
  }
  if (!shuffle) {
    const rows = Int32Array.from({ length: sizes.train + sizes.test }, (_, i) => i)
    return { train: rows.slice(0, sizes.train), test: rows.slice(sizes.train) }
  }
  const order = streamOf(randomState).permutation(n)
  return { train: order.slice(sizes.test, sizes.test + sizes.train), test: order.slice(0, sizes.test) }
}

function lengthOf(value: unknown, i: number): number {
  if (value instanceof Tensor || value instanceof NarrowColumn) return rowsOf(WHERE, `arrays[${i}]`, value)
  if (value instanceof Table) return value.rows
  if (Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value)) return value.length as number
  throw typeError(WHERE, `arrays[${i}] to be a Tensor, a data.column, a Table or an array`, value)
}

function take(value: Splittable, rows: Int32Array): Splittable {
  if (value instanceof Tensor) return gatherRows(WHERE, value, rows, newValues)
  if (value instanceof NarrowColumn) return value.take(WHERE, rows)
  if (value instanceof Table) return value.take(rows)
  if (Array.isArray(value)) return Array.from(rows, i => value[i])
  const array = value as Float32Array
  return array.slice(0, rows.length).map((_, i) => array[rows[i]])
}

function isOptions(value: unknown): value is SplitOptions {
  return isPlainObject(value)
}

/**
 * Splits rows at random into a training and a test part: scikit-learn's `train_test_split`, equal row for row.
 *
 * ```ts
 * const [XTrain, XTest, yTrain, yTest] = data.trainTestSplit(X, y, { testSize: 0.2, randomState: 42 })
 * ```
 * Takes one or more tensors, columns, tables or arrays of equal length and returns for each its two parts, copied. Of n rows a
 * fraction testSize gives ceil(testSize·n), trainSize floor(trainSize·n). `stratify`: labels whose proportions both parts keep.
 * Throws RangeError for sizes that do not fit, ERR_SHAPE for lengths that differ, ERR_EMPTY where nothing is left to
 * train on. Source: sklearn.model_selection.train_test_split.
 */
export function trainTestSplit<X extends Splittable>(X: X, options?: SplitOptions): [X, X]
export function trainTestSplit<X extends Splittable, Y extends Splittable>(
  X: X,
  y: Y,
  options?: SplitOptions,
): [X, X, Y, Y]
export function trainTestSplit(...args: (Splittable | SplitOptions | undefined)[]): Splittable[] {
  const last = args.at(-1)
  const options = isOptions(last) ? last : {}
  const arrays = (last === undefined || isOptions(last) ? args.slice(0, -1) : args) as Splittable[]
  const lengths = arrays.map(lengthOf)
  if (lengths.length === 0) throw typeError(WHERE, 'at least one Tensor, data.column, Table or array', last)
  const odd = lengths.findIndex(length => length !== lengths[0])
  if (odd > 0) throw shapeError(WHERE, `arrays[${odd}] to have ${lengths[0]} rows as arrays[0]`, `${lengths[odd]}`)
  const { train, test } = trainTestIndices(lengths[0], options)
  return arrays.flatMap(array => [take(array, train), take(array, test)])
}
