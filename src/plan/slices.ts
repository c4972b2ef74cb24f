/** Long arrays to and against native memory, a slice at a time, so that others may run in between. */

import { AnnealError, phrase } from '../base/errors.js'
import type { StoredArray, TypedArray } from '../native/types.js'

/** Elements per slice: half a megabyte, which takes a millisecond where its memory is touched for the first time. */
const SLICE = 2 ** 17

interface Target<A> {
  write(offset: number, values: A): void
}

/** Writes `values` from `offset` on; yields after every slice. Throws ERR_DETACHED where they are taken away meanwhile. */
export function* writeSlices<A extends TypedArray | StoredArray>(
  to: Target<A>,
  offset: number,
  values: A,
): Generator<void, void> {
  const { length } = values
  for (let at = 0; at < length; at += SLICE) {
    if (values.length !== length) throw detachedError(length, values.length)
    to.write(offset + at, values.subarray(at, at + SLICE) as A)
    yield
  }
}

interface Source {
  holds(offset: number, values: StoredArray): boolean
}

/** Whether `values` are what it holds, bit for bit; yields after every slice. */
export function* holdsSlices(store: Source, values: StoredArray): Generator<void, boolean> {
  for (let at = 0; at < values.length; at += SLICE) {
    if (!store.holds(at, values.subarray(at, at + SLICE))) return false
    yield
  }
  return true
}

/** Memory that a plan reads or writes is no longer there. */
export function detachedError(expected: number, received: number): AnnealError {
  const wanted = `memory of ${expected} elements to stay as it is while it trains`
  return new AnnealError('ERR_DETACHED', phrase('fit', wanted, `${received}: it was transferred or resized`))
}
