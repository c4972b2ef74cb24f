/**
 * The header of a safetensors file: eight bytes of length, then JSON that says where each tensor is. Everything is
 * checked here, before a tensor's memory is taken. Not here: the values.
 */

import { describe } from '../base/errors.js'
import { type StoredDType, storedDTypes } from './dtypes.js'
import { JsonScanner, type Refuse } from './json_scanner.js'

/** Bytes of the length in front of the header. */
export const LENGTH_BYTES = 8
/** The longest header that safetensors allows. */
export const MAX_HEADER = 100_000_000
/** The key that is no tensor. */
const METADATA = '__metadata__'
export const MAX_RANK = 8
const MAX_ELEMENTS = 2 ** 31 - 1

/** A tensor in a file: `begin` and `end` count from the end of the header. */
export interface Entry {
  name: string
  dtype: string
  stored: StoredDType
  shape: readonly number[]
  elements: number
  begin: number
  end: number
}

export interface Header {
  /** In the order of their bytes. */
  entries: Entry[]
  metadata: Record<string, string>
}

/** How an error is thrown: with the entry that it is about, if there is one. */
export type RefuseEntry = (entry: string | null, expected: string, received: string) => never

/** Reads the JSON of a header whose tensors take `dataBytes`, and proves that they fill these without hole or overlap. */
export function parseHeader(json: string, dataBytes: number, refuse: RefuseEntry): Header {
  const entries: Entry[] = []
  const metadata: Record<string, string> = Object.create(null)
  let about: string | null = null
  const scanner = new JsonScanner(json, (expected, received) => refuse(about, `a header with ${expected}`, received))
  scanner.object(key => {
    about = key
    if (key === METADATA)
      scanner.object(name => {
        metadata[name] = scanner.string()
      })
    else entries.push(parseEntry(scanner, key, (expected, received) => refuse(key, expected, received)))
    about = null
  })
  scanner.end()
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end)
  checkLayout(entries, dataBytes, refuse)
  return { entries, metadata }
}

/** `{ "dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24] }` with shape × dtype equal to the bytes. */
function parseEntry(scanner: JsonScanner, name: string, refuse: Refuse): Entry {
  let dtype: string | undefined
  let shape: number[] | undefined
  let offsets: number[] | undefined
  scanner.object(field => {
    if (field === 'dtype') dtype = scanner.string()
    else if (field === 'shape') shape = integers(scanner, MAX_RANK, () => refuse(`at most ${MAX_RANK} sizes`, 'more'))
    else if (field === 'data_offsets') offsets = integers(scanner, 2, () => refuse('two data_offsets', 'more'))
    else refuse('dtype, shape and data_offsets alone', describe(field))
  })
  if (dtype === undefined || !shape || offsets?.length !== 2) return refuse('dtype, shape and two data_offsets', 'less')
  const stored = storedDTypes.get(dtype)
  if (!stored) return refuse(`dtype to be one of ${[...storedDTypes.keys()].join(', ')}`, describe(dtype))
  const elements = elementsOf(shape, refuse)
  const [begin, end] = offsets
  if (end - begin !== elements * stored.bytes) {
    const expected = `${elements * stored.bytes} bytes for ${dtype} [${shape.join(', ')}]`
    return refuse(expected, `data_offsets [${begin}, ${end}]`)
  }
  return { name, dtype, stored, shape: Object.freeze(shape), elements, begin, end }
}

function integers(scanner: JsonScanner, most: number, tooMany: () => never): number[] {
  const values: number[] = []
  scanner.array(() => {
    if (values.length === most) tooMany()
    values.push(scanner.integer())
  })
  return values
}

function elementsOf(shape: readonly number[], refuse: Refuse): number {
  const elements = shape.reduce((product, size) => product * size, 1)
  const largest = Math.max(elements, ...shape)
  if (!(largest <= MAX_ELEMENTS)) refuse(`at most ${MAX_ELEMENTS} elements`, `shape [${shape.join(', ')}]`)
  return elements
}

function checkLayout(entries: readonly Entry[], dataBytes: number, refuse: RefuseEntry): void {
  let at = 0
  for (const { name, begin, end } of entries) {
    if (begin !== at) refuse(name, `data_offsets to begin at ${at}, where the tensor before ends`, String(begin))
    if (end > dataBytes) refuse(name, `data_offsets within the ${dataBytes} bytes of the file's data`, String(end))
    at = end
  }
  if (at !== dataBytes) refuse(null, `tensors that fill all ${dataBytes} bytes after the header`, String(at))
}

/** The header's bytes, its length in front, padded with spaces to a multiple of eight: byte for byte what Python writes. */
export function encodeHeader(entries: readonly Omit<Entry, 'stored'>[], metadata?: Record<string, string>): Uint8Array {
  const fields = entries.map(
    ({ name, dtype, shape, begin, end }) =>
      `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`,
  )
  if (metadata) fields.unshift(`"${METADATA}":${JSON.stringify(metadata)}`)
  const json = Buffer.from(`{${fields.join()}}`)
  const padded = Math.ceil(json.length / 8) * 8
  const bytes = Buffer.alloc(LENGTH_BYTES + padded, ' ')
  bytes.writeBigUInt64LE(BigInt(padded))
  json.copy(bytes, LENGTH_BYTES)
  return bytes
}

/** Whether a name can stand in a header and be read again. */
export function isHeaderName(name: string): boolean {
  return name !== '__proto__' && name !== METADATA && isText(name)
}

/** Text that UTF-8 can carry: no half of a surrogate pair alone. */
export function isText(text: unknown): text is string {
  return typeof text === 'string' && !/\p{Surrogate}/u.test(text)
}
