/** OrdinalEncoder: categories as codes 0, 1, 2, …. Not here: which categories there are (categories.ts). */

import { checkInt, checkOneOf, checkOptions } from '../base/check.js'
import { AnnealError, phrase, rangeError, typeError } from '../base/errors.js'
import { type Cell, type Column, codesOf, isMissing } from '../data/labels.js'
import type { OnnxGraph, OnnxName } from '../ops/onnx.js'
import {
  type CategoryOptions,
  checkCategoryOptions,
  checkKnown,
  groupedCategories,
  groupedCodes,
  learnCategories,
  learnInfrequent,
} from './categories.js'
import { columnLabel, type Frame, numericFrame } from './frame.js'
import { onnxCodes, onnxJoin, onnxLookup } from './onnx_columns.js'
import { Encoder, type OnnxColumns } from './transformer.js'

/** Options of `OrdinalEncoder`. */
export interface OrdinalEncoderOptions extends CategoryOptions {
  /** 'int32' for nn.Embedding; missing values then need a code. Default 'float32'. */
  dtype?: 'float32' | 'int32'
  /** Unknown categories: an error, or `unknownValue`. Default 'error'. */
  handleUnknown?: 'error' | 'useEncodedValue'
  /** Their code: an integer that no category has, or NaN. */
  unknownValue?: number | null
  /** The code of missing values: an integer that no category has, or NaN. Default NaN. */
  encodedMissingValue?: number
}

const OPTIONS = [
  ...['categories', 'minFrequency', 'maxCategories'],
  ...['dtype', 'handleUnknown', 'unknownValue', 'encodedMissingValue'],
]

/**
 * Categories as codes 0, 1, 2, … in rising order of the categories, a column for a column.
 *
 * `categories`: per column, the missing one last; `infrequentCategories`: what share the last code. Throws
 * ERR_LABEL_RANGE for an unknown category, RangeError for a code that is taken, TypeError for text among numbers.
 * Source: sklearn.preprocessing.OrdinalEncoder.
 *
 * ```ts
 * const encoder = new preprocessing.OrdinalEncoder({ dtype: 'int32' })
 * encoder.fitTransform([['red'], ['blue'], ['red']]).toArray() // [[1], [0], [1]]
 * ```
 */
export class OrdinalEncoder extends Encoder<Required<OrdinalEncoderOptions>> {
  categories: readonly Column[] | null = null
  /** By number among `categories`. */
  private infrequent: readonly (Int32Array | null)[] | null = null

  constructor(options: OrdinalEncoderOptions = {}) {
    super('OrdinalEncoder', checkOrdinal(options), { categories: 'lists', infrequent: 'lists' })
  }

  /** The infrequent categories of each column; null where there are none, undefined where no option asks for them. */
  get infrequentCategories(): (Cell[] | null)[] | undefined {
    return this.infrequent?.map((at, c) => at && Array.from(at, i => this.categories![c][i]))
  }

  /** @internal */
  fitFrame(frame: Frame): void {
    const { options, name } = this
    const categories = learnCategories(name, frame, options.categories, options.handleUnknown === 'error')
    const infrequent = learnInfrequent(frame, categories, options, 'missing')
    categories.forEach((of, c) => void this.#checkFree(frame, of, infrequent?.[c]?.length ?? 0, c))
    Object.assign(this, { categories, infrequent })
  }

  /** @internal */
  transformFrame(frame: Frame): Frame {
    const { dtype, handleUnknown, unknownValue, encodedMissingValue } = this.options
    const columns = frame.columns.map((column, c) => {
      const codes = codesOf(column, this.categories![c])
      if (handleUnknown === 'error') checkKnown(this.name, columnLabel(frame, c), column, codes)
      const { grouped, missing } = this.#layoutOf(c)
      const value = (code: number) =>
        code < 0 ? unknownValue! : code === missing ? encodedMissingValue : grouped[code]
      return dtype === 'int32' ? codes.map(value) : Float64Array.from(codes, value)
    })
    return { ...frame, columns }
  }

  /** @internal An unknown category that `transform` refuses becomes a code that no table has, NaN where codes are floats. */
  onnxColumns(graph: OnnxGraph, x: OnnxName): OnnxColumns {
    const { dtype, unknownValue, encodedMissingValue } = this.options
    const codes = dtype === 'int32'
    const unknown = unknownValue ?? (codes ? 2 ** 31 - 1 : Number.NaN)
    const parts = this.categories!.map((categories, c) => {
      const { grouped, missing } = this.#layoutOf(c)
      const known = Array.from(grouped, (code, i) => (i === missing ? encodedMissingValue : code))
      const rows = [...known, unknown].map(code => [code])
      return { values: onnxLookup(graph, onnxCodes(graph, x, c, categories), rows), width: 1, codes }
    })
    return onnxJoin(graph, parts)
  }

  /** @internal */
  inverseFrame(frame: Frame): Frame {
    const { columns } = numericFrame(this.name, this.checkFeatures(frame))
    return {
      ...frame,
      columns: columns.map((codes, c) => Array.from(codes, (code, row) => this.#cellOf(code, c, row))),
    }
  }

  getFeatureNamesOut(inputFeatures?: readonly string[]): string[] {
    return [...this.inputNames(inputFeatures)]
  }

  #cellOf(code: number, c: number, row: number): Cell {
    const { handleUnknown, unknownValue, encodedMissingValue } = this.options
    const { missing } = this.#layoutOf(c)
    if (missing >= 0 && Object.is(code, encodedMissingValue)) return null
    if (handleUnknown === 'useEncodedValue' && Object.is(code, unknownValue)) return null
    const cells = groupedCategories(this.categories![c], this.infrequent?.[c] ?? null)
    if (Number.isInteger(code) && code >= 0 && code < cells.length) return cells[code]
    const expected = `a code of column ${c} below ${cells.length} in row ${row}`
    throw new AnnealError('ERR_LABEL_RANGE', phrase(`${this.name}.inverseTransform`, expected, code))
  }

  /** For column `c`: the code of each category where the infrequent ones share one, and the missing one's number or -1. */
  #layoutOf(c: number): { grouped: Int32Array; missing: number } {
    const categories = this.categories![c]
    const spared = isMissing(categories.at(-1)) ? 1 : 0
    const grouped = groupedCodes(categories, this.infrequent?.[c] ?? null, spared)
    return { grouped, missing: spared ? categories.length - 1 : -1 }
  }

  /** Throws where a code that unknown or missing values are to have is a category's. */
  #checkFree(frame: Frame, categories: Column, infrequent: number, c: number): void {
    const { dtype, handleUnknown, unknownValue, encodedMissingValue } = this.options
    const missing = isMissing(categories.at(-1))
    const taken = categories.length - (missing ? 1 : 0) - (infrequent > 0 ? infrequent - 1 : 0)
    const isTaken = (code: number) => code >= 0 && code < taken
    const label = columnLabel(frame, c)
    if (handleUnknown === 'useEncodedValue' && isTaken(unknownValue!))
      throw rangeError(this.name, `unknownValue to be no code of ${label} (0 to ${taken - 1})`, unknownValue)
    if (missing && isTaken(encodedMissingValue))
      throw rangeError(
        this.name,
        `encodedMissingValue to be no code of ${label} (0 to ${taken - 1})`,
        encodedMissingValue,
      )
    if (missing && dtype === 'int32' && Number.isNaN(encodedMissingValue))
      throw rangeError(this.name, `encodedMissingValue to be an integer, with missing values in ${label}`, NaN)
  }
}

function checkOrdinal(options: OrdinalEncoderOptions): Required<OrdinalEncoderOptions> {
  const name = 'OrdinalEncoder'
  const { dtype = 'float32', handleUnknown = 'error' } = checkOptions(name, options, OPTIONS)
  const { unknownValue = null, encodedMissingValue = NaN } = options
  checkOneOf(name, 'dtype', dtype, ['float32', 'int32'])
  checkOneOf(name, 'handleUnknown', handleUnknown, ['error', 'useEncodedValue'])
  if (handleUnknown === 'error' && unknownValue !== null)
    throw typeError(name, "handleUnknown to be 'useEncodedValue' with unknownValue", handleUnknown)
  if (handleUnknown === 'useEncodedValue') checkCode(name, 'unknownValue', unknownValue, dtype === 'float32')
  checkCode(name, 'encodedMissingValue', encodedMissingValue, true)
  return { ...checkCategoryOptions(name, options), dtype, handleUnknown, unknownValue, encodedMissingValue }
}

function checkCode(where: string, name: string, code: unknown, mayBeNaN: boolean): void {
  if (mayBeNaN && Number.isNaN(code)) return
  checkInt(where, name, code, { min: -(2 ** 31), max: 2 ** 31 - 1 })
}
