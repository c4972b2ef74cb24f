/**
 * Where a table's bytes come from: a file, memory or a stream, gunzipped where they are gzip. Not here: what they mean.
 */

import { createReadStream, promises } from 'node:fs'
import { basename } from 'node:path'
import { pipeline, Readable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createGunzip } from 'node:zlib'
import { HOLD_MS } from '../base/drive.js'
import { AnnealError, phrase, typeError } from '../base/errors.js'
import type { Url } from '../base/platform_types.js'

/** A path, bytes, or a stream of bytes or text. */
export type TableSource = string | Url | Uint8Array | AsyncIterable<Uint8Array | string>

export interface Input {
  /** How errors name it. */
  readonly name: string
  /** What errors call its format; set by who knows it. */
  format: string
  /** Whether the bytes were gunzipped. */
  readonly zipped: boolean
  /** The first bytes, as many as there are up to 16. */
  readonly head: Uint8Array
  /** The bytes in pieces, once. */
  chunks(): AsyncIterable<Uint8Array>
  /** All bytes in one piece. */
  bytes(): Promise<Uint8Array>
  /** Lets go of file and stream. */
  close(): Promise<void>
}

/** A piece is parsed in about a millisecond. */
const PIECE = 1 << 16
const HEAD_BYTES = 16

/** `start`: the byte of a file to begin with. */
export async function openInput(where: string, source: TableSource, start = 0): Promise<Input> {
  const { name, chunks, whole } = originOf(where, source, start)
  const raw = await peek(chunks)
  const zipped = raw.head[0] === 0x1f && raw.head[1] === 0x8b
  const { head, all, close } = zipped ? await peek(gunzipped(name, raw.all())) : raw
  return {
    name,
    format: 'table',
    zipped,
    head,
    chunks: all,
    bytes: async () => {
      if (!whole || zipped) return joined(all())
      await close()
      return whole()
    },
    close: async () => {
      await close()
      await raw.close()
    },
  }
}

interface Origin {
  name: string
  chunks: AsyncIterator<Uint8Array>
  /** All at once, where that is simpler than the pieces. */
  whole?: () => Promise<Uint8Array>
}

function originOf(where: string, source: TableSource, start: number): Origin {
  if (typeof source === 'string' || source instanceof URL) {
    const path = source instanceof URL ? fileURLToPath(source) : source
    const chunks = createReadStream(path, { highWaterMark: PIECE, start })[Symbol.asyncIterator]()
    return { name: basename(path), chunks, whole: () => promises.readFile(path) }
  }
  if (source instanceof Uint8Array) return { name: 'buffer', chunks: pieces(source), whole: async () => source }
  if (typeof source === 'object' && source !== null && Symbol.asyncIterator in source)
    return { name: 'stream', chunks: streamed(where, source) }
  throw typeError(where, 'a path, a Buffer or a stream', source)
}

/** Memory in pieces; the event loop has its turn between them. */
async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  let last = performance.now()
  for (let at = 0; at < bytes.length; at += PIECE) {
    yield bytes.subarray(at, at + PIECE)
    if (performance.now() - last < HOLD_MS) continue
    await nextTurn()
    last = performance.now()
  }
}

async function* streamed(where: string, source: AsyncIterable<Uint8Array | string>): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array))
      throw typeError(where, 'a stream of bytes or text', chunk)
    yield* pieces(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
  }
}

/** The first bytes, and an iteration that still gives all. */
async function peek(chunks: AsyncIterator<Uint8Array>) {
  let head = new Uint8Array(0)
  const taken: Uint8Array[] = []
  while (head.length < HEAD_BYTES) {
    const { value, done } = await chunks.next()
    if (done) break
    taken.push(value)
    head = Buffer.concat([head, value.subarray(0, HEAD_BYTES)])
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    yield* taken.splice(0)
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value
  }
  return { head: head.subarray(0, HEAD_BYTES), all, close: async () => void (await chunks.return?.()) }
}

async function* gunzipped(name: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: PIECE })
  // an error of either side reaches who iterates
  pipeline(Readable.from(chunks), gunzip, () => {})
  try {
    yield* gunzip
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (!code?.startsWith('Z_')) throw error
    throw new AnnealError('ERR_FILE_FORMAT', phrase(name, 'whole gzip data', message), { cause: error })
  }
}

async function joined(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(chunk)
  return all.length === 1 ? all[0] : Buffer.concat(all)
}
