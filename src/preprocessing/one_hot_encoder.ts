/** OneHotEncoder: a column of 0 and 1 for every category. Not here: which categories there are (categories.ts). */

import { checkFunction, checkOneOf, checkOptions } from '../base/check.js'
import { AnnealError, phrase, rangeError, shapeError, typeError } from '../base/errors.js'
import { type Cell, type Column, codesOf, indexOfCategory, isMissing } from '../data/labels.js'
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

/** Options of `OneHotEncoder`. */
export interface OneHotEncoderOptions extends CategoryOptions {
  /** Leave out one category per column: the first, that of columns with two, or the one given for each. Default null. */
  drop?: 'first' | 'ifBinary' | readonly Cell[] | null
  /** Unknown categories: an error, all zeros, or the infrequent one if there is any (with 'warn' and a warning). Default 'error'. */
  handleUnknown?: 'error' | 'ignore' | 'infrequentIfExist' | 'warn'
  /** How the name of a new column is made. Default 'concat': `city_Berlin`. */
  featureNameCombiner?: 'concat' | ((feature: string, category: Cell) => string)
}

const OPTIONS = ['categories', 'minFrequency', 'maxCategories', 'drop', 'handleUnknown', 'featureNameCombiner']
const UNKNOWN = ['error', 'ignore', 'infrequentIfExist', 'warn'] as const

/**
 * A column of 0 and 1 for every category: of 'red', 'green', 'blue' three, in rising order.
 *
 * `categories`: per column, the missing one last; `dropIdx`: the category left out, or null; `infrequentCategories`: what
 * share one column. Throws ERR_LABEL_RANGE for an unknown category, TypeError for text among numbers, RangeError for
 * categories that repeat or do not rise. Source: sklearn.preprocessing.OneHotEncoder (dense).
 *
 * ```ts
 * const encoder = new preprocessing.OneHotEncoder({ handleUnknown: 'ignore' })
 * encoder.fitTransform([['red'], ['blue'], ['red']]).toArray() // [[0, 1], [1, 0], [0, 1]]
 * ```
 */
export class OneHotEncoder extends Encoder<Required<OneHotEncoderOptions>> {
  categories: readonly Column[] | null = null
  /** The categories left out, by number among `categories`; null for none. */
  dropIdx: readonly (number | null)[] | null = null
  /** By number among `categories`. */
  private infrequent: readonly (Int32Array | null)[] | null = null

  constructor(options: OneHotEncoderOptions = {}) {
    super('OneHotEncoder', checkOneHot(options), { categories: 'lists', dropIdx: 'cells', infrequent: 'lists' })
  }

  /** The infrequent categories of each column; null where there are none, undefined where no option asks for them. */
  get infrequentCategories(): (Cell[] | null)[] | undefined {
    return this.infrequent?.map((at, c) => at && Array.from(at, i => this.categories![c][i]))
  }

  /** @internal */
  fitFrame(frame: Frame): void {
    const { options, name } = this
    const categories = learnCategories(name, frame, options.categories, options.handleUnknown === 'error')
    const infrequent = learnInfrequent(frame, categories, options, null)
    const { drop } = options
    if (Array.isArray(drop) && drop.length !== categories.length)
      throw shapeError(name, `drop for ${categories.length} columns`, `${drop.length}`)
    const dropIdx = drop && categories.map((of, c) => this.#dropOf(of, infrequent?.[c] ?? null, c))
    Object.assign(this, { categories, infrequent, dropIdx })
  }

  /** @internal */
  transformFrame(frame: Frame): Frame {
    const columns = frame.columns.flatMap((column, c) => {
      const { width } = this.#layoutOf(c)
      const places = this.#placesOf(c)
      const hot = Array.from({ length: width }, () => new Float64Array(frame.rows))
      this.#codesOf(frame, column, c).forEach((index, row) => {
        const at = index < 0 ? -1 : places[index]
        if (at >= 0) hot[at][row] = 1
      })
      return hot
    })
    return { rows: frame.rows, names: null, columns, contiguous: columns.length === 1 }
  }

  /** @internal An unknown category that `transform` refuses becomes zeros. */
  onnxColumns(graph: OnnxGraph, x: OnnxName): OnnxColumns {
    const parts = this.categories!.map((categories, c) => {
      const { width } = this.#layoutOf(c)
      const places = this.#placesOf(c)
      const unknown = places[this.#insteadOfUnknown(c)] ?? -1
      const rows = [...places, unknown].map(at => Array.from({ length: width }, (_, i) => Number(i === at)))
      return { values: onnxLookup(graph, onnxCodes(graph, x, c, categories), rows), width, codes: false }
    })
    return onnxJoin(
      graph,
      parts.filter(({ width }) => width > 0),
    )
  }

  /** @internal */
  inverseFrame(frame: Frame): Frame {
    const { columns: hot } = numericFrame(this.name, frame)
    const widths = this.categories!.map((_, c) => this.#layoutOf(c).width)
    const starts = widths.map((_, c) => widths.slice(0, c).reduce((a, b) => a + b, 0))
    const total = starts.at(-1)! + widths.at(-1)!
    if (hot.length !== total) throw shapeError(this.name, `${total} columns`, `${hot.length}`)
    const columns = widths.map((width, c) => this.#decode(hot.slice(starts[c], starts[c] + width), c, frame.rows))
    return { ...frame, columns }
  }

  getFeatureNamesOut(inputFeatures?: readonly string[]): string[] {
    const combine = this.options.featureNameCombiner
    return this.inputNames(inputFeatures).flatMap((name, c) =>
      this.#namesOf(c).map(cell =>
        combine === 'concat' ? `${name}_${isMissing(cell) ? 'nan' : cell}` : combine(name, cell),
      ),
    )
  }

  /** What the columns made of column `c` stand for. */
  #namesOf(c: number): Cell[] {
    const { dropped } = this.#layoutOf(c)
    return groupedCategories(this.categories![c], this.infrequent?.[c] ?? null).filter((_, code) => code !== dropped)
  }

  /** For column `c`: the code of each category, the code left out, and how many columns remain. */
  #layoutOf(c: number): { codes: Int32Array; dropped: number | null; width: number } {
    const infrequent = this.infrequent?.[c] ?? null
    const categories = this.categories![c]
    const codes = groupedCodes(categories, infrequent, 0)
    const index = this.dropIdx?.[c] ?? null
    const dropped = index === null ? null : codes[index]
    const width = categories.length - (infrequent ? infrequent.length - 1 : 0) - (dropped === null ? 0 : 1)
    return { codes, dropped, width }
  }

  /** For each category of column `c` which of the new columns is 1; -1: none. */
  #placesOf(c: number): Int32Array {
    const { codes, dropped } = this.#layoutOf(c)
    return codes.map(code => (code === dropped ? -1 : dropped !== null && code > dropped ? code - 1 : code))
  }

  /** The category that stands for unknown ones by number; -1: none. */
  #insteadOfUnknown(c: number): number {
    const { handleUnknown } = this.options
    return handleUnknown === 'ignore' || handleUnknown === 'error' ? -1 : (this.infrequent?.[c]?.[0] ?? -1)
  }

  /** The category of each value by number, that of the infrequent ones or -1 for an unknown one. */
  #codesOf(frame: Frame, column: Column, c: number): Int32Array {
    const { handleUnknown, drop } = this.options
    const label = columnLabel(frame, c)
    const codes = codesOf(column, this.categories![c])
    if (handleUnknown === 'error') checkKnown(this.name, label, column, codes)
    if (!codes.includes(-1)) return codes
    const instead = this.#insteadOfUnknown(c)
    if (handleUnknown === 'warn' || drop) {
      const meaning = instead < 0 ? 'all zeros' : 'the infrequent category'
      process.emitWarning(`${this.name}: unknown categories in ${label} are encoded as ${meaning}`)
    }
    return codes.map(code => (code < 0 ? instead : code))
  }

  /** The category to leave out of those of column `c`, by number, or null. */
  #dropOf(categories: Column, infrequent: Int32Array | null, c: number): number | null {
    const { drop } = this.options
    const grouped = groupedCodes(categories, infrequent, 0)
    if (drop === 'first') return grouped.indexOf(0)
    if (drop === 'ifBinary') return Math.max(...grouped) === 1 ? grouped.indexOf(0) : null
    const cells = drop as readonly Cell[]
    const index = indexOfCategory(categories).get(isMissing(cells[c]) ? null : cells[c])
    if (index === undefined) throw rangeError(this.name, `drop[${c}] to be a category of column ${c}`, cells[c])
    if (infrequent?.includes(index)) throw rangeError(this.name, `drop[${c}] to be a frequent category`, cells[c])
    return index
  }

  /** A column from those made of it: the category of the largest; null where all are 0 and none was left out. */
  #decode(hot: readonly Float64Array[], c: number, rows: number): Cell[] {
    const { handleUnknown } = this.options
    const names = this.#namesOf(c)
    const { dropped, width } = this.#layoutOf(c)
    if (width === 0) return new Array(rows).fill(this.categories![c][this.dropIdx![c]!])
    const zero = dropped === null ? null : groupedCategories(this.categories![c], this.infrequent?.[c] ?? null)[dropped]
    const mayBeZero =
      dropped !== null || handleUnknown === 'ignore' || (handleUnknown !== 'error' && !this.infrequent?.[c])
    return Array.from({ length: rows }, (_, row) => {
      const sum = hot.reduce((sum, column) => sum + column[row], 0)
      if (sum === 0 && !mayBeZero) {
        const expected = `a category of column ${c} in row ${row}`
        throw new AnnealError('ERR_LABEL_RANGE', phrase(`${this.name}.inverseTransform`, expected, 'all zeros'))
      }
      return sum === 0 ? zero : names[largest(hot, row)]
    })
  }
}

/** The first column with the largest value. */
function largest(columns: readonly Float64Array[], row: number): number {
  return columns.reduce((best, column, c) => (column[row] > columns[best][row] ? c : best), 0)
}

function checkOneHot(options: OneHotEncoderOptions): Required<OneHotEncoderOptions> {
  const name = 'OneHotEncoder'
  const { drop = null, handleUnknown = 'error', featureNameCombiner = 'concat' } = checkOptions(name, options, OPTIONS)
  if (typeof drop === 'string') checkOneOf(name, 'drop', drop, ['first', 'ifBinary'])
  else if (drop !== null && !Array.isArray(drop))
    throw typeError(name, 'drop to be an array, a category per column', drop)
  checkOneOf(name, 'handleUnknown', handleUnknown, UNKNOWN)
  if (featureNameCombiner !== 'concat') checkFunction(name, 'featureNameCombiner', featureNameCombiner)
  return { ...checkCategoryOptions(name, options), drop, handleUnknown, featureNameCombiner }
}
