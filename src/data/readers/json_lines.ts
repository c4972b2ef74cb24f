/** JSON lines: an object per line. Not here: JSON of other forms. */

import { describe } from '../../base/errors.js'
import { ObjectRows } from '../row_builders.js'
import { cellRefuser, refuseFile, type TableReader } from './reader.js'
import { eachLine } from './text.js'

/** Marks an integer whose digits JSON.parse would round; no text of a file can begin like it. */
const BIG = '\u0000integer:'

/** Texts, which are passed over, and integers of 16 digits or more that nothing makes a fraction of. */
const LONG_INTEGER = /"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g

function parseLine(line: string): unknown {
  if (!/\d{16}/.test(line)) return JSON.parse(line)
  const marked = line.replace(LONG_INTEGER, found =>
    found.startsWith('"') ? found : `"${BIG.replace('\0', '\\u0000')}${found}"`,
  )
  return JSON.parse(marked, (_, value) =>
    typeof value === 'string' && value.startsWith(BIG) ? BigInt(value.slice(BIG.length)) : value,
  )
}

export const jsonLines: TableReader = {
  format: 'jsonl',
  endings: ['jsonl', 'ndjson'],
  begins: head => /^\s*\{/.test(Buffer.from(head).toString()),
  async read(input, { asked }) {
    const rows = new ObjectRows('readTable', asked, cellRefuser(input.name, 'line'))
    await eachLine(input.name, input.chunks(), (line, number) => {
      if (line.trim() === '') return
      let row: unknown
      try {
        row = parseLine(line)
      } catch (error) {
        refuseFile(`${input.name}, line ${number}`, 'an object in JSON', describe((error as Error).message))
      }
      if (typeof row !== 'object' || row === null || Array.isArray(row))
        refuseFile(`${input.name}, line ${number}`, 'an object in JSON', describe(row))
      rows.push(row as object, number)
    })
    return rows.finish()
  },
}
