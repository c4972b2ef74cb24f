/**
 * Who may have written a tensor's values since they were looked at: for those who keep a copy of weights in another form.
 * Told apart by the array with the values, which tensors may share. Not here: such copies.
 */

import type { Buf } from '../emitters/emitter.js'

/** Counts the writes of the library to some values, from the first time that somebody asks. */
export interface Writes {
  count: number
}

const counted = new WeakMap<Buf, Writes>()
const handedOut = new WeakSet<Buf>()

/** The count of these values, which goes on. */
export function writesTo(values: Buf): Writes {
  let writes = counted.get(values)
  if (!writes) {
    writes = { count: 0 }
    counted.set(values, writes)
  }
  return writes
}

/** The library writes, or has written, to these values. */
export function noteWrite(values: Buf): void {
  const writes = counted.get(values)
  if (writes) writes.count++
}

/** A user has the array: from now on it may be written without a note. */
export function noteHandedOut(values: Buf): void {
  handedOut.add(values)
}

export function isHandedOut(values: Buf): boolean {
  return handedOut.has(values)
}
