/** What readers of text share: UTF-8 that is checked, and lines that end. */

import { isUtf8 } from 'node:buffer'
import { refuseFile } from './reader.js'

/** The longest line, or record within quotes, in bytes: one that never ends is refused here, not at the end of memory. */
export const MAX_LINE = 1 << 24

/** Bytes that are known to be UTF-8 as text. */
export function textOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString()
}

/**
 * The pieces of a text without a byte order mark, cut between characters; refuses what is no UTF-8. `start`: bytes before
 * the first piece.
 */
export async function* utf8(name: string, chunks: AsyncIterable<Uint8Array>, start = 0): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array(0)
  let at = start
  for await (const chunk of chunks) {
    const bytes = rest.length ? Buffer.concat([rest, chunk]) : chunk
    if (at === 0 && isUtf16(bytes)) refuseFile(name, 'text in UTF-8', 'UTF-16')
    const end = bytes.length - openBytes(bytes)
    const whole = bytes.subarray(at === 0 && hasMark(bytes) ? 3 : 0, end)
    if (!isUtf8(whole)) refuseFile(`${name}, near byte ${at}`, 'text in UTF-8', 'other bytes')
    at += end
    rest = bytes.subarray(end)
    if (whole.length) yield whole
  }
  if (rest.length) refuseFile(`${name}, byte ${at}`, 'text in UTF-8', 'the end within a character')
}

function isUtf16([first, second]: Uint8Array): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
}

export function hasMark([first, second, third]: Uint8Array): boolean {
  return first === 0xef && second === 0xbb && third === 0xbf
}

/** How many bytes at the end begin a character that goes on. */
function openBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]
    if ((byte & 0xc0) === 0x80) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return length > back ? back : 0
  }
  return 0
}

/** Calls `each` with every line of the pieces, without its end, and its number from 1. */
export async function eachLine(
  name: string,
  chunks: AsyncIterable<Uint8Array>,
  each: (line: string, number: number) => void,
): Promise<void> {
  let number = 0
  let open: string[] = []
  let length = 0
  for await (const chunk of utf8(name, chunks)) {
    const lines = textOf(chunk).split('\n')
    for (let i = 0; i < lines.length - 1; i++) {
      const line = open.length ? open.join('') + lines[i] : lines[i]
      each(line, ++number)
      open = []
      length = 0
    }
    const last = lines[lines.length - 1]
    length += last.length
    if (last !== '') open.push(last)
    if (length > MAX_LINE)
      refuseFile(`${name}, line ${number + 1}`, `a line of at most ${MAX_LINE} bytes`, 'a longer one')
  }
  if (open.length) each(open.join(''), number + 1)
}
