/** NumPy's npy and npz: own code for npy, fflate for the zip around it. An array is a column; its rows may have a shape. */

import type { UnzipFileInfo } from 'fflate'
import { describe } from '../../base/errors.js'
import { float16ToNumber } from '../../base/float16.js'
import { missingPackage } from '../../base/optional.js'
import type { Column, ColumnValues, NumberArray } from '../column.js'
import { storeOf } from '../column_stores.js'
import { checkNames } from '../row_builders.js'
import { fromColumns } from '../table_from.js'
import { beginsWith, refuseFile, type TableReader } from './reader.js'

const MAGIC = '\x93NUMPY'
const MAX_RANK = 8

/** How the bytes of a dtype, little-endian and in a buffer of their own, become values. */
type Decode = (bytes: ArrayBuffer, count: number) => ColumnValues

const view =
  (View: new (bytes: ArrayBuffer) => NumberArray): Decode =>
  bytes =>
    new View(bytes)

/** 64-bit integers by the rule of tables: numbers where all are safe, else bigint. */
const integers64 =
  (View: new (bytes: ArrayBuffer) => BigInt64Array | BigUint64Array): Decode =>
  bytes => {
    const store = storeOf('integer', true)
    for (const value of new View(bytes)) store.value(value)
    return store.finish().values
  }

/** Fixed-width text, padded with zeros. */
const text =
  (decode: (bytes: Uint8Array) => string): Decode =>
  (bytes, count) => {
    const size = bytes.byteLength / count
    return Array.from({ length: count }, (_, i) => decode(new Uint8Array(bytes, i * size, size)).replace(/\0+$/, ''))
  }

/** By NumPy's kind and size; text has any size. */
const decoders: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  ['f2', bytes => Float32Array.from(new Uint16Array(bytes), float16ToNumber)],
  ['f4', view(Float32Array)],
  ['f8', view(Float64Array)],
  ['i1', view(Int8Array)],
  ['i2', view(Int16Array)],
  ['i4', view(Int32Array)],
  ['i8', integers64(BigInt64Array)],
  ['u1', view(Uint8Array)],
  ['u2', view(Uint16Array)],
  ['u4', view(Uint32Array)],
  ['u8', integers64(BigUint64Array)],
  ['b1', bytes => Array.from(new Uint8Array(bytes), value => value !== 0)],
  ['S', text(bytes => Buffer.from(bytes).toString('latin1'))],
  ['U', text(bytes => String.fromCodePoint(...new Uint32Array(bytes.slice().buffer)))],
])

interface NpyHeader {
  /** Kind and size, as in `f4`. */
  dtype: string
  size: number
  bigEndian: boolean
  fortran: boolean
  shape: number[]
  /** Where the values begin. */
  start: number
}

/** Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }` behind magic, version and length. */
function parseHeader(name: string, bytes: Uint8Array): NpyHeader {
  if (!beginsWith(bytes, MAGIC)) refuseFile(name, 'the magic string of npy', 'other bytes')
  const wide = bytes[6] >= 2
  const start = wide ? 12 : 10
  if (bytes.length < start || bytes[6] < 1 || bytes[6] > 3)
    refuseFile(name, 'a header of npy 1 to 3', 'another or its end')
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = wide ? data.getUint32(8, true) : data.getUint16(8, true)
  if (start + length > bytes.length) refuseFile(name, 'the whole header', `${bytes.length - start} of ${length} bytes`)
  const text = Buffer.from(bytes.subarray(start, start + length)).toString('latin1')
  const [, descr] = /'descr':\s*'([^']*)'/.exec(text) ?? []
  const [, order] = /'fortran_order':\s*(True|False)/.exec(text) ?? []
  const [, sizes] = /'shape':\s*\(((?:\s*\d{1,15}\s*,?)*)\)/.exec(text) ?? []
  if (descr === undefined || order === undefined || sizes === undefined)
    refuseFile(name, 'descr of one type, fortran_order and shape in the header', describe(text.trim()))
  const shape = (sizes.match(/\d+/g) ?? []).map(Number)
  const [, endian, kind, size] = /^([<>|=]?)([a-zA-Z])(\d{0,9})$/.exec(descr) ?? []
  const unit = kind === 'U' ? 4 : 1
  return {
    dtype: kind === 'U' || kind === 'S' ? kind : `${kind}${size}`,
    size: Number(size) * unit,
    bigEndian: endian === '>',
    fortran: order === 'True',
    shape,
    start: start + length,
  }
}

/** The column of an npy file. */
function npyColumn(place: string, name: string, bytes: Uint8Array): Column {
  const { dtype, size, bigEndian, fortran, shape, start } = parseHeader(place, bytes)
  const decode = decoders.get(dtype)
  if (!decode) refuseFile(place, `dtype to be among ${[...decoders.keys()].join(', ')}`, describe(dtype))
  if (shape.length === 0 || shape.length > MAX_RANK)
    refuseFile(place, `1 to ${MAX_RANK} dimensions`, String(shape.length))
  const count = shape.reduce((product, n) => product * n, 1)
  if (count * size !== bytes.length - start)
    refuseFile(place, `${count * size} bytes for ${dtype} [${shape.join(', ')}]`, String(bytes.length - start))
  const raw = new Uint8Array(bytes.subarray(start))
  if (bigEndian && size > 1) swap(raw, dtype === 'U' ? 4 : size)
  const values = decode!(raw.buffer, count)
  const rowShape = shape.slice(1)
  if (!ArrayBuffer.isView(values) && rowShape.length > 0)
    refuseFile(place, 'one dimension of what is no number', `[${shape.join(', ')}]`)
  const ordered = fortran && rowShape.length > 0 ? toRowMajor(values as NumberArray, shape) : values
  return { name, type: typeOf(dtype), values: ordered, shape: rowShape }
}

function typeOf(dtype: string): Column['type'] {
  if (dtype === 'b1') return 'boolean'
  return dtype.startsWith('f') ? 'number' : /^[iu]/.test(dtype) ? 'integer' : 'text'
}

function swap(bytes: Uint8Array, size: number): void {
  for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse()
}

/** From Fortran's order, first index fastest, to rows. */
function toRowMajor(values: NumberArray, shape: readonly number[]): NumberArray {
  const strides = shape.map((_, d) => shape.slice(0, d).reduce((a, b) => a * b, 1))
  const index = shape.map(() => 0)
  const to = values.slice()
  for (let i = 0; i < to.length; i++) {
    to[i] = values[index.reduce((at, value, d) => at + value * strides[d], 0)]
    for (let d = shape.length - 1; d >= 0 && ++index[d] === shape[d]; d--) index[d] = 0
  }
  return to
}

export const npy: TableReader = {
  format: 'npy',
  endings: ['npy'],
  begins: head => beginsWith(head, MAGIC),
  async read(input, { asked }) {
    const column = npyColumn(input.name, 'values', await input.bytes())
    checkNames('readTable', asked, [column.name])
    return fromColumns([column])
  },
}

/** How a zip file with something in it begins. */
const ZIP = 'PK\x03\x04'

/** Deflate makes at most 1,032 bytes of one: a size beyond that is a lie, and memory is not taken for it. */
const MAX_RATIO = 1032

function checkSizes(
  name: string,
  { name: entry, size, originalSize, compression }: UnzipFileInfo,
  bytes: number,
): boolean {
  const most = compression === 0 ? size : size * MAX_RATIO
  if (size > bytes || originalSize > most)
    refuseFile(`${name}, ${describe(entry)}`, `sizes that ${bytes} bytes can hold`, `${size} and ${originalSize}`)
  return entry.endsWith('.npy')
}

async function loadFflate() {
  try {
    return await import('fflate')
  } catch (cause) {
    throw missingPackage('readTable', ['fflate'], cause)
  }
}

export const npz: TableReader = {
  format: 'npz',
  endings: ['npz'],
  begins: head => beginsWith(head, ZIP),
  async read(input, { asked }) {
    const { unzipSync } = await loadFflate()
    const bytes = await input.bytes()
    if (!beginsWith(bytes, ZIP)) refuseFile(input.name, 'a zip file', 'other bytes at the beginning')
    const files = unzipSync(bytes, { filter: info => checkSizes(input.name, info, bytes.length) })
    const names = Object.keys(files).map(file => file.replace(/\.npy$/, ''))
    if (names.length === 0) refuseFile(input.name, 'at least one array', 'none')
    checkNames('readTable', asked, names)
    return fromColumns(
      Object.values(files).map((file, i) => npyColumn(`${input.name}, ${describe(names[i])}`, names[i], file)),
      input.name,
    )
  },
}
