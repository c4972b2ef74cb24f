/**
 * Which two calls of a step prefetch: the last kernel that reads a batch puts the next step's in its place while it computes,
 * so that from the second step on the gather is left out. Proven by native/plan; not here: when there is a next step.
 */

import { addon } from '../native/addon.js'
import { cpu } from '../native/cpu.js'
import type { Gather, KernelCall } from './layout.js'
import type { Batch, DataForm } from './program.js'
import type { PlacedCall } from './ranks.js'

/** A gather and the kernel that fetches in its place. */
export interface Prefetch {
  readonly gather: Gather
  readonly reader: KernelCall
}

/** Floats of a set that is too large to be near, and of a row that has many cache lines. */
const LEAST_SET = cpu.nearFloats
const LEAST_ROW = 128
/** Outputs of a product that takes so long that a gather is nothing beside it. */
const MOST_OUTPUTS = 512

/** The calls of a program that should prefetch, where fetching is worth it; the batch's memory must then be its own. */
export function prefetchOf(calls: readonly PlacedCall[], set: DataForm | undefined): Prefetch | null {
  for (const call of set ? calls : []) {
    const found = call.kind === 'gather' && call.kernel === 'gather_panels' ? readerOf(call, calls, set!) : null
    if (found) return found
  }
  return null
}

function readerOf(gather: Gather, calls: readonly PlacedCall[], set: DataForm): Prefetch | null {
  const { x } = gather.buffers
  const { rows, width } = x.slot.origin as Batch
  const reader = calls.findLast(call => Object.values<unknown>(call.buffers).includes(x))
  if (set.rows * width < LEAST_SET || width < LEAST_ROW || reader?.kind !== 'kernel') return null
  const { kernel, buffers, dims } = reader
  const fits = buffers.x === x && Object.values(buffers).filter(buffer => buffer === x).length === 1
  if (!addon.signatures[kernel].prefetches || !fits || dims.m !== rows || dims.n > MOST_OUTPUTS) return null
  return { gather, reader }
}
