/**
 * The columns of an Arrow table. It needs no more than the table itself, so that one of any version of the library, or of
 * DuckDB, will do. Not here: Arrow files (readers/arrow.ts).
 */

import type { Column, ColumnType } from './column.js'
import { type RefuseCell, ValueColumn } from './row_builders.js'

interface ArrowVector {
  readonly length: number
  get(i: number): unknown
}

interface ArrowType {
  readonly typeId: number
  readonly scale?: number
  readonly dictionary?: ArrowType
}

/** What of an Arrow table is used here. */
export interface ArrowTable {
  readonly numRows: number
  readonly schema: { readonly fields: readonly { readonly name: string; readonly type: ArrowType }[] }
  getChildAt(i: number): ArrowVector | null
}

export function isArrowTable(value: object): value is ArrowTable {
  const { numRows, schema, getChildAt } = value as Partial<ArrowTable>
  return typeof numRows === 'number' && Array.isArray(schema?.fields) && typeof getChildAt === 'function'
}

/** Milliseconds since 1970, or a Date already. */
function dateOf(value: unknown): Date {
  return value instanceof Date ? value : new Date(Number(value))
}

/** The number of a decimal: little-endian words of two's complement, over a power of ten. */
function decimalOf(value: unknown, scale: number): number {
  if (!ArrayBuffer.isView(value)) return Number(value) / 10 ** scale
  const words = new Uint32Array(value.buffer, value.byteOffset, value.byteLength / 4)
  const bits = words.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n)
  return Number(BigInt.asIntN(32 * words.length, bits)) / 10 ** scale
}

interface Rule {
  /** What the schema tells; absent where the values do. */
  type?: ColumnType
  convert?: (value: unknown, type: ArrowType) => unknown
}

/** By Arrow's numbers of types; every other type is refused. */
const rules: ReadonlyMap<number, Rule> = new Map<number, Rule>([
  [1, { type: 'number' }], // null
  [2, { type: 'integer' }],
  [3, { type: 'number' }],
  [5, {}], // text
  [6, { type: 'boolean' }],
  [7, { type: 'number', convert: (value, { scale = 0 }) => decimalOf(value, scale) }],
  [8, { type: 'date', convert: dateOf }],
  [10, { type: 'date', convert: dateOf }],
  [20, {}], // large text
])
const DICTIONARY = -1

/** Integers stay integers, decimals become the nearest number, dates and times Dates, dictionaries of text categories. */
export function arrowColumns(table: ArrowTable, asked: ReadonlyMap<string, ColumnType>, refuse: RefuseCell): Column[] {
  return table.schema.fields.map(({ name, type }, c) => {
    const isDictionary = type.typeId === DICTIONARY
    const rule = rules.get(isDictionary ? (type.dictionary?.typeId ?? 0) : type.typeId)
    if (!rule) return refuse(0, name, 'numbers, text, booleans or dates', String(type))
    const told = rule.type ?? (isDictionary ? 'category' : undefined)
    const column = new ValueColumn(name, asked.get(name) ?? told, refuse)
    const vector = table.getChildAt(c)
    if (vector && vector.length !== table.numRows) refuse(0, name, `${table.numRows} rows`, vector.length)
    for (let row = 0; row < table.numRows; row++) {
      const value = vector?.get(row) ?? null
      column.push(value === null || !rule.convert ? value : rule.convert(value, type), row)
    }
    return column.finish(table.numRows)
  })
}
