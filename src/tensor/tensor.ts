/** Tensor: values, shape and gradient. Not here: its methods that compute (methods.ts), or how gradients flow (tape.ts). */

import { checkBoolean, checkOptions } from '../base/check.js'
import { AnnealError, describe, phrase, shapeError, typeError } from '../base/errors.js'
import { integerArrays, typedArrayName } from '../base/kinds.js'
import type { Buf, DType } from '../emitters/emitter.js'
import { Unplannable } from '../emitters/unplannable.js'
import { noteHandedOut, noteWrite } from '../emitters/writes.js'
import { newFloats } from '../native/memory.js'
import { shapeText, sizeOf } from '../ops/spec.js'
import { type Hold, isOwn, seenIn } from '../runs/hold.js'
import type { TensorMethods } from './methods.js'
import { checkNested, flatten, type Nested, nest } from './nested.js'
import type { Node } from './tape.js'

let valuesHidden = false

/** @internal Runs `fn`, a model's computation that is recorded: values that it read would be the same in every step. */
export function withValuesHidden<T>(fn: () => T): T {
  const before = valuesHidden
  valuesHidden = true
  try {
    return fn()
  } finally {
    valuesHidden = before
  }
}

/** The array that holds the values of a dtype. */
export type ValuesOf<D extends DType> = D extends 'int32' ? Int32Array : Float32Array

/** Options of `tensor`. */
export interface TensorOptions {
  /** Required for typed arrays of more than one dimension; default: the nesting, or one dimension. */
  shape?: readonly number[]
  /** Default: float32, and int32 for integer typed arrays. */
  dtype?: DType
  /** Record ops on this tensor for `backward`. Default false. */
  requiresGrad?: boolean
}

type UntypedOptions = Omit<TensorOptions, 'dtype'> & { dtype?: undefined }
type FloatArray = Float32Array | Float64Array
type IntegerArray = Int8Array | Uint8Array | Uint8ClampedArray | Int16Array | Uint16Array | Int32Array

/**
 * A dense row-major array of float32 or int32 with an optional gradient.
 *
 * ```ts
 * const x = tensor([[1, 2], [3, 4]], { requiresGrad: true })
 * x.mul(x).sum().backward()
 * x.grad!.toArray() // [[2, 4], [6, 8]]
 * ```
 * Source: torch.Tensor.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: methods come from the op registry, types and all.
export class Tensor<D extends DType = DType> {
  readonly shape: readonly number[]
  readonly dtype: D
  /** Number of elements. */
  readonly size: number
  /** The gradient that `backward` adds to, or null. */
  grad: Tensor | null = null
  #requiresGrad = false
  /** The array that was given to a user last: during a fit a copy, not this tensor's own. */
  #handedOut: Float32Array | Int32Array | null = null
  /** @internal The values in the hands of the emitter that made them. */
  readonly buf: Buf
  /** @internal How this tensor came about; null for leaves. */
  readonly node: Node | null

  /** @internal The run that trains this tensor at the moment. */
  hold: Hold | null = null

  /** @internal Use `tensor(...)`. */
  constructor(shape: readonly number[], dtype: D, buf: Buf, node: Node | null = null) {
    if (!Array.isArray(shape)) throw typeError('Tensor', 'shape to be an array', shape)
    if (dtype !== 'float32' && dtype !== 'int32') throw typeError('Tensor', "dtype to be 'float32' or 'int32'", dtype)
    if (typeof buf !== 'object' || typeof buf?.length !== 'number')
      throw typeError('Tensor', 'buf to be an array of numbers', buf)
    for (let i = 0; i < shape.length; i++)
      if (typeof shape[i] !== 'number') throw typeError('Tensor', 'sizes in shape to be numbers', shape[i])
    this.shape = shape
    this.dtype = dtype
    this.size = sizeOf(shape)
    this.buf = buf
    this.node = node
  }

  /** Whether `backward` reaches this tensor. May be set on leaves of dtype float32. */
  get requiresGrad(): boolean {
    return this.#requiresGrad || this.node !== null
  }

  set requiresGrad(value: boolean) {
    if (typeof value !== 'boolean') throw typeError('Tensor', 'requiresGrad to be a boolean', value)
    if (this.node && !value)
      throw new AnnealError('ERR_GRAD', 'Tensor: expected a leaf to set requiresGrad on; use detach()')
    if (value && this.dtype !== 'float32') {
      throw new AnnealError('ERR_DTYPE', phrase('Tensor', 'requiresGrad only on float32', this.dtype))
    }
    if (!this.node) this.#requiresGrad = value
  }

  /**
   * The values, row-major: the tensor's own memory, so writing to it changes the tensor. While a fit trains the tensor,
   * others get a copy of what it published last; what they write to that is lost. The buffer of a float32 tensor of a megabyte
   * and more may be native memory, which `postMessage` copies to a worker, or refuses to transfer, but does not move.
   */
  get data(): ValuesOf<D> {
    const { values } = this
    if (this.#handedOut !== values) {
      noteHandedOut(values)
      this.#handedOut = values
    }
    return values as ValuesOf<D>
  }

  /** @internal The same for who writes to it with a note only (writes.ts). */
  get values(): Float32Array | Int32Array {
    if (valuesHidden || !ArrayBuffer.isView(this.buf)) throw new Unplannable('the model reads values while it computes')
    return isOwn(this) ? (this.buf as Float32Array | Int32Array) : seenFrom('Tensor', this)
  }

  /** @internal Whether a run holds the values and the caller is not in one of its callbacks: it may read, not write. */
  get busy(): boolean {
    return this.hold !== null && !this.hold.isOpenToCaller
  }

  /** @internal Takes the values of `other`, of the same form, as its own: for a tensor that was made without any. */
  adopt({ buf }: Tensor): void {
    ;(this as { buf: Buf }).buf = buf
  }

  /** The only element as a number. Throws ERR_SHAPE where there is not exactly one. */
  item(): number {
    if (this.size !== 1) throw shapeError('item', 'a tensor of one element', `shape ${shapeText(this.shape)}`)
    checkAttached('item', this)
    return this.values[0]
  }

  /** The values as nested arrays, `toArray<number[][]>()` of a matrix; a number for a scalar. */
  toArray<T extends Nested = Nested>(): T {
    checkAttached('toArray', this)
    return nest(this.values, this.shape) as T
  }

  /** `{ dtype, shape, data }` with the values in base64, which `loadStateDict` takes in a tensor's place. */
  toJSON(): TensorJSON {
    checkAttached('toJSON', this)
    const { buffer, byteOffset, byteLength } = this.values
    return {
      dtype: this.dtype,
      shape: this.shape,
      data: Buffer.from(buffer, byteOffset, byteLength).toString('base64'),
    }
  }

  /** The same values, cut off from the graph. Shares memory, but for a tensor that a fit trains: see `data`. */
  detach(): Tensor<D> {
    checkAttached('detach', this)
    return new Tensor(this.shape, this.dtype, isOwn(this) ? this.buf : seenFrom('detach', this))
  }
}

/** A tensor in JSON: the values' bytes, little-endian, row-major, in base64. */
export interface TensorJSON {
  dtype: DType
  shape: readonly number[]
  data: string
}

/** Refuses a tensor whose memory was taken away: transferred to a worker, or resized. */
export function checkAttached(where: string, tensor: Tensor, name = 'a tensor'): void {
  const { size, buf } = tensor
  if (buf.length === size) return
  const received = `${buf.length}: it was transferred or resized`
  throw new AnnealError('ERR_DETACHED', phrase(where, `${name}'s buffer to hold ${size} elements`, received))
}

/** Refuses what is no tensor. Returns it. */
export function checkTensor(where: string, name: string, value: unknown): Tensor {
  if (!(value instanceof Tensor)) throw typeError(where, `${name} to be a Tensor`, value)
  return value
}

// biome-ignore lint/correctness/noUnusedVariables: a declaration that is merged has the class's parameters.
export interface Tensor<D extends DType = DType> extends TensorMethods {}

export function busyError(where: string): AnnealError {
  const instead = 'await the fit first, do it in a callback, or only read: predict, or forward inside of noGrad'
  return new AnnealError('ERR_BUSY', `${where}: expected a tensor that no running fit is training; ${instead}`)
}

/** A copy of the values that the caller sees of a tensor whose memory is a run's. */
function seenFrom(where: string, t: Tensor): Float32Array | Int32Array {
  const set = seenIn(t)
  if (!set) return t.buf as Float32Array | Int32Array
  const values = set.copyOf(t.buf)
  if (!values) throw busyError(where)
  return values
}

/** The values of a tensor that are about to be overwritten. Throws ERR_BUSY where they are a run's, ERR_DETACHED. */
export function writableData(where: string, t: Tensor, name?: string): Float32Array | Int32Array {
  if (t.busy) throw busyError(where)
  checkAttached(where, t, name)
  noteWrite(t.buf)
  return t.values
}

/** The most elements a tensor may have. */
export const MAX_ELEMENTS = 2 ** 31 - 1

function checkShape(shape: unknown, length: number): readonly number[] {
  if (!Array.isArray(shape)) throw typeError('tensor', 'shape to be an array', shape)
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0)
      throw typeError('tensor', 'sizes in shape to be non-negative integers', size)
  }
  if (sizeOf(shape) !== length) {
    throw shapeError('tensor', `${sizeOf(shape)} values for shape ${shapeText(shape)}`, String(length))
  }
  return Object.freeze([...shape])
}

function toFloat32(values: ArrayLike<number>): Float32Array {
  const out = newFloats(values.length)
  out.set(values)
  return out
}

function toInt32(values: ArrayLike<number>): Int32Array {
  const out = new Int32Array(values.length)
  for (let i = 0; i < out.length; i++) {
    out[i] = values[i]
    if (out[i] !== values[i])
      throw new AnnealError('ERR_DTYPE', phrase('tensor', `values[${i}] to be a 32-bit integer`, describe(values[i])))
  }
  return out
}

/**
 * A tensor with a copy of these values: a number, nested arrays, or a typed array (with `shape`).
 *
 * ```ts
 * tensor([[1, 2], [3, 4]])                                   // float32 [2, 2]
 * tensor(new Float32Array(6), { shape: [2, 3] })
 * tensor([0, 2, 1], { dtype: 'int32' })
 * ```
 * Throws TypeError for other values, ERR_SHAPE for ragged arrays or a shape that does not fit, ERR_DTYPE for a value
 * that is no 32-bit integer under dtype int32. Source: torch.tensor.
 */
export function tensor<D extends DType>(
  values: Nested | ArrayLike<number>,
  options: TensorOptions & { dtype: D },
): Tensor<D>
export function tensor(values: IntegerArray, options?: UntypedOptions): Tensor<'int32'>
export function tensor(values: FloatArray | Nested, options?: UntypedOptions): Tensor<'float32'>
export function tensor(values: Nested | ArrayLike<number>, options?: TensorOptions): Tensor
export function tensor(values: Nested | ArrayLike<number>, options: TensorOptions = {}): Tensor {
  checkOptions('tensor', options, ['shape', 'dtype', 'requiresGrad'])
  const { dtype = integerArrays.has(typedArrayName(values)) ? 'int32' : 'float32', requiresGrad = false } = options
  if (dtype !== 'float32' && dtype !== 'int32') throw typeError('tensor', "dtype to be 'float32' or 'int32'", dtype)
  const nested = checkNested(values)
  const flat = flatten(values, nested)
  if (flat.length > MAX_ELEMENTS) throw shapeError('tensor', `at most ${MAX_ELEMENTS} elements`, String(flat.length))
  const shape = options.shape === undefined ? Object.freeze(nested) : checkShape(options.shape, flat.length)
  const data = dtype === 'int32' ? toInt32(flat) : toFloat32(flat)
  const result = new Tensor(shape, dtype, data)
  if (checkBoolean('tensor', 'requiresGrad', requiresGrad)) result.requiresGrad = true
  return result
}
