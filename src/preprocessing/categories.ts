/** The categories of columns: learned or given, counted, the infrequent ones together. Not here: how a code is written. */

import { checkInt, checkNumber } from '../base/check.js'
import { AnnealError, describe, phrase, rangeError, shapeError, typeError } from '../base/errors.js'
import { type Cell, type Column, codesOf, indexOfCategory, isMissing, uniqueOf } from '../data/labels.js'
import { columnLabel, type Frame } from './frame.js'

/** What both encoders take. */
export interface CategoryOptions {
  /** The categories of each column in the order of their codes, or 'auto': those of X, sorted. Default 'auto'. */
  categories?: 'auto' | readonly (readonly Cell[] | Float64Array)[]
  /** Categories in fewer rows (a count), or in fewer than this part of them (below 1), are infrequent. Default null. */
  minFrequency?: number | null
  /** At most so many codes per column, the one of all infrequent categories among them. Default null. */
  maxCategories?: number | null
}

/** The name of what all infrequent categories of a column become. */
export const INFREQUENT = 'infrequent_sklearn'

/** Throws what scikit-learn refuses in categories that were given for a column. */
function checkGiven(where: string, label: string, given: Column, column: Column): Column {
  const cells = Array.from(given as readonly Cell[])
  if (cells.length === 0) throw new AnnealError('ERR_EMPTY', phrase(where, `categories of ${label}`, 'none'))
  if (cells.slice(0, -1).some(isMissing))
    throw rangeError(where, `the missing value last in the categories of ${label}`, cells)
  if (indexOfCategory(given).size < cells.length) throw rangeError(where, `each category of ${label} once`, cells)
  if (!(column instanceof Float64Array || column instanceof Int32Array)) return cells
  if (cells.some(cell => typeof cell !== 'number' && !isMissing(cell)))
    throw typeError(where, `categories of ${label} to be numbers as its values`, cells)
  const numbers = Float64Array.from(cells, cell => (isMissing(cell) ? NaN : Number(cell)))
  if (numbers.some((x, i) => i > 0 && x <= numbers[i - 1]))
    throw rangeError(where, `categories of ${label} to rise`, cells)
  return numbers
}

/** The categories of every column of `frame`, as given or as found. With `known`, all values must be among those given. */
export function learnCategories(
  where: string,
  frame: Frame,
  given: CategoryOptions['categories'],
  known: boolean,
): Column[] {
  if (given !== 'auto' && given!.length !== frame.columns.length)
    throw shapeError(where, `categories of ${frame.columns.length} columns`, `${given!.length}`)
  return frame.columns.map((column, c) => {
    const label = columnLabel(frame, c)
    if (given === 'auto') return uniqueOf(where, label, column)
    const categories = checkGiven(where, label, given![c] as Column, column)
    if (known) checkKnown(where, label, column, codesOf(column, categories))
    return categories
  })
}

/** Throws ERR_LABEL_RANGE where a code is -1. */
export function checkKnown(where: string, label: string, column: Column, codes: Int32Array): void {
  const row = codes.indexOf(-1)
  if (row < 0) return
  const place = `${label} (row ${row})`
  throw new AnnealError('ERR_LABEL_RANGE', phrase(where, `a known category in ${place}`, describe(column[row])))
}

/** Which categories are infrequent, by number and rising, or null: none. */
function infrequentOf(
  counts: Int32Array,
  rows: number,
  { minFrequency, maxCategories }: CategoryOptions,
): Int32Array | null {
  const all = Array.from(counts, (_, i) => i)
  const least = minFrequency == null ? 0 : minFrequency >= 1 ? minFrequency : rows * minFrequency
  const infrequent = new Set(all.filter(i => counts[i] < least))
  if (maxCategories != null && maxCategories < counts.length - infrequent.size + 1) {
    const rising = all.sort((a, b) => counts[a] - counts[b] || a - b)
    for (const i of rising.slice(0, Math.max(0, rising.length - (maxCategories - 1)))) infrequent.add(i)
  }
  return infrequent.size > 0 ? Int32Array.from(infrequent).sort() : null
}

/** The infrequent categories of each column, or null where neither option asks for any. `but` leaves out the missing one. */
export function learnInfrequent(
  frame: Frame,
  categories: readonly Column[],
  options: CategoryOptions,
  but: 'missing' | null,
): (Int32Array | null)[] | null {
  if (options.minFrequency == null && options.maxCategories == null) return null
  return frame.columns.map((column, c) => {
    const spared = but && isMissing(categories[c].at(-1)) ? 1 : 0
    const counts = new Int32Array(categories[c].length)
    for (const code of codesOf(column, categories[c])) if (code >= 0) counts[code]++
    return infrequentOf(counts.subarray(0, counts.length - spared), frame.rows, options)
  })
}

/** For each category the code it has where the infrequent ones share the last. The spared missing one keeps its own. */
export function groupedCodes(categories: Column, infrequent: Int32Array | null, spared: number): Int32Array {
  const codes = Int32Array.from({ length: categories.length }, (_, i) => i)
  if (!infrequent) return codes
  const shared = categories.length - spared - infrequent.length
  let next = 0
  return codes.map(i => (i >= categories.length - spared ? i : infrequent.includes(i) ? shared : next++))
}

/** The category of each code of `groupedCodes`, in order. */
export function groupedCategories(categories: Column, infrequent: Int32Array | null): Cell[] {
  const frequent = Array.from(categories as readonly Cell[]).filter((_, i) => !infrequent?.includes(i))
  return infrequent ? [...frequent, INFREQUENT] : frequent
}

/** Checks what both encoders take. */
export function checkCategoryOptions(where: string, options: CategoryOptions): Required<CategoryOptions> {
  const { categories = 'auto', minFrequency = null, maxCategories = null } = options
  if (categories !== 'auto' && !Array.isArray(categories))
    throw typeError(where, "categories to be 'auto' or an array per column", categories)
  if (maxCategories !== null) checkInt(where, 'maxCategories', maxCategories, { min: 1 })
  if (minFrequency !== null) {
    checkNumber(where, 'minFrequency', minFrequency, { above: 0 })
    if (minFrequency >= 1) checkInt(where, 'minFrequency', minFrequency)
  }
  return { categories, minFrequency, maxCategories }
}
