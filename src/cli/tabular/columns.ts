/** Which columns of a table are inputs, and what becomes numbers of them. Not here: the target (task.ts). */

import { AnnealError, describe, phrase, rangeError } from '../../base/errors.js'
import { type data, preprocessing } from '../../index.js'

const { ColumnTransformer, makePipeline, OneHotEncoder, SimpleImputer, StandardScaler } = preprocessing

/** Categories of a column that have a column of their own; rarer ones share one. */
const MOST_CATEGORIES = 32
/** Text with more different values than this share of the rows names rows, and tells nothing of others. */
const NAMING_SHARE = 0.5

/** The columns by what is done with them. */
export interface Inputs {
  readonly numbers: readonly string[]
  readonly categories: readonly string[]
  /** Why a column is left out, by its name. */
  readonly left: Readonly<Record<string, string>>
}

function differentIn(values: data.ColumnValues): number {
  return new Set(Array.from<unknown>(values).filter(value => value !== null && !Number.isNaN(value))).size
}

/** 0, 1, 2, … or another number that grows by one from row to row. */
function countsRows(values: data.ColumnValues): boolean {
  if (!ArrayBuffer.isView(values) || values.length < 3) return false
  return values.every((value: number, row: number) => value === values[0] + row)
}

/** Why a column says nothing that could be learned; undefined where it does. */
function reasonToLeave(table: data.Table, name: string): string | undefined {
  const [values, type] = [table.column(name), table.types[name]]
  const different = differentIn(values)
  if (different === 0) return 'empty'
  if (different === 1 && Array.from<unknown>(values).every(value => value === values[0])) return 'always the same'
  if (type === 'date') return 'dates'
  if (countsRows(values)) return 'row numbers'
  const isText = type === 'text' || type === 'category'
  if (isText && different > Math.max(MOST_CATEGORIES, NAMING_SHARE * table.rows)) return `${different} different texts`
  return undefined
}

/** Sorts the columns other than the target. Throws RangeError for names that are not there, ERR_EMPTY where none is left. */
export function chooseInputs(table: data.Table, target: string, ignore: readonly string[]): Inputs {
  for (const name of [target, ...ignore])
    if (!table.names.includes(name))
      throw rangeError('train', `a column among ${table.names.map(describe).join(', ')}`, name)
  const numbers: string[] = []
  const categories: string[] = []
  const left: Record<string, string> = {}
  for (const name of table.names) {
    if (name === target) continue
    const reason = ignore.includes(name) ? 'ignored' : reasonToLeave(table, name)
    if (reason !== undefined) left[name] = reason
    else if (['text', 'category'].includes(table.types[name])) categories.push(name)
    else numbers.push(name)
  }
  if (numbers.length + categories.length > 0) return { numbers, categories, left }
  throw new AnnealError('ERR_EMPTY', phrase('train', `columns to learn ${describe(target)} from`, 'none'))
}

/**
 * Numbers: missing ones become the median, with a column of 0 and 1 that says so, then mean 0 and deviation 1. Categories:
 * a column of 0 and 1 each, a missing one is a category too, and one that was not seen is none of them.
 */
export function makePreparation({ numbers, categories }: Inputs): preprocessing.ColumnTransformer {
  const filled = new SimpleImputer({ strategy: 'median', addIndicator: true, keepEmptyFeatures: true })
  const named = new SimpleImputer({ strategy: 'constant', fillValue: '(missing)' })
  const oneHot = new OneHotEncoder({ handleUnknown: 'infrequentIfExist', maxCategories: MOST_CATEGORIES })
  return new ColumnTransformer([
    ...(numbers.length ? [['numbers', makePipeline(filled, new StandardScaler()), [...numbers]] as const] : []),
    ...(categories.length ? [['categories', makePipeline(named, oneHot), [...categories]] as const] : []),
  ])
}

/** The columns that the preparation takes: others may hold what no transformer reads, as dates. */
export function inputsOf(
  table: data.Table,
  { numbers, categories }: Pick<Inputs, 'numbers' | 'categories'>,
): data.Table {
  return table.select([...numbers, ...categories])
}

/** The types that a file must be read with for these inputs: those that the preparation was made for. */
export function typesFor({ numbers, categories }: Inputs, types: data.Table['types']): Record<string, data.ColumnType> {
  return {
    ...Object.fromEntries(numbers.map(name => [name, types[name] === 'integer' ? 'number' : types[name]])),
    ...Object.fromEntries(categories.map(name => [name, 'text' as const])),
  }
}
