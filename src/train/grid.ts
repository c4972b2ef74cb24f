/** A grid of settings: its runs by number, and its values as tables show them. Not here: training them (sweep.ts). */

import { checkInt } from '../base/check.js'
import { describe, rangeError, typeError } from '../base/errors.js'
import { formatNumber } from '../report/text.js'

/** The lists of a grid by name, `seed` among them. */
export type Lists = Readonly<Record<string, readonly unknown[]>>

/** Throws TypeError or RangeError for what is no object of lists. */
export function checkGrid(where: string, grid: unknown): void {
  if (typeof grid !== 'object' || grid === null) throw typeError(where, 'grid to be an object of arrays', grid)
  for (const [name, values] of Object.entries(grid)) {
    if (!Array.isArray(values)) throw typeError(where, `grid.${name} to be an array`, values)
    if (values.length === 0) throw rangeError(where, `grid.${name} to have at least one value`, values)
    if (name === 'seed') for (const seed of values) checkInt(where, 'seed', seed)
    if (name === 'batchSize') for (const size of values) checkInt(where, 'batchSize', size, { min: 1 })
  }
}

/** The seed is 0 where none is listed. */
export function listsOf(grid: object): Lists {
  return (Object.hasOwn(grid, 'seed') ? grid : { ...grid, seed: [0] }) as Lists
}

/** Every combination, the last name changing fastest; its place is the run's index. */
export function combinations(lists: Lists): object[] {
  return Object.entries(lists).reduce<object[]>(
    (runs, [name, values]) => runs.flatMap(run => values.map(value => ({ ...run, [name]: value }))),
    [{}],
  )
}

/** The setting of a run: equal for runs that differ in nothing but their seed. */
export function settingOf(lists: Lists, index: number): number {
  const names = Object.keys(lists)
  const behind = names.slice(names.indexOf('seed') + 1).reduce((product, name) => product * lists[name].length, 1)
  return Math.floor(index / (behind * lists.seed.length)) * behind + (index % behind)
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'function') return value.name || describe(value)
  try {
    return JSON.stringify(value) ?? describe(value)
  } catch {
    return describe(value) // cycles, bigints
  }
}

/** A value of the grid in a table: a number, or text. */
export const cellOf = (value: unknown): number | string => (typeof value === 'number' ? value : textOf(value))

/** A value of the grid in words. */
export const valueText = (value: unknown): string => (typeof value === 'number' ? formatNumber(value) : textOf(value))

/** The lists as tables show them, which is what a file can hold. */
export function cellsOf(lists: Lists): Readonly<Record<string, readonly (number | string)[]>> {
  return Object.fromEntries(Object.entries(lists).map(([name, values]) => [name, values.map(cellOf)]))
}
