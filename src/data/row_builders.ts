/**
 * From rows to columns: rows of texts as a file has them, whose types are told from the first of them, and rows of values as
 * a database or JSON gives them. Not here: reading (readers/), what a type of column stores (column_stores.ts).
 */

import { checkOneOf } from '../base/check.js'
import { describe, rangeError, typeError } from '../base/errors.js'
import { type Column, type ColumnType, columnTypes } from './column.js'
import { type Store, storeOf } from './column_stores.js'
import { Table } from './table.js'
import { toldType } from './told_type.js'

/** Options of everything that makes a table. */
export interface ColumnOptions {
  /** Types by name, instead of what the data tell. */
  columns?: Readonly<Record<string, ColumnType>>
}

/** Throws an error about a cell: `place` is its line or row. */
export type RefuseCell = (place: number, column: string, expected: string, received: unknown) => never

/** What `columns` asks for, by name. */
export function checkColumns(where: string, columns: ColumnOptions['columns']): ReadonlyMap<string, ColumnType> {
  if (columns === undefined) return new Map()
  if (typeof columns !== 'object' || columns === null || Array.isArray(columns))
    throw typeError(where, 'columns to be an object of types by name', columns)
  for (const [name, type] of Object.entries(columns)) checkOneOf(where, `columns[${describe(name)}]`, type, columnTypes)
  return new Map(Object.entries(columns))
}

/** Refuses a type for a column that is not there. */
export function checkNames(where: string, asked: ReadonlyMap<string, ColumnType>, names: readonly string[]): void {
  for (const name of asked.keys())
    if (!names.includes(name)) throw rangeError(where, `columns to be among ${names.map(describe).join(', ')}`, name)
}

/** Types are told from so many cells, and at least from so many rows; all that comes later must fit. */
const SAMPLE_CELLS = 200_000
const SAMPLE_ROWS = 100

export interface TextRowsOptions {
  names: readonly string[]
  asked: ReadonlyMap<string, ColumnType>
  /** Texts that mean a missing value. */
  missing: ReadonlySet<string>
  refuse: RefuseCell
}

/** Rows of texts. */
export class TextRows {
  rows = 0
  readonly #options: TextRowsOptions
  #sample: string[][] = []
  #places: number[] = []
  #stores: Store[] | null
  #types: readonly ColumnType[]

  /** `types`: what an earlier part told. */
  constructor(options: TextRowsOptions, types: readonly ColumnType[] | null = null) {
    this.#options = options
    this.#types = types ?? []
    this.#stores = types?.map((type, c) => this.#storeFor(c, type)) ?? null
  }

  push(cells: string[], place: number): void {
    this.rows++
    if (this.#stores) {
      this.#store(this.#stores, cells, place)
      return
    }
    this.#sample.push(cells)
    this.#places.push(place)
    const { length } = this.#sample
    if (length >= SAMPLE_ROWS && length * cells.length >= SAMPLE_CELLS) this.#decide()
  }

  /** What was told of each column, for the rows that follow. */
  get types(): readonly ColumnType[] {
    return this.#types
  }

  finish(): Table {
    const { names } = this.#options
    const columns = (this.#stores ?? this.#decide()).map((store, c) => ({
      name: names[c],
      shape: [],
      ...store.finish(),
    }))
    return new Table(columns, this.rows)
  }

  #storeFor(c: number, told: ColumnType): Store {
    const asked = this.#options.asked.get(this.#options.names[c])
    return storeOf(asked ?? told, asked !== undefined)
  }

  #decide(): Store[] {
    const { names, asked, missing } = this.#options
    this.#types = names.map((name, c) =>
      toldType(asked.has(name) ? [] : this.#sample.map(cells => cells[c]).filter(cell => !missing.has(cell))),
    )
    const stores = this.#types.map((type, c) => this.#storeFor(c, type))
    this.#sample.forEach((cells, i) => void this.#store(stores, cells, this.#places[i]))
    this.#sample = []
    this.#places = []
    this.#stores = stores
    return stores
  }

  #store(stores: readonly Store[], cells: readonly string[], place: number): void {
    const { names, missing, refuse } = this.#options
    for (let c = 0; c < stores.length; c++) {
      const cell = cells[c]
      if (missing.has(cell)) stores[c].missing()
      else if (!stores[c].text(cell)) refuse(place, names[c], stores[c].expected, cell)
    }
  }
}

/** The type that a value of JavaScript alone tells. */
function typeOfValue(value: unknown): ColumnType | null {
  if (typeof value === 'number' || typeof value === 'bigint') return 'integer'
  if (typeof value === 'string') return 'text'
  if (typeof value === 'boolean') return 'boolean'
  return value instanceof Date ? 'date' : null
}

const isMissing = (value: unknown) => value === null || value === undefined || Number.isNaN(value)

/** A column of values of JavaScript, whose first value tells the type. */
export class ValueColumn {
  #store: Store | null
  #count = 0

  constructor(
    readonly name: string,
    type: ColumnType | undefined,
    private readonly refuse: RefuseCell,
  ) {
    this.#store = type === undefined ? null : storeOf(type, true)
  }

  /** The value of row `row`; rows that were left out are missing. */
  push(value: unknown, row: number, place = row): void {
    if (isMissing(value)) return
    this.#store ??= this.#tell(value, place)
    this.#pad(this.#store, row)
    if (!this.#store.value(value)) this.refuse(place, this.name, this.#store.expected, value)
    this.#count++
  }

  finish(rows: number): Column {
    this.#store ??= storeOf('number', true)
    this.#pad(this.#store, rows)
    return { name: this.name, shape: [], ...this.#store.finish() }
  }

  #tell(value: unknown, place: number): Store {
    const type = typeOfValue(value)
    if (type === null) this.refuse(place, this.name, 'a number, text, boolean, date or null', value)
    return storeOf(type!, false)
  }

  #pad(store: Store, rows: number): void {
    for (; this.#count < rows; this.#count++) store.missing()
  }
}

/** Rows of objects; a key that a row lacks is a missing value. */
export class ObjectRows {
  rows = 0
  readonly #columns = new Map<string, ValueColumn>()

  constructor(
    private readonly where: string,
    private readonly asked: ReadonlyMap<string, ColumnType>,
    private readonly refuse: RefuseCell,
  ) {}

  push(row: object, place = this.rows): void {
    for (const [name, value] of Object.entries(row)) {
      let column = this.#columns.get(name)
      if (!column) {
        column = new ValueColumn(name, this.asked.get(name), this.refuse)
        this.#columns.set(name, column)
      }
      column.push(value, this.rows, place)
    }
    this.rows++
  }

  finish(): Table {
    checkNames(this.where, this.asked, [...this.#columns.keys()])
    const columns = Array.from(this.#columns.values(), column => column.finish(this.rows))
    return new Table(columns, this.rows)
  }
}
