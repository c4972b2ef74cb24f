/**
 * Memory for the values that data sets are made of. Large arrays, but those of int32, lie in native memory, which stays as long as
 * somebody reads it there, whatever becomes of the ArrayBuffer; so plans read data sets where they lie. Not here: results
 * of ops, which come and go in loops that never let go of the thread.
 */

import { totalmem } from 'node:os'
import { isMainThread } from 'node:worker_threads'
import { addon } from './addon.js'

/** Bytes below which a copy costs less than it is worth to avoid. */
const LEAST = 2 ** 20
/**
 * Bytes that may be taken before the event loop turns: only then is such memory freed that nobody uses any more. An array
 * that goes beyond is the last one.
 */
const MOST = Math.min(totalmem(), process.constrainedMemory() || Infinity) / 8

/**
 * A worker's memory ends with it, but `ArrayBuffer.prototype.transfer` makes buffers that may be sent to others: V8's memory
 * goes there as a whole. That of a WebAssembly module is no memory of JavaScript's.
 */
const isOffered = isMainThread && addon.isa !== 'wasm'

let taken = 0
const native = new WeakSet<object>()

/** Zeros in native memory; null where they are few, or none is offered. */
function nativeBuffer(bytes: number): ArrayBuffer | null {
  const buffer = isOffered && bytes >= LEAST && taken < MOST ? addon.allocate(bytes) : null
  if (!buffer) return null
  if (taken === 0) setImmediate(forget).unref()
  taken += bytes
  native.add(buffer)
  return buffer
}

/** Zeros for the values of a data set. */
export function newBuffer(bytes: number): ArrayBuffer {
  return nativeBuffer(bytes) ?? new ArrayBuffer(bytes)
}

/** The same as float32: few of them V8 makes without a buffer, in a tenth of the time. */
export function newFloats(length: number): Float32Array {
  const buffer = nativeBuffer(length * Float32Array.BYTES_PER_ELEMENT)
  return buffer ? new Float32Array(buffer) : new Float32Array(length)
}

function forget(): void {
  taken = 0
}

/** The same of either dtype. */
export function newValues(dtype: 'float32' | 'int32', length: number): Float32Array | Int32Array {
  return dtype === 'int32' ? new Int32Array(length) : newFloats(length)
}

/** Whether the values lie in such memory. */
export function isNative({ buffer }: ArrayBufferView): boolean {
  return native.has(buffer)
}
