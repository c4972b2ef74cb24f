/**
 * Whether the counts in Arrow's metadata fit into its bytes: apache-arrow believes them, and one that lies would take all
 * memory. Not here: what the metadata say. Source: Arrow's Message.fbs, Schema.fbs and File.fbs, and FlatBuffers' internals.
 */

import { refuseFile } from './reader.js'

/** A table of FlatBuffers. Reading beyond the bytes is a RangeError. */
class FlatTable {
  constructor(
    private readonly view: DataView,
    private readonly at: number,
    private readonly budget: { left: number },
  ) {
    // Offsets only point forward, but many may point to one place.
    if (budget.left-- <= 0) throw new RangeError('more tables than bytes')
  }

  static root(bytes: Uint8Array): FlatTable {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return new FlatTable(view, view.getUint32(0, true), { left: bytes.length })
  }

  /** Where field number `i` is; 0 where it is absent. Numbers are signed, as in apache-arrow. */
  #place(i: number): number {
    const fields = this.at - this.view.getInt32(this.at, true)
    const offset = 4 + 2 * i < this.view.getInt16(fields, true) ? this.view.getInt16(fields + 4 + 2 * i, true) : 0
    return offset === 0 ? 0 : this.at + offset
  }

  #follow(place: number): number {
    return place + this.view.getUint32(place, true)
  }

  byte(i: number): number {
    const place = this.#place(i)
    return place === 0 ? 0 : this.view.getUint8(place)
  }

  long(i: number): number {
    const place = this.#place(i)
    return place === 0 ? 0 : Number(this.view.getBigInt64(place, true))
  }

  table(i: number): FlatTable | null {
    const place = this.#place(i)
    return place === 0 ? null : new FlatTable(this.view, this.#follow(place), this.budget)
  }

  /** Where the elements of a vector begin and how many there are, `width` bytes each. */
  vector(i: number, width: number): { start: number; count: number } {
    const place = this.#place(i)
    if (place === 0) return { start: 0, count: 0 }
    const at = this.#follow(place)
    const count = this.view.getInt32(at, true)
    if (count < 0 || at + 4 + count * width > this.view.byteLength) throw new RangeError('a vector beyond its bytes')
    return { start: at + 4, count }
  }

  tables(i: number): FlatTable[] {
    const { start, count } = this.vector(i, 4)
    return Array.from({ length: count }, (_, k) => new FlatTable(this.view, this.#follow(start + 4 * k), this.budget))
  }

  /** The first long of each struct of a vector. */
  longs(i: number, width: number): number[] {
    const { start, count } = this.vector(i, width)
    return Array.from({ length: count }, (_, k) => Number(this.view.getBigInt64(start + k * width, true)))
  }
}

function checkField(field: FlatTable): void {
  field.tables(6) // custom metadata
  for (const child of field.tables(5)) checkField(child)
}

function checkSchema(schema: FlatTable | null): void {
  schema?.tables(2)
  for (const field of schema?.tables(1) ?? []) checkField(field)
}

function checkBatch(batch: FlatTable | null): void {
  batch?.vector(1, 16) // nodes
  batch?.vector(2, 16) // buffers
  batch?.vector(4, 8) // variadic counts
}

const [SCHEMA, DICTIONARY, BATCH] = [1, 2, 3]

/** The message at `place`, of a kind if it must be: where it ends with its body, or null where there is none. */
function checkMessage(bytes: Uint8Array, place: number, wanted?: number): number | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (place < 0 || place + 4 > bytes.length) return null
  const isContinued = view.getInt32(place, true) === -1
  const start = place + (isContinued ? 8 : 4)
  if (start > bytes.length) return null
  const length = view.getInt32(start - 4, true)
  if (length === 0) return null
  if (length < 0 || start + length > bytes.length) throw new RangeError('metadata beyond the end')
  const message = FlatTable.root(bytes.subarray(start, start + length))
  message.tables(4)
  const kind = message.byte(1)
  if (wanted !== undefined && kind !== wanted)
    throw new RangeError(`a message of kind ${kind} in the place of ${wanted}`)
  if (kind === SCHEMA) checkSchema(message.table(2))
  if (kind === DICTIONARY) checkBatch(message.table(2)?.table(1) ?? null)
  if (kind === BATCH) checkBatch(message.table(2))
  const body = message.long(3)
  if (body < 0 || start + length + body > bytes.length) throw new RangeError('a body beyond the end')
  return start + length + body
}

const MAGIC_BYTES = 6

function checkFooter(bytes: Uint8Array): void {
  const end = bytes.length - MAGIC_BYTES - 4
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = view.getInt32(end, true)
  if (length <= 0 || length > end) throw new RangeError('a footer beyond the file')
  const footer = FlatTable.root(bytes.subarray(end - length, end))
  checkSchema(footer.table(1))
  footer.tables(4)
  // Where the footer names a message of another kind, apache-arrow would read it again and again.
  for (const [i, kind] of [
    [2, DICTIONARY],
    [3, BATCH],
  ])
    for (const place of footer.longs(i, 24))
      if (checkMessage(bytes, place, kind) === null) throw new RangeError(`no message at byte ${place}`)
}

/** Throws ERR_FILE_FORMAT for metadata that claim more than there is. */
export function checkArrowMetadata(name: string, bytes: Uint8Array, isFile: boolean): void {
  try {
    if (isFile) checkFooter(bytes)
    else for (let at: number | null = 0; at !== null; ) at = checkMessage(bytes, at)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    refuseFile(name, 'metadata that fit into the file', error.message)
  }
}
