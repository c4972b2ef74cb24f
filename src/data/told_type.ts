/** Tells the type of a column from the texts of a file. Not here: how cells are read (parse_text.ts) or kept. */

import type { ColumnType } from './column.js'
import { booleanOf, dateOf, isCode, isInteger, numberOf } from './parse_text.js'

/**
 * The type that all texts have: integer, number, boolean or date, else text; number where there is none. Numbers with
 * leading zeros are codes, and so text.
 */
export function toldType(cells: readonly string[]): ColumnType {
  const all = (is: (cell: string) => boolean) => cells.every(is)
  if (cells.length === 0) return 'number'
  if (all(cell => numberOf(cell) !== null && !isCode(cell))) return all(isInteger) ? 'integer' : 'number'
  if (all(cell => booleanOf(cell) !== null)) return 'boolean'
  return all(cell => dateOf(cell) !== null) ? 'date' : 'text'
}
