/**
 * safetensors: named tensors in one file, as Python's library reads and writes them. Bytes in memory and files alike.
 * Not here: what the tensors mean (models), the header's rules (safetensors_header.ts).
 */

import { checkBoolean, checkOptions } from '../base/check.js'
import { driveAsync, driveSync, type Steps } from '../base/drive.js'
import { AnnealError, describe, phrase, rangeError, shapeError, typeError } from '../base/errors.js'
import { newValues } from '../native/memory.js'
import { Tensor } from '../tensor/tensor.js'
import { atomicWrite } from './atomic_write.js'
import { type Disk, promisingDisk, waitingDisk } from './disk.js'
import type { Misfit } from './dtypes.js'
import {
  type Entry,
  encodeHeader,
  type Header,
  isHeaderName,
  isText,
  LENGTH_BYTES,
  MAX_HEADER,
  MAX_RANK,
  parseHeader,
  type RefuseEntry,
} from './safetensors_header.js'
import { bytesSource, type Source, withFile } from './source.js'

/** Named tensors, for example a state dict. */
export type TensorMap = Readonly<Record<string, Tensor>>

/** Options of `saveSafetensors`. */
export interface SaveSafetensorsOptions {
  /** Texts to keep in the file's header. */
  metadata?: Readonly<Record<string, string>>
}

/** Options of `loadSafetensors`. */
export interface LoadSafetensorsOptions {
  /** Let float64 be rounded and 64-bit integers keep their lower 32 bits where they do not fit. Default false. */
  narrow?: boolean
}

/** What a file holds. Both objects have no prototype, so that no name in a file can mean anything. */
export interface Safetensors {
  /** The tensors by name. */
  tensors: Record<string, Tensor>
  /** The texts of the file's header. */
  metadata: Record<string, string>
}

/** Values are converted in pieces of so many bytes: a multiple of every dtype's. */
const CHUNK = 1 << 18

/**
 * The bytes of a file with these tensors, in the order of Python's library: by dtype, then by name in UTF-8. The parts
 * after the first share the tensors' memory.
 */
export function safetensorsParts(
  where: string,
  tensors: TensorMap,
  options: SaveSafetensorsOptions = {},
): Uint8Array[] {
  const { metadata } = checkOptions(where, options, ['metadata'])
  const sorted = Object.entries(checkRecord(where, 'tensors', tensors))
    .map(([name, tensor]) => ({ name, utf8: Buffer.from(name), tensor: checkEntry(where, name, tensor) }))
    .sort((a, b) => rank(a.tensor) - rank(b.tensor) || Buffer.compare(a.utf8, b.utf8))
  let end = 0
  const entries = sorted.map(({ name, tensor: { dtype, shape, size } }) => {
    const begin = end
    end += size * 4
    return { name, dtype: dtype === 'float32' ? 'F32' : 'I32', shape, elements: size, begin, end }
  })
  const header = encodeHeader(entries, metadata && checkMetadata(where, metadata))
  if (header.length - LENGTH_BYTES > MAX_HEADER)
    throw rangeError(where, `names and metadata of at most ${MAX_HEADER} bytes`, header.length)
  return [
    header,
    ...sorted.map(({ tensor: { values: data } }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ]
}

/** The same as one piece of memory. */
export function encodeSafetensors(tensors: TensorMap, options: SaveSafetensorsOptions = {}): Uint8Array {
  return Buffer.concat(safetensorsParts('encodeSafetensors', tensors, options))
}

/** What the bytes of a file hold; `name` is how errors name them. The errors are loadSafetensors'. */
export function decodeSafetensors(
  bytes: Uint8Array,
  { name = 'bytes', ...options }: LoadSafetensorsOptions & { name?: string } = {},
): Safetensors {
  if (!(bytes instanceof Uint8Array)) throw typeError('decodeSafetensors', 'bytes to be a Uint8Array', bytes)
  const narrow = checkNarrow('decodeSafetensors', options)
  return driveSync('decodeSafetensors', readSafetensors(bytesSource(name, bytes), narrow))
}

/**
 * Writes tensors to a file that Python's safetensors and PyTorch read; an older file is replaced at once or not at all.
 *
 * ```ts
 * await io.saveSafetensors('net.safetensors', model.stateDict(), { metadata: { note: 'first try' } })
 * io.saveSafetensors.sync('net.safetensors', model.stateDict())
 * ```
 * float32 and int32, at most 8 dimensions, byte for byte what Python writes. The promise's file holds the values as they
 * were at the call. Throws TypeError or RangeError for what is no tensor or no name, ERR_SHAPE for more dimensions,
 * ERR_BUSY for optimizer state that a fit holds or while the same file is being written, and what the disk throws
 * (ENOSPC, EACCES, …).
 * Source: safetensors.torch.save_file.
 */
export const saveSafetensors = Object.assign(
  async (path: string, tensors: TensorMap, options?: SaveSafetensorsOptions): Promise<void> => {
    const [header, ...values] = safetensorsParts('saveSafetensors', tensors, options)
    const parts = [header, ...values.map(part => part.slice())]
    return driveAsync(atomicWrite(promisingDisk, checkPath('saveSafetensors', path), parts))
  },
  {
    sync: (path: string, tensors: TensorMap, options?: SaveSafetensorsOptions): void =>
      driveSync(
        'saveSafetensors.sync',
        atomicWrite(
          waitingDisk,
          checkPath('saveSafetensors', path),
          safetensorsParts('saveSafetensors', tensors, options),
        ),
      ),
  },
)

/**
 * Reads a file of Python's safetensors, PyTorch or `saveSafetensors`.
 *
 * ```ts
 * const { tensors, metadata } = await io.loadSafetensors('net.safetensors')
 * model.loadStateDict(tensors)
 * ```
 * F32, F16 and BF16 become float32, integers and booleans int32 (booleans 0 and 1); F64, I64, U64 and U32 only where
 * every value fits, or with `narrow`: rounded, or the lower 32 bits. Everything is checked before memory is taken, and
 * beyond the results none is taken but the header's. Throws ERR_FILE_FORMAT, with the file, the tensor and the offence,
 * for every file that is not sound; what the disk throws (ENOENT, …) where it cannot be read. Source:
 * safetensors.torch.load_file.
 */
export const loadSafetensors = Object.assign(
  async (path: string, options?: LoadSafetensorsOptions): Promise<Safetensors> =>
    driveAsync(loadSteps(promisingDisk, path, options)),
  {
    sync: (path: string, options?: LoadSafetensorsOptions): Safetensors =>
      driveSync('loadSafetensors.sync', loadSteps(waitingDisk, path, options)),
  },
)

function loadSteps(disk: Disk, path: string, options: LoadSafetensorsOptions = {}): Steps<Safetensors> {
  const narrow = checkNarrow('loadSafetensors', options)
  return withFile(disk, checkPath('loadSafetensors', path), source => readSafetensors(source, narrow))
}

/** Reads a whole file: the header, its proof, then tensor by tensor. */
export function* readSafetensors(source: Source, narrow: boolean): Steps<Safetensors> {
  const refuse = refuser(source.name)
  const { header, dataStart } = yield* readHeader(source, refuse)
  const tensors: Record<string, Tensor> = Object.create(null)
  const reading: Reading = { source, dataStart, narrow, refuse, chunk: new ArrayBuffer(CHUNK) }
  for (const entry of header.entries) tensors[entry.name] = yield* readTensor(reading, entry)
  return { tensors, metadata: header.metadata }
}

function refuser(name: string): RefuseEntry {
  return (entry, expected, received) => {
    const where = entry === null ? name : `${name}, ${describe(entry)}`
    throw new AnnealError('ERR_FILE_FORMAT', phrase(where, expected, received))
  }
}

function* readHeader(source: Source, refuse: RefuseEntry): Steps<{ header: Header; dataStart: number }> {
  const room = source.size - LENGTH_BYTES
  const prefix = new DataView(new ArrayBuffer(LENGTH_BYTES))
  if (room < 0 || !(yield* source.fill(new Uint8Array(prefix.buffer), 0)))
    return refuse(null, 'a safetensors file of at least 8 bytes', String(source.size))
  const length = Number(prefix.getBigUint64(0, true))
  if (length > MAX_HEADER) return refuse(null, `a header of at most ${MAX_HEADER} bytes`, String(length))
  if (length > room) return refuse(null, `a header within the ${source.size} bytes of the file`, `${length} bytes`)
  const bytes = new Uint8Array(length)
  if (!(yield* source.fill(bytes, LENGTH_BYTES))) return refuse(null, 'the whole header', 'the end of the file')
  let json: string
  try {
    json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return refuse(null, 'a header in UTF-8', 'other bytes')
  }
  return { header: parseHeader(json, room - length, refuse), dataStart: LENGTH_BYTES + length }
}

/** What the tensors of one file are read with. */
interface Reading {
  source: Source
  dataStart: number
  narrow: boolean
  refuse: RefuseEntry
  /** Memory for values that must be converted. */
  chunk: ArrayBuffer
}

function* readTensor({ source, dataStart, narrow, refuse, chunk }: Reading, entry: Entry): Steps<Tensor> {
  const { name, stored, shape, elements, begin, end } = entry
  const values = newValues(stored.dtype, elements)
  const bytes = new Uint8Array(stored.convert ? chunk : values.buffer)
  const perPart = Math.max(1, bytes.length / stored.bytes)
  for (let done = 0; done < elements; done += perPart) {
    const part = values.subarray(done, done + perPart)
    const found = yield* source.fill(
      bytes.subarray(0, part.length * stored.bytes),
      dataStart + begin + done * stored.bytes,
    )
    if (!found) refuse(name, `its ${end - begin} bytes`, 'the end of the file')
    const misfit = stored.convert?.(chunk, part, narrow)
    if (misfit) refuseValue(entry, done, misfit, refuse)
  }
  return new Tensor(shape, stored.dtype, values)
}

function refuseValue({ name, dtype, stored }: Entry, done: number, misfit: Misfit, refuse: RefuseEntry): never {
  const remedy = dtype === 'BOOL' ? 'true or false' : `that ${stored.dtype} can hold (or narrow: true)`
  return refuse(name, `${dtype} values ${remedy}`, `${misfit.value} at ${done + misfit.index}`)
}

/** Python's library writes larger dtypes first; of two with four bytes, F32 before I32. */
function rank({ dtype }: Tensor): number {
  return dtype === 'float32' ? 0 : 1
}

function checkNarrow(where: string, options: LoadSafetensorsOptions): boolean {
  return checkBoolean(where, 'narrow', checkOptions(where, options, ['narrow']).narrow ?? false)
}

function checkPath(where: string, path: unknown): string {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) throw typeError(where, 'path to be a path', path)
  return path
}

function checkRecord<T extends object>(where: string, name: string, value: T): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Tensor)
    throw typeError(where, `${name} to be an object`, value)
  return value
}

function checkEntry(where: string, name: string, tensor: unknown): Tensor {
  if (!isHeaderName(name)) throw rangeError(where, 'names that safetensors can hold', name)
  if (!(tensor instanceof Tensor)) throw typeError(where, `tensors[${describe(name)}] to be a Tensor`, tensor)
  if (tensor.shape.length > MAX_RANK)
    throw shapeError(where, `${describe(name)} to have at most ${MAX_RANK} dimensions`, String(tensor.shape.length))
  if (tensor.values.length !== tensor.size) {
    const received = `${tensor.values.length}: its buffer was transferred or resized`
    throw new AnnealError('ERR_DETACHED', phrase(where, `${describe(name)} to have ${tensor.size} values`, received))
  }
  return tensor
}

function checkMetadata(where: string, metadata: Readonly<Record<string, string>>): Record<string, string> {
  for (const [key, text] of Object.entries(checkRecord(where, 'metadata', metadata))) {
    if (key === '__proto__' || !isText(key)) throw rangeError(where, 'keys of metadata that JSON can hold', key)
    if (!isText(text)) throw typeError(where, `metadata[${describe(key)}] to be text`, text)
  }
  return metadata
}
