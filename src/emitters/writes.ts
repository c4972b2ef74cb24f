/**
 * Who may have written a tensor's values since they were looked at: for those who keep a copy of weights in another form.
 * Told apart by the memory of the values, which tensors may share, whole or in part. Not here: such copies.
 */

import type { Buf } from './emitter.js'

/** Counts the writes of the library to some values, from the first time that somebody asks. */
export interface Writes {
  count: number
}

const counted = new WeakMap<object, Writes>()
/** Whether any values are counted: a program that only trains need not look each time. */
let counting = false
const handedOut = new WeakSet<object>()

/**
 * The wholes of which some arrays are parts. Arrays' buffers would tell, but small arrays have none until somebody asks,
 * which takes longer than all else that is done for a prediction's few numbers.
 */
const wholes = new WeakMap<object, object>()

const memoryOf = (values: Buf): object => wholes.get(values) ?? values

/** Elements `start` to `end` of a tensor's values, sharing their memory. */
export function partOf<A extends Float32Array | Int32Array>(values: A, start: number, end: number): A {
  const part = values.subarray(start, end) as A
  wholes.set(part, memoryOf(values))
  return part
}

/** The count of these values, which goes on. */
export function writesTo(values: Buf): Writes {
  let writes = counted.get(memoryOf(values))
  if (!writes) {
    counting = true
    writes = { count: 0 }
    counted.set(memoryOf(values), writes)
  }
  return writes
}

/** The library writes, or has written, to these values. */
export function noteWrite(values: Buf): void {
  const writes = counting && counted.get(memoryOf(values))
  if (writes) writes.count++
}

/** A user has the array: from now on it may be written without a note. */
export function noteHandedOut(values: Buf): void {
  handedOut.add(memoryOf(values))
}

export function isHandedOut(values: Buf): boolean {
  return handedOut.has(memoryOf(values))
}
