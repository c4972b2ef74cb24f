/** Reading what metrics compare: labels, indicators of several labels, scores and values. Not here: any metric. */

import { AnnealError, describe, phrase, rangeError, shapeError, typeError } from '../base/errors.js'
import { type Cell, type Column, checkSampleWeight, classesOf, listOf, uniqueOf } from '../data/labels.js'
import { Tensor } from '../tensor/tensor.js'

/** One label per row; or, where a row may have several, 0 or 1 per label: [rows, labels]. */
export type Labels = Tensor | ArrayLike<Cell> | readonly ArrayLike<number>[]
/** Numbers, one per row or several: [rows] or [rows, columns]. */
export type Scores = Tensor | ArrayLike<number> | readonly ArrayLike<number>[]
/** How much each row counts, at least 0. */
export type Weights = Tensor | ArrayLike<number>

/** What most metrics take. */
export interface Weighted {
  /** How much each row counts. Default: all the same. */
  sampleWeight?: Weights | null
}

/** Numbers in rows: data[row · width + column]. */
export interface Matrix {
  rows: number
  width: number
  /** Whether it was given with one dimension. */
  flat: boolean
  data: Float64Array
  /** The distance from 1 to the next number of the dtype that it came in. */
  epsilon: number
}

const FLOAT32_EPSILON = 2 ** -23

/** Finite numbers of a Tensor or of arrays. Throws TypeError, ERR_SHAPE or ERR_NONFINITE (with row and column). */
export function matrixOf(where: string, name: string, value: unknown): Matrix {
  const matrix = readMatrix(where, name, value)
  const at = matrix.data.findIndex(x => !Number.isFinite(x))
  if (at >= 0) {
    const place = matrix.flat ? `${name}[${at}]` : `${name}[${Math.floor(at / matrix.width)}][${at % matrix.width}]`
    throw new AnnealError('ERR_NONFINITE', phrase(where, `${place} to be a finite number`, describe(matrix.data[at])))
  }
  return matrix
}

function readMatrix(where: string, name: string, value: unknown): Matrix {
  const list = listOf(where, `${name} to be a Tensor or an array of numbers`, value)
  const single = value instanceof Tensor || value instanceof Float32Array
  const epsilon = single ? FLOAT32_EPSILON : Number.EPSILON
  if (value instanceof Tensor) {
    const { shape } = value
    if (shape.length !== 1 && shape.length !== 2)
      throw shapeError(where, `${name} to have one or two dimensions`, `shape [${shape.join(', ')}]`)
    return {
      rows: shape[0],
      width: shape[1] ?? 1,
      flat: shape.length === 1,
      data: Float64Array.from(list as ArrayLike<number>),
      epsilon,
    }
  }
  const isList = (list: unknown) => Array.isArray(list) || (ArrayBuffer.isView(list) && !(list instanceof DataView))
  const flat = list.length === 0 || !isList(list[0])
  const rows = flat ? [list] : Array.from(list as ArrayLike<ArrayLike<unknown>>)
  const width = flat ? 1 : rows[0].length
  const odd = flat ? -1 : rows.findIndex(row => !isList(row) || row.length !== width)
  if (odd >= 0) throw shapeError(where, `${name}[${odd}] to have ${width} values as ${name}[0]`, describe(rows[odd]))
  const data = Float64Array.from(
    rows.flatMap(row => Array.from(row)),
    (x, i) => {
      if (typeof x === 'number' || typeof x === 'boolean') return Number(x)
      throw typeError(where, `value ${i} of ${name} to be a number`, x)
    },
  )
  return { rows: list.length, width, flat, data, epsilon }
}

/** The weights of `rows` rows, or null. */
export function weightsOf(where: string, sampleWeight: Weighted['sampleWeight'], rows: number): Float64Array | null {
  return sampleWeight == null ? null : checkSampleWeight(where, sampleWeight, rows)
}

/** One label per row on both sides. */
export interface SingleTargets {
  kind: 'binary' | 'multiclass'
  truth: Column
  prediction: Column
  /** All that occur, rising. */
  labels: Column
}

/** 0 or 1 per row and label on both sides. */
export interface MultilabelTargets {
  kind: 'multilabel'
  truth: Matrix
  prediction: Matrix
}

const isMatrix = (y: unknown): boolean =>
  y instanceof Tensor
    ? y.shape.length === 2 && y.shape[1] > 1
    : Array.isArray(y) && (y[0] as ArrayLike<unknown>)?.length > 1 && typeof y[0] !== 'string'

/** Labels to compare. Throws TypeError, ERR_SHAPE for lengths that differ, ERR_EMPTY, RangeError for what is no class. */
export function classTargets(where: string, yTrue: unknown, yPred: unknown): SingleTargets | MultilabelTargets {
  if (isMatrix(yTrue) && isMatrix(yPred)) return multilabelTargets(where, yTrue, yPred)
  if (isMatrix(yPred)) {
    const hint = "a label per row: take argmax(1) of a classifier's outputs"
    throw shapeError(where, `yPred to be ${hint}`, 'several columns')
  }
  const [truth, prediction] = [classesOf(where, 'yTrue', yTrue), classesOf(where, 'yPred', yPred)]
  if (truth.length !== prediction.length) throw shapeError(where, `${truth.length} predictions`, `${prediction.length}`)
  if (truth.length === 0) throw new AnnealError('ERR_EMPTY', phrase(where, 'at least one row', '0'))
  const both = [...(truth as readonly Cell[]), ...(prediction as readonly Cell[])]
  const numeric = truth instanceof Float64Array && prediction instanceof Float64Array
  const labels = uniqueOf(where, 'yTrue and yPred', numeric ? Float64Array.from(both as number[]) : both)
  return { kind: labels.length > 2 ? 'multiclass' : 'binary', truth, prediction, labels }
}

function multilabelTargets(where: string, yTrue: unknown, yPred: unknown): MultilabelTargets {
  const [truth, prediction] = [indicatorsOf(where, 'yTrue', yTrue), indicatorsOf(where, 'yPred', yPred)]
  if (truth.rows !== prediction.rows || truth.width !== prediction.width)
    throw shapeError(
      where,
      `yPred [${truth.rows}, ${truth.width}] as yTrue`,
      `[${prediction.rows}, ${prediction.width}]`,
    )
  return { kind: 'multilabel', truth, prediction }
}

/** 0 or 1 per row and label. */
export function indicatorsOf(where: string, name: string, y: unknown): Matrix {
  const matrix = matrixOf(where, name, y)
  const odd = matrix.data.findIndex(x => x !== 0 && x !== 1)
  if (odd >= 0) throw rangeError(where, `${name} of several labels per row to hold 0 and 1`, matrix.data[odd])
  return matrix
}

/** Σ w·x / Σ w, or the plain mean. */
export function mean(x: ArrayLike<number>, weights: ArrayLike<number> | null = null): number {
  let [sum, total] = [0, 0]
  for (let i = 0; i < x.length; i++) {
    const w = weights ? weights[i] : 1
    sum += w * x[i]
    total += w
  }
  return sum / total
}
