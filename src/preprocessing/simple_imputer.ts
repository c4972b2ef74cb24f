/** SimpleImputer: missing values replaced by one value per column. Not here: reading X (transformer.ts). */

import { checkBoolean, checkOneOf, checkOptions } from '../base/check.js'
import { AnnealError, phrase, shapeError, typeError } from '../base/errors.js'
import { compareValues } from '../base/order.js'
import { type Cell, type Column, isMissing } from '../data/labels.js'
import { NoOnnxForm, type OnnxGraph, type OnnxName } from '../ops/onnx.js'
import type { Tensor } from '../tensor/tensor.js'
import {
  asNumbers,
  checkNotInfinite,
  columnLabel,
  type Features,
  type Frame,
  frameOf,
  numericFrame,
  selectColumns,
  tensorOf,
} from './frame.js'
import { onnxJoin, onnxSelect } from './onnx_columns.js'
import { medianOf, sortedPresent, sumOf } from './statistics.js'
import { Invertible, type OnnxColumns } from './transformer.js'

/** Makes the value of a column from those that are not missing. */
export type ImputeStrategy = (values: Float64Array) => number

/** Options of `SimpleImputer`. */
export interface SimpleImputerOptions {
  /** What counts as missing. Default NaN, which null and undefined count as. */
  missingValues?: Cell
  /** What takes its place; the smallest of several that are most frequent. Default 'mean'. */
  strategy?: 'mean' | 'median' | 'mostFrequent' | 'constant' | ImputeStrategy
  /** The constant. Default: 0 in a column of numbers, else 'missing_value'. */
  fillValue?: Cell
  /** Append a column of 0 and 1 for each that had missing values in `fit`. Default false. */
  addIndicator?: boolean
  /** Keep columns of missing values only (filled with 0, or with the constant) instead of dropping them. Default false. */
  keepEmptyFeatures?: boolean
}

const OPTIONS = ['missingValues', 'strategy', 'fillValue', 'addIndicator', 'keepEmptyFeatures']
const STRATEGIES = ['mean', 'median', 'mostFrequent', 'constant'] as const

/**
 * Replaces what is missing by the column's mean, median, most frequent value, or a constant.
 *
 * `statistics`: a value per column, NaN (null of text) for one without any, which `transform` drops;
 * `indicatorFeatures`: the columns that have an indicator. Columns of text take 'mostFrequent' and 'constant', and give
 * no Tensor: an encoder must follow in the pipeline. Throws TypeError for text with other strategies, ERR_NONFINITE for
 * infinite values. Source: sklearn.impute.SimpleImputer.
 *
 * ```ts
 * new preprocessing.SimpleImputer().fitTransform([[1], [null], [3]]).toArray() // [[1], [2], [3]]
 * ```
 */
export class SimpleImputer extends Invertible<Required<SimpleImputerOptions>> {
  statistics: Float64Array | readonly Cell[] | null = null
  indicatorFeatures: Int32Array | null = null

  constructor(options: SimpleImputerOptions = {}) {
    super('SimpleImputer', checkImputer(options), { statistics: 'cells', indicatorFeatures: 'indices' })
  }

  /** @internal */
  fitFrame(frame: Frame): void {
    const columns = this.#columnsOf(frame)
    const missing = columns.map(column => this.#missingOf(column))
    const statistics = columns.map((column, c) => this.#statisticOf(frame, column, missing[c]))
    const numbers = statistics.every(value => typeof value === 'number')
    this.statistics = numbers ? Float64Array.from(statistics) : statistics
    const marked = missing.flatMap((mask, c) => (mask.includes(1) ? [c] : []))
    this.indicatorFeatures = this.options.addIndicator ? Int32Array.from(marked) : null
  }

  /** @internal */
  transformFrame(frame: Frame): Frame {
    const columns = this.#columnsOf(frame)
    const missing = columns.map(column => this.#missingOf(column))
    const filled = columns.map((column, c) => filledWith(column, missing[c], this.statistics![c]))
    const kept = selectColumns({ ...frame, columns: filled }, this.#kept())
    const marks = Array.from(this.indicatorFeatures ?? [], c => Float64Array.from(missing[c]))
    return { ...kept, names: null, columns: [...kept.columns, ...marks], contiguous: frame.contiguous }
  }

  /** @internal */
  onnxColumns(graph: OnnxGraph, x: OnnxName): OnnxColumns {
    const { missingValues } = this.options
    if (!(this.statistics instanceof Float64Array)) throw new NoOnnxForm('columns of text')
    if (!isMissing(missingValues) && typeof missingValues !== 'number') throw new NoOnnxForm('missing values of text')
    const missing = isMissing(missingValues)
      ? graph.node('IsNaN', [x])
      : graph.node('Equal', [x, graph.constant('float64', [missingValues as number], [])])
    const filled = graph.node('Where', [missing, graph.constant('float64', this.statistics), x])
    const kept = this.#kept()
    const parts = [{ values: onnxSelect(graph, filled, kept), width: kept.length, codes: false }]
    const marked = this.indicatorFeatures ?? []
    if (marked.length > 0) {
      const marks = onnxSelect(graph, graph.cast(missing, 'float64'), marked)
      parts.push({ values: marks, width: marked.length, codes: false })
    }
    return onnxJoin(graph, parts)
  }

  /** @internal */
  inverseFrame(frame: Frame): Frame {
    if (!this.indicatorFeatures)
      throw new AnnealError('ERR_STATE', phrase(`${this.name}.inverseTransform`, 'addIndicator to be true', false))
    const { columns } = numericFrame(this.name, frame)
    const [kept, marked] = [this.#kept(), this.indicatorFeatures]
    if (columns.length !== kept.length + marked.length)
      throw shapeError(this.name, `${kept.length + marked.length} columns`, `${columns.length}`)
    const original = Array.from({ length: this.nFeaturesIn! }, (_, c) => {
      const at = kept.indexOf(c)
      return at < 0 ? new Float64Array(frame.rows) : columns[at].slice()
    })
    marked.forEach((c, m) => {
      const marks = columns[kept.length + m]
      original[c] = (original[c] as Float64Array).map((x, i) =>
        marks[i] ? Number(this.options.missingValues ?? NaN) : x,
      )
    })
    return { ...frame, columns: original }
  }

  /** X with its missing values again, where `addIndicator` kept their places. Throws ERR_STATE without. */
  inverseTransform(X: Features): Tensor {
    return tensorOf(this.name, this.revert(frameOf(this.name, X)))
  }

  getFeatureNamesOut(inputFeatures?: readonly string[]): string[] {
    const names = this.inputNames(inputFeatures)
    const marked = Array.from(this.indicatorFeatures ?? [], c => `missingindicator_${names[c]}`)
    return [...this.#kept().map(c => names[c]), ...marked]
  }

  /** The columns that are not dropped. */
  #kept(): number[] {
    const all = Array.from(this.statistics!, (_, c) => c)
    return this.options.keepEmptyFeatures ? all : all.filter(c => !isMissing(this.statistics![c]))
  }

  /** Float64 where they can be; numbers are finite or, if that is what is missing, NaN. */
  #columnsOf(frame: Frame): Column[] {
    const { strategy, missingValues } = this.options
    const anyKind = strategy === 'mostFrequent' || strategy === 'constant'
    const { columns } = anyKind ? frame : numericFrame(this.name, frame)
    return columns.map((column, c) => {
      const numbers = asNumbers(column)
      if (numbers) checkNotInfinite(this.name, frame, c, numbers)
      const row = isMissing(missingValues) ? -1 : (numbers ?? Array.from(column)).findIndex(isMissing)
      if (row < 0) return numbers ?? column
      const expected = `no NaN or null but missingValues in ${columnLabel(frame, c)} (row ${row})`
      throw new AnnealError('ERR_NONFINITE', phrase(this.name, expected, column[row]))
    })
  }

  /** 1 where the value is missing. */
  #missingOf(column: Column): Uint8Array {
    const { missingValues } = this.options
    const is = isMissing(missingValues) ? isMissing : (cell: Cell) => cell === missingValues
    return Uint8Array.from(column as readonly Cell[], cell => (is(cell) ? 1 : 0))
  }

  #statisticOf(frame: Frame, column: Column, missing: Uint8Array): Cell {
    const { strategy, fillValue, keepEmptyFeatures } = this.options
    const numeric = column instanceof Float64Array
    const fill = fillValue ?? (numeric ? 0 : 'missing_value')
    if (strategy === 'constant' && numeric && typeof fill !== 'number')
      throw typeError(this.name, 'fillValue to be a number in columns of numbers', fill)
    const empty = !missing.includes(0)
    if (empty && !keepEmptyFeatures) return numeric ? NaN : null
    if (strategy === 'constant') return fill
    if (empty) return 0
    if (strategy === 'mostFrequent') return mostFrequent(column, missing)
    const present = (column as Float64Array).filter((_, i) => !missing[i])
    if (typeof strategy === 'function') return strategy(present)
    if (strategy === 'median') return medianOf(sortedPresent(present))
    const value = (i: number) => (missing[i] ? 0 : (column[i] as number))
    return sumOf(column.length, frame.contiguous, value) / present.length
  }
}

function checkImputer(options: SimpleImputerOptions): Required<SimpleImputerOptions> {
  const name = 'SimpleImputer'
  const { missingValues = NaN, strategy = 'mean', fillValue = null } = checkOptions(name, options, OPTIONS)
  const { addIndicator = false, keepEmptyFeatures = false } = options
  if (typeof strategy !== 'function') checkOneOf(name, 'strategy', strategy, STRATEGIES)
  checkBoolean(name, 'addIndicator', addIndicator)
  checkBoolean(name, 'keepEmptyFeatures', keepEmptyFeatures)
  return { missingValues, strategy, fillValue, addIndicator, keepEmptyFeatures }
}

function mostFrequent(column: Column, missing: Uint8Array): Cell {
  const counts = new Map<NonNullable<Cell>, number>()
  column.forEach((cell: Cell, i: number) => {
    if (!missing[i]) counts.set(cell!, (counts.get(cell!) ?? 0) + 1)
  })
  const most = Math.max(...counts.values())
  const tied = [...counts.keys()].filter(cell => counts.get(cell) === most)
  return tied.reduce((least, cell) => (compareValues(cell, least) < 0 ? cell : least))
}

function filledWith(column: Column, missing: Uint8Array, value: Cell): Column {
  if (!missing.includes(1)) return column
  const fill = (cell: Cell, i: number) => (missing[i] ? value : cell)
  if (column instanceof Float64Array && typeof value === 'number') return column.map(fill as (x: number) => number)
  return Array.from(column as readonly Cell[], fill)
}
