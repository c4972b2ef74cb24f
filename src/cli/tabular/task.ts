/** What a target column asks for, classes or numbers, and its values as tensors. Not here: inputs (columns.ts). */

import { AnnealError, describe, phrase } from '../../base/errors.js'
import { type data, preprocessing, type Tensor, tensor } from '../../index.js'

export const taskKinds = ['classification', 'regression'] as const
export type TaskKind = (typeof taskKinds)[number]

/** Whole numbers with at most so many different values are classes, where each occurs this often on average. */
const MOST_CLASSES = 20
const ROWS_PER_CLASS = 5

const isMissing = (value: unknown) => value === null || Number.isNaN(value)

/** Numbers of the rows whose target is there. Throws ERR_EMPTY where there are not two. */
export function rowsWithTarget(table: data.Table, target: string): Int32Array {
  const values = table.column(target)
  const rows = Int32Array.from({ length: table.rows }, (_, row) => row).filter(row => !isMissing(values[row]))
  if (rows.length >= 2) return rows
  throw new AnnealError('ERR_EMPTY', phrase('train', `at least 2 rows with ${describe(target)}`, rows.length))
}

/** Text, booleans and few whole numbers are classes. */
export function toldTask(values: data.ColumnValues): TaskKind {
  if (!ArrayBuffer.isView(values)) return 'classification'
  const different = new Set(values)
  const whole = values.every((value: number) => Number.isInteger(value))
  const few = different.size <= MOST_CLASSES && different.size * ROWS_PER_CLASS <= values.length
  return whole && few ? 'classification' : 'regression'
}

/** The classes' names in their order: rising numbers, or text. Throws ERR_DTYPE where that is not what is there. */
export function labelsIn(values: data.ColumnValues, target: string): string[] {
  if (Array.from<unknown>(values).some(value => value instanceof Date))
    throw new AnnealError('ERR_DTYPE', phrase('train', `classes or numbers in ${describe(target)}`, 'dates'))
  const { classes } = new preprocessing.LabelEncoder().fit(values as ArrayLike<unknown>)
  const labels = Array.from(classes as ArrayLike<unknown>, String)
  if (labels.length > 1) return labels
  throw new AnnealError('ERR_LABEL_RANGE', phrase('train', `at least 2 classes in ${describe(target)}`, labels[0]))
}

/** The classes' numbers. Throws ERR_LABEL_RANGE for a value that is no class, with its row. */
export function codesOf(values: data.ColumnValues, labels: readonly string[], target: string): Tensor {
  const codes = new Map(labels.map((label, code) => [label, code]))
  const found = Int32Array.from(values as ArrayLike<unknown> as [], value => codes.get(String(value)) ?? -1)
  const row = found.indexOf(-1)
  if (row < 0) return tensor(found)
  const place = `${describe(target)} in row ${row} to be one of ${labels.map(describe).join(', ')}`
  throw new AnnealError('ERR_LABEL_RANGE', phrase('labels', place, String(values[row])))
}

/** The target as numbers. Throws ERR_DTYPE for text and dates. */
export function numbersOf(values: data.ColumnValues, target: string): Float64Array {
  if (ArrayBuffer.isView(values)) return Float64Array.from(values)
  throw new AnnealError('ERR_DTYPE', phrase('train', `numbers in ${describe(target)} for a regression`, 'others'))
}

/** Mean and standard deviation of a target. */
export interface Scale {
  readonly mean: number
  readonly scale: number
}

/** Those of the training rows: a target of mean 0 and deviation 1 is learned at the same rates whatever its unit. */
export function scaleOf(values: Float64Array): Scale {
  const { mean, scale } = new preprocessing.StandardScaler().fit([...values].map(value => [value]))
  return { mean: mean![0], scale: scale![0] }
}

/** [rows, 1], scaled. */
export function scaled(values: Float64Array, { mean, scale }: Scale): Tensor {
  const scaledValues = Float32Array.from(values, value => (value - mean) / scale)
  return tensor(scaledValues, { shape: [values.length, 1] })
}
