/** Long arrays to and against native memory, a slice at a time, so that others may run in between. */

import { AnnealError, phrase } from '../base/errors.js'
import type { TypedArray } from '../native/types.js'

/** Elements per slice: half a megabyte, which takes a millisecond where its memory is touched for the first time. */
const SLICE = 2 ** 17

interface Target {
  write(offset: number, values: TypedArray): void
}

/** Writes `values` from `offset` on; yields after every slice. Throws ERR_DETACHED where they are taken away meanwhile. */
export function* writeSlices(to: Target, offset: number, values: TypedArray): Generator<void, void> {
  const { length } = values
  for (let at = 0; at < length; at += SLICE) {
    if (values.length !== length) throw detachedError(length, values.length)
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

/** Memory that a plan reads or writes is no longer there. */
export function detachedError(expected: number, received: number): AnnealError {
  const wanted = `memory of ${expected} elements to stay as it is while it trains`
  return new AnnealError('ERR_DETACHED', phrase('fit', wanted, `${received}: it was transferred or resized`))
}
