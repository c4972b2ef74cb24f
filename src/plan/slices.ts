/** Long arrays into native memory, a slice at a time, so that others may run in between. */

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
