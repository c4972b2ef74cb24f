/**
 * Delimited text as long as it has no quotes: lines and cells are found by their separators alone, several times faster
 * than by a parser that watches for quotes. From the first quote on the rest is csv-parse's.
 */

import { refuseFile } from './reader.js'
import { MAX_LINE, textOf } from './text.js'

const QUOTE = 34
const NEWLINE = 10
const NOTHING = new Uint8Array(0)

/** Whether only a parser can read these bytes: a quote, or a line that ends in \r alone. */
export function needsParser(bytes: Uint8Array): boolean {
  if (bytes.includes(QUOTE)) return true
  for (let at = bytes.indexOf(13); at >= 0 && at + 1 < bytes.length; at = bytes.indexOf(13, at + 1))
    if (bytes[at + 1] !== NEWLINE) return true
  return false
}

export class PlainLines {
  /** What came after the last line end, in pieces. */
  #open: Uint8Array[] = []
  #openBytes = 0

  constructor(
    private readonly name: string,
    readonly delimiter: string,
    private readonly records: { take(cells: string[], line: number): void },
    /** Bytes and lines taken; those of the file before its first line here, to begin with. */
    public bytes = 0,
    public lines = 0,
  ) {}

  /** Takes the lines that end in these bytes, and keeps the rest. */
  push(bytes: Uint8Array): void {
    const end = bytes.lastIndexOf(NEWLINE) + 1
    if (end > 0) this.#lines(this.drain(bytes.subarray(0, end)))
    this.#open.push(new Uint8Array(bytes.subarray(end)))
    this.#openBytes += bytes.length - end
    if (this.#openBytes > MAX_LINE)
      refuseFile(`${this.name}, line ${this.lines + 1}`, `a record of at most ${MAX_LINE} bytes`, 'a longer one')
  }

  /** Takes a last line without an end. */
  finish(): void {
    const rest = this.drain(NOTHING)
    if (rest.length > 0) this.#lines(rest)
  }

  /** Gives away what is kept, and these bytes behind it. */
  drain(bytes: Uint8Array): Uint8Array {
    const all = this.#openBytes > 0 ? Buffer.concat([...this.#open, bytes]) : bytes
    this.#open = []
    this.#openBytes = 0
    return all
  }

  #lines(bytes: Uint8Array): void {
    this.bytes += bytes.length
    const lines = textOf(bytes).split('\n')
    if (lines[lines.length - 1] === '') lines.pop()
    for (const line of lines) {
      const text = line.endsWith('\r') ? line.slice(0, -1) : line
      this.lines++
      if (text !== '') this.records.take(text.split(this.delimiter), this.lines)
    }
  }
}
