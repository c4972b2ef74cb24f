/**
 * Columns of a data set that stay narrow in memory: bytes and halves, which become float32 in the batches. Not here: which
 * rows a batch takes (data_loader.ts), or how a plan reads them (engine/resident.ts).
 */

import { checkInt, checkNumber, checkOptions } from '../base/check.js'
import { AnnealError, phrase, rangeError, shapeError, typeError } from '../base/errors.js'
import { float16ToNumber } from '../base/float16.js'
import { isDetached, typedArrayName } from '../base/kinds.js'
import type { HalfArray } from '../base/platform_types.js'
import { newBuffer } from '../native/memory.js'
import type { NarrowArray, NarrowType } from '../native/types.js'
import { shapeText, sizeOf } from '../ops/spec.js'
import { MAX_ELEMENTS, Tensor } from '../tensor/tensor.js'

const WHERE = 'column'

/** Options of `data.column`. */
export interface NarrowColumnOptions {
  /** Rows first. Default: one dimension. */
  shape?: readonly number[]
  /** What every value is multiplied by, as float32. Default 1. */
  scale?: number
  /** Default: that of the array. A Uint16Array is 'float16', its bits, and has to say so. */
  dtype?: NarrowType
}

/** Narrow values of a data set, made by `data.column`. Rows of it are float32 tensors. */
export class NarrowColumn {
  /** Rows first. */
  readonly shape: readonly number[]
  readonly dtype: NarrowType
  /** Number of elements. */
  readonly size: number
  /** What every value is multiplied by: a float32. */
  readonly scale: number
  /** The column's own memory, so writing to it changes the column: bytes, or the bits of halves. */
  readonly data: NarrowArray
  /** The float32 that every byte, or every half, stands for, once somebody asked. */
  #table: Float32Array | null = null

  /** @internal Use `data.column(...)`. */
  constructor(data: NarrowArray, shape: readonly number[], scale: number) {
    this.data = data
    this.shape = shape
    this.dtype = data instanceof Uint8Array ? 'uint8' : 'float16'
    this.size = sizeOf(shape)
    this.scale = scale
  }

  /**
   * Rows `from` to `to`, default all, as a float32 tensor of their own.
   *
   * ```ts
   * data.column(bytes, { shape: [100, 784] }).toTensor(0, 10) // [10, 784]
   * ```
   * Throws RangeError for rows that are not there, ERR_DETACHED where the memory was transferred.
   */
  toTensor(from = 0, to = this.shape[0]): Tensor<'float32'> {
    const [rows, ...rest] = this.shape
    checkInt('toTensor', 'to', to, { min: 0, max: rows })
    checkInt('toTensor', 'from', from, { min: 0, max: to })
    this.checkAttached('toTensor')
    const width = sizeOf(rest)
    const values = new Float32Array((to - from) * width)
    this.#widen(from * width, values, 0, values.length)
    return new Tensor([to - from, ...rest], 'float32', values)
  }

  /** @internal All values as float32, made anew. */
  get values(): Float32Array {
    return this.toTensor().values as Float32Array
  }

  /** @internal The rows at `rows`, every one of which is there, as float32. */
  gather(where: string, rows: Int32Array): Tensor<'float32'> {
    this.checkAttached(where)
    const rest = this.shape.slice(1)
    const width = sizeOf(rest)
    const values = new Float32Array(rows.length * width)
    for (let i = 0; i < rows.length; i++) this.#widen(rows[i] * width, values, i * width, width)
    return new Tensor([rows.length, ...rest], 'float32', values)
  }

  /** @internal The same as a column of its own. */
  take(where: string, rows: Int32Array): NarrowColumn {
    this.checkAttached(where)
    const shape = [rows.length, ...this.shape.slice(1)]
    const width = sizeOf(this.shape.slice(1))
    const to = newCodes(this.dtype, rows.length * width)
    for (let i = 0; i < rows.length; i++) to.set(this.data.subarray(rows[i] * width, (rows[i] + 1) * width), i * width)
    return new NarrowColumn(to, shape, this.scale)
  }

  /** @internal Refuses a column whose memory was taken away: transferred to a worker, or resized. */
  checkAttached(where: string, name = 'a column'): void {
    const { length } = this.data
    if (length === this.size) return
    const received = `${length}: it was transferred or resized`
    throw new AnnealError('ERR_DETACHED', phrase(where, `${name}'s buffer to hold ${this.size} elements`, received))
  }

  /** `count` elements from `from` on. */
  #widen(from: number, to: Float32Array, at: number, count: number): void {
    const { data } = this
    this.#table ??= tableOf(this.dtype, this.scale)
    const table = this.#table
    for (let i = 0; i < count; i++) to[at + i] = table[data[from + i]]
  }
}

/** What every code of a type stands for. A product of so few bits is exact in float64, and so rounded once. */
function tableOf(dtype: NarrowType, scale: number): Float32Array {
  const table = new Float32Array(dtype === 'uint8' ? 2 ** 8 : 2 ** 16)
  for (let code = 0; code < table.length; code++)
    table[code] = (dtype === 'uint8' ? code : float16ToNumber(code)) * scale
  return table
}

function newCodes(dtype: NarrowType, length: number): NarrowArray {
  return dtype === 'uint8' ? new Uint8Array(newBuffer(length)) : new Uint16Array(newBuffer(2 * length))
}

/** What arrays hold, by their class; a Uint16Array holds whatever its owner says. */
const dtypes: Readonly<Record<string, NarrowType>> = {
  Uint8Array: 'uint8',
  Uint8ClampedArray: 'uint8',
  Float16Array: 'float16',
}

const EXPECTED = "values to be a Uint8Array, a Float16Array, or a Uint16Array of float16's bits with dtype: 'float16'"

function dtypeOf(values: unknown, asked: unknown): NarrowType {
  const name = typedArrayName(values) ?? ''
  const own = Object.hasOwn(dtypes, name) ? dtypes[name] : undefined
  if (asked !== undefined && asked !== 'uint8' && asked !== 'float16')
    throw typeError(WHERE, "dtype to be 'uint8' or 'float16'", asked)
  if (own === undefined && !(name === 'Uint16Array' && asked === 'float16')) throw typeError(WHERE, EXPECTED, values)
  if (own !== undefined && asked !== undefined && asked !== own)
    throw rangeError(WHERE, `dtype to be '${own}', as values are`, asked)
  return own ?? 'float16'
}

function checkShape(shape: unknown, length: number): readonly number[] {
  if (shape === undefined) return Object.freeze([length])
  if (!Array.isArray(shape)) throw typeError(WHERE, 'shape to be an array', shape)
  for (const [i, size] of shape.entries()) checkInt(WHERE, `shape[${i}]`, size, { min: 0 })
  if (shape.length === 0) throw shapeError(WHERE, 'shape to have at least one dimension', shapeText(shape))
  if (sizeOf(shape) !== length)
    throw shapeError(WHERE, `${sizeOf(shape)} values for shape ${shapeText(shape)}`, `${length}`)
  return Object.freeze([...shape])
}

function checkScale(scale: unknown): number {
  const rounded = Math.fround(checkNumber(WHERE, 'scale', scale))
  if (rounded === 0 || !Number.isFinite(rounded))
    throw rangeError(WHERE, 'scale to be a float32 that is neither 0 nor infinite', scale)
  return rounded
}

/**
 * A column of a data set that stays narrow in memory: a quarter of float32 as bytes, half of it as float16.
 *
 * ```ts
 * const X = data.column(bytes, { shape: [100, 784], scale: 1 / 255 }) // a Uint8Array
 * const train = new data.TensorDataset(X, digits)
 * data.column(bits, { shape: [100, 8], dtype: 'float16' }) // a Uint16Array, where there is no Float16Array
 * ```
 * Samples and batches are float32: value · scale, rounded once, bit for bit those of the tensor that is widened whole. It
 * goes where tensors of a `TensorDataset` go, into `trainTestSplit` and `predict`. `values` are copied, once, as they are: a
 * plan reads the copy where it lies, and widens rows as it gathers them. Throws TypeError for other arrays, ERR_SHAPE for a
 * shape that does not fit, RangeError for a scale that is 0 or not finite, ERR_DETACHED for an array that was transferred.
 * Source: `torch.from_numpy(bytes)[rows].float() * scale`.
 */
export function column(
  values: Uint8Array | Uint8ClampedArray | Uint16Array | HalfArray,
  options: NarrowColumnOptions = {},
): NarrowColumn {
  const { shape, scale = 1, dtype: asked } = checkOptions(WHERE, options, ['shape', 'scale', 'dtype'])
  const dtype = dtypeOf(values, asked)
  const { buffer, byteOffset, length } = values as NarrowArray
  if (isDetached(values as NarrowArray))
    throw new AnnealError('ERR_DETACHED', phrase(WHERE, EXPECTED, 'one whose buffer was transferred'))
  if (length > MAX_ELEMENTS) throw shapeError(WHERE, `at most ${MAX_ELEMENTS} elements`, `${length}`)
  const [checked, factor] = [checkShape(shape, length), checkScale(scale)]
  const codes = newCodes(dtype, length)
  codes.set(
    dtype === 'uint8' ? new Uint8Array(buffer, byteOffset, length) : new Uint16Array(buffer, byteOffset, length),
  )
  return new NarrowColumn(codes, checked, factor)
}
