/**
 * Reads JSON piece by piece for a caller who knows what must come next. Stricter than JSON.parse: no key twice, no
 * `__proto__`, integers only. Not a parser: nothing is built that the caller does not ask for, so a hostile text costs no
 * memory beyond itself.
 */

import { describe } from '../base/errors.js'

const QUOTE = 34
const BACKSLASH = 92

/** How a scanner reports what it cannot accept; `expected` reads after "expected". */
export type Refuse = (expected: string, received: string) => never

export class JsonScanner {
  readonly #text: string
  readonly #refuse: Refuse
  #at = 0

  constructor(text: string, refuse: Refuse) {
    this.#text = text
    this.#refuse = refuse
  }

  /** `{ "key": …, … }`: `value` is called after every key and must read its value. */
  object(value: (key: string) => void): void {
    const seen = new Set<string>()
    this.#list('{', '}', () => {
      const key = this.string()
      if (key === '__proto__') this.#refuse('no key "__proto__"', 'one')
      if (seen.has(key)) this.#refuse('every key once', `${describe(key)} twice`)
      seen.add(key)
      this.#expect(':')
      value(key)
    })
  }

  /** `[ …, … ]`: `item` is called before every item and must read it. */
  array(item: () => void): void {
    this.#list('[', ']', item)
  }

  string(): string {
    this.#skipSpace()
    const start = this.#at
    if (this.#text.charCodeAt(start) !== QUOTE) this.#fail('a string')
    let end = start + 1
    for (let code = 0; end < this.#text.length; end++) {
      code = this.#text.charCodeAt(end)
      if (code === QUOTE) break
      if (code === BACKSLASH) end++
    }
    this.#at = end + 1
    try {
      return JSON.parse(this.#text.slice(start, end + 1))
    } catch {
      this.#at = start
      return this.#fail('a string')
    }
  }

  /** An integer from 0 to 2^53 - 1, without sign, fraction, exponent or leading zero. */
  integer(): number {
    this.#skipSpace()
    const digits = /(?:0|[1-9][0-9]{0,15})(?![0-9.eE])/y
    digits.lastIndex = this.#at
    const found = digits.exec(this.#text)?.[0]
    if (found === undefined || !Number.isSafeInteger(Number(found))) return this.#fail('an integer from 0 to 2^53 - 1')
    this.#at += found.length
    return Number(found)
  }

  /** Nothing but white space may follow. */
  end(): void {
    this.#skipSpace()
    if (this.#at < this.#text.length) this.#fail('nothing more')
  }

  #list(open: string, close: string, item: () => void): void {
    this.#expect(open)
    if (this.#take(close)) return
    do item()
    while (this.#take(','))
    if (!this.#take(close)) this.#fail(`, or ${close}`)
  }

  #take(char: string): boolean {
    this.#skipSpace()
    if (this.#text[this.#at] !== char) return false
    this.#at++
    return true
  }

  #expect(char: string): void {
    if (!this.#take(char)) this.#fail(char)
  }

  #skipSpace(): void {
    while (' \t\n\r'.includes(this.#text[this.#at] ?? 'x')) this.#at++
  }

  #fail(expected: string): never {
    const found = this.#text.slice(this.#at, this.#at + 20)
    return this.#refuse(`${expected} at character ${this.#at}`, found === '' ? 'the end' : describe(found))
  }
}
