/**
 * The dtypes of safetensors and what each becomes here: float32 or int32, exactly, or with losses where asked for. One
 * entry per dtype; not here: files and headers.
 */

import { float16ToNumber } from '../base/float16.js'

/** Where a value does not fit: its place, and its text. */
export interface Misfit {
  index: number
  value: number | bigint
}

/** Converts the first `to.length` values of `from`; returns the first that does not fit, unless `narrow`. */
type Convert = (from: ArrayBuffer, to: Float32Array | Int32Array, narrow: boolean) => Misfit | null

export interface StoredDType {
  /** Bytes per value in the file. */
  bytes: number
  /** What the values become. */
  dtype: 'float32' | 'int32'
  /** Absent where the bytes are the values as they stand. */
  convert?: Convert
}

type NumberArray = Int8Array | Uint8Array | Int16Array | Uint16Array

/** Integers of at most 16 bits: all fit. */
function widen(View: new (buffer: ArrayBuffer, at: number, length: number) => NumberArray): Convert {
  return (from, to) => {
    to.set(new View(from, 0, to.length))
    return null
  }
}

const float16: Convert = (from, to) => {
  const bits = new Uint16Array(from)
  for (let i = 0; i < to.length; i++) to[i] = float16ToNumber(bits[i])
  return null
}

/** bfloat16 is the upper half of a float32. */
const bfloat16: Convert = (from, to) => {
  const bits = new Uint16Array(from)
  const words = new Int32Array(to.buffer, to.byteOffset, to.length)
  for (let i = 0; i < words.length; i++) words[i] = bits[i] << 16
  return null
}

const float64: Convert = (from, to, narrow) => {
  const values = new Float64Array(from)
  for (let i = 0; i < to.length; i++) {
    to[i] = values[i]
    if (!narrow && to[i] !== values[i] && !Number.isNaN(values[i])) return { index: i, value: values[i] }
  }
  return null
}

/** The lower half of each integer, as PyTorch's `.to(torch.int32)`; it is the whole where the upper half is its sign. */
function lowHalf(signed: boolean): Convert {
  return (from, to, narrow) => {
    const halves = new Int32Array(from)
    for (let i = 0; i < to.length; i++) {
      to[i] = halves[2 * i]
      const fits = halves[2 * i + 1] === halves[2 * i] >> 31 && (signed || to[i] >= 0)
      if (!narrow && !fits) return { index: i, value: (signed ? new BigInt64Array(from) : new BigUint64Array(from))[i] }
    }
    return null
  }
}

const uint32: Convert = (from, to, narrow) => {
  const values = new Uint32Array(from)
  for (let i = 0; i < to.length; i++) {
    to[i] = values[i]
    if (!narrow && to[i] < 0) return { index: i, value: values[i] }
  }
  return null
}

const bool: Convert = (from, to) => {
  const values = new Uint8Array(from, 0, to.length)
  const odd = values.findIndex(value => value > 1)
  to.set(values)
  return odd < 0 ? null : { index: odd, value: values[odd] }
}

/** By the names that safetensors gives them. Bytes are little-endian, as every processor that Node runs on here is. */
export const storedDTypes: ReadonlyMap<string, StoredDType> = new Map<string, StoredDType>([
  ['F32', { bytes: 4, dtype: 'float32' }],
  ['I32', { bytes: 4, dtype: 'int32' }],
  ['F16', { bytes: 2, dtype: 'float32', convert: float16 }],
  ['BF16', { bytes: 2, dtype: 'float32', convert: bfloat16 }],
  ['F64', { bytes: 8, dtype: 'float32', convert: float64 }],
  ['I64', { bytes: 8, dtype: 'int32', convert: lowHalf(true) }],
  ['U64', { bytes: 8, dtype: 'int32', convert: lowHalf(false) }],
  ['U32', { bytes: 4, dtype: 'int32', convert: uint32 }],
  ['I16', { bytes: 2, dtype: 'int32', convert: widen(Int16Array) }],
  ['U16', { bytes: 2, dtype: 'int32', convert: widen(Uint16Array) }],
  ['I8', { bytes: 1, dtype: 'int32', convert: widen(Int8Array) }],
  ['U8', { bytes: 1, dtype: 'int32', convert: widen(Uint8Array) }],
  ['BOOL', { bytes: 1, dtype: 'int32', convert: bool }],
])
