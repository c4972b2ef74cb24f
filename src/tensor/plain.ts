/**
 * Tensors as plain data and back: JSON with base64, and what `structuredClone` or a worker's message leaves of a tensor.
 * Not here: files (io), nested arrays (nested.ts).
 */

import { AnnealError, phrase, typeError } from '../base/errors.js'
import { typedArrayName } from '../base/kinds.js'
import type { DType } from '../emitters/emitter.js'
import { sizeOf } from '../ops/spec.js'
import { Tensor } from './tensor.js'

type Values = Float32Array | Int32Array

/** The values of base64 text, or null where it is none. */
function fromBase64(text: string, dtype: DType): Values | null {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text || bytes.length % 4 !== 0) return null
  const { buffer } = Uint8Array.from(bytes)
  return dtype === 'int32' ? new Int32Array(buffer) : new Float32Array(buffer)
}

/** The values of a JSON's text or of a clone's array: of this dtype, from whichever realm. */
function valuesOf(data: unknown, dtype: DType): Values | null {
  if (typeof data === 'string') return fromBase64(data, dtype)
  if (typedArrayName(data) !== (dtype === 'int32' ? 'Int32Array' : 'Float32Array')) return null
  return dtype === 'int32' ? Int32Array.from(data as Int32Array) : Float32Array.from(data as Float32Array)
}

const isShape = (shape: unknown): shape is number[] =>
  Array.isArray(shape) && Array.from(shape).every(size => Number.isSafeInteger(size) && size >= 0)

/**
 * A tensor itself, or a new one from its JSON or structured clone. Throws TypeError for anything else, ERR_STATE
 * where the values do not fit the shape.
 */
export function tensorFrom(where: string, name: string, value: unknown): Tensor {
  if (value instanceof Tensor) return value
  const { dtype, shape, data, buf } = (value ?? {}) as { dtype?: DType; shape?: unknown; data?: unknown; buf?: unknown }
  if ((dtype !== 'float32' && dtype !== 'int32') || !isShape(shape))
    throw typeError(where, `${name} to be a Tensor`, value)
  const values = valuesOf(data ?? buf, dtype)
  if (values?.length === sizeOf(shape)) return new Tensor([...shape], dtype, values)
  const received = values ? `${values.length}` : 'none'
  throw new AnnealError('ERR_STATE', phrase(where, `${name} to hold ${sizeOf(shape)} values of ${dtype}`, received))
}
