/** Long arrays to and against native memory, a slice at a time, so that others may run in between. */

import type { TypedArray } from '../native/types.js'

/** Elements per slice: half a megabyte, which takes a millisecond where its memory is touched for the first time. */
const SLICE = 2 ** 17

interface Target {
  write(offset: number, values: TypedArray): void
}

/** Writes `values` from `offset` on; yields after every slice. */
export function* writeSlices(to: Target, offset: number, values: TypedArray): Generator<void, void> {
  for (let at = 0; at < values.length; at += SLICE) {
    to.write(offset + at, values.subarray(at, at + SLICE))
    yield
  }
}

interface Source {
  holds(offset: number, values: TypedArray): boolean
}

/** Whether `values` are what it holds, bit for bit; yields after every slice. */
export function* holdsSlices(store: Source, values: TypedArray): Generator<void, boolean> {
  for (let at = 0; at < values.length; at += SLICE) {
    if (!store.holds(at, values.subarray(at, at + SLICE))) return false
    yield
  }
  return true
}
