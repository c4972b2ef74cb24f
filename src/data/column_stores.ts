/**
 * One store per type of column: gathers values one by one and turns them into a column's array. A store takes values of
 * JavaScript and the texts of a file, and says whether each fits. Not here: which store a column needs.
 */

import type { ColumnType, ColumnValues } from './column.js'
import { booleanOf, dateOf, integerOf, isInteger, numberOf } from './parse_text.js'

export interface Store {
  /** What fits, after "expected". */
  readonly expected: string
  missing(): void
  /** Takes the text of a cell; false if it is not of this type. */
  text(cell: string): boolean
  /** Takes a value of JavaScript; false if it is not of this type. */
  value(value: unknown): boolean
  finish(): { type: ColumnType; values: ColumnValues }
}

/** Numbers are gathered in pieces of so many: no array is copied while it grows. */
const PIECE = 1 << 14

class NumberPieces {
  length = 0
  #pieces: (Float64Array | null)[] = []
  #last = new Float64Array(0)
  #used = 0

  push(value: number): void {
    if (this.#used === this.#last.length) {
      this.#last = new Float64Array(this.length === 0 ? 64 : PIECE)
      this.#pieces.push(this.#last)
      this.#used = 0
    }
    this.#last[this.#used++] = value
    this.length++
  }

  /** All in one array; what is copied is let go. */
  join(): Float64Array {
    const all = new Float64Array(this.length)
    let at = 0
    this.#pieces.forEach((piece, i) => {
      all.set(piece!.subarray(0, this.length - at), at)
      at += piece!.length
      this.#pieces[i] = null
    })
    return all
  }
}

/** Numbers; unless it is told which, integers as long as only such come. Those beyond 2^53 make all of the column bigint. */
class NumberStore implements Store {
  readonly #asked: 'number' | 'integer' | null
  #isInteger: boolean
  #present = 0
  #numbers = new NumberPieces()
  #big: (bigint | null)[] | null = null

  constructor(asked: 'number' | 'integer' | null) {
    this.#asked = asked
    this.#isInteger = asked !== 'number'
  }

  get expected(): string {
    if (this.#big) return 'an integer, as others are beyond 2^53 and would be rounded'
    return this.#asked === 'integer' ? 'an integer' : 'a number'
  }

  missing(): void {
    if (this.#big) this.#big.push(null)
    else this.#numbers.push(NaN)
  }

  text(cell: string): boolean {
    const value = numberOf(cell)
    if (value === null) return false
    if (!isInteger(cell)) return this.#number(value, false)
    return Number.isSafeInteger(value) ? this.#number(value, true) : this.value(integerOf(cell))
  }

  value(value: unknown): boolean {
    if (typeof value === 'number') return this.#number(value, Number.isSafeInteger(value))
    if (typeof value !== 'bigint') return false
    const number = Number(value)
    if (!this.#big && (!this.#isInteger || Number.isSafeInteger(number))) return this.#number(number, this.#isInteger)
    this.#present++
    this.#toBig().push(value)
    return true
  }

  #number(value: number, isInteger: boolean): boolean {
    if (!isInteger && (this.#asked === 'integer' || this.#big)) return false
    this.#isInteger &&= isInteger
    this.#present++
    if (this.#big) this.#big.push(BigInt(value))
    else this.#numbers.push(value)
    return true
  }

  #toBig(): (bigint | null)[] {
    this.#big ??= Array.from(this.#numbers.join(), value => (Number.isNaN(value) ? null : BigInt(value)))
    return this.#big
  }

  finish(): { type: ColumnType; values: ColumnValues } {
    const isInteger = this.#isInteger && (this.#present > 0 || this.#asked === 'integer')
    return { type: isInteger ? 'integer' : 'number', values: this.#big ?? this.#numbers.join() }
  }
}

/** Text of which at most so many different values, and at most half as many as rows, is told to be a category. */
const MAX_CATEGORIES = 1000

/** Text; equal ones share memory while they may be categories. */
class TextStore implements Store {
  readonly expected = 'text'
  readonly #type: 'text' | 'category' | null
  #values: (string | null)[] = []
  #different: Map<string, string> | null = new Map()
  #present = 0

  constructor(type: 'text' | 'category' | null) {
    this.#type = type
  }

  missing(): void {
    this.#values.push(null)
  }

  text(cell: string): boolean {
    this.#present++
    this.#values.push(this.#shared(cell))
    return true
  }

  value(value: unknown): boolean {
    if (typeof value === 'string') return this.text(value)
    const asked = this.#type !== null && ['number', 'bigint', 'boolean'].includes(typeof value)
    return asked && this.text(String(value))
  }

  #shared(cell: string): string {
    if (!this.#different) return cell
    const known = this.#different.get(cell)
    if (known !== undefined) return known
    if (this.#different.size === MAX_CATEGORIES) this.#different = null
    else this.#different.set(cell, cell)
    return cell
  }

  finish(): { type: ColumnType; values: ColumnValues } {
    const few = this.#different !== null && this.#different.size * 2 <= this.#present
    return { type: this.#type ?? (few ? 'category' : 'text'), values: this.#values }
  }
}

/** Values that are kept as they are. */
class PlainStore<T extends boolean | Date> implements Store {
  #values: (T | null)[] = []

  constructor(
    readonly type: 'boolean' | 'date',
    readonly expected: string,
    private readonly ofText: (cell: string) => T | null,
    private readonly ofValue: (value: unknown) => T | null,
  ) {}

  missing(): void {
    this.#values.push(null)
  }

  text(cell: string): boolean {
    return this.#take(this.ofText(cell))
  }

  value(value: unknown): boolean {
    return this.#take(typeof value === 'string' ? this.ofText(value) : this.ofValue(value))
  }

  #take(value: T | null): boolean {
    if (value !== null) this.#values.push(value)
    return value !== null
  }

  finish(): { type: ColumnType; values: ColumnValues } {
    return { type: this.type, values: this.#values as ColumnValues }
  }
}

const booleanValue = (value: unknown) =>
  typeof value === 'boolean' ? value : value === 0 || value === 0n ? false : value === 1 || value === 1n ? true : null

const dateValue = (value: unknown) => (value instanceof Date && !Number.isNaN(value.getTime()) ? value : null)

/** A store for a type that was asked for, or told; `text` told may yet become `category`. */
export function storeOf(type: ColumnType, asked: boolean): Store {
  if (type === 'number' || type === 'integer') return new NumberStore(asked ? type : null)
  if (type === 'boolean') return new PlainStore('boolean', 'true or false', booleanOf, booleanValue)
  if (type === 'date') return new PlainStore('date', 'a date (2026-11-29 or 2026-11-29T20:00:00Z)', dateOf, dateValue)
  return new TextStore(asked ? type : null)
}
