/** How much a recorded step computes, before anything was measured: sets the first chunk, and where it runs. */

import type { Slot, SlotCall } from '../plan/program.js'

/** Multiplications and additions that take as long as one value going through memory and a function of it. */
const PER_VALUE = 8

/** Values that a call reads and writes, and the multiplications and additions of a product. */
function workOfCall({ kernel, buffers, dims }: SlotCall): number {
  const values = Object.values<Slot | null>(buffers).reduce((sum, slot) => sum + (slot?.length ?? 0), 0)
  const sums = kernel.startsWith('linear') ? Object.values<number>(dims).reduce((product, dim) => product * dim, 2) : 0
  return PER_VALUE * values + sums
}

/** Of all calls, in multiplications and additions. */
export function workOf(calls: readonly SlotCall[]): number {
  return calls.reduce((sum, call) => sum + workOfCall(call), 1)
}
