/**
 * Plans that nobody runs at the moment, for whoever records the same programs again. The recording itself is the key: a
 * model that was edited records something else, so nothing has to be invalidated, and a plan holds no model. Not here:
 * what a recording is (program.ts) or how it becomes a plan (compiled.ts).
 */

import type { World } from '../distributed/world.js'
import { CompiledPlan } from './compiled.js'
import { Placement } from './placement.js'
import { type DataForm, type Recording, type Slot, type SlotCall, storedType } from './program.js'

/**
 * A plan of more bytes is kept until the event loop turns only: next to running it, making it again costs nothing, but
 * in a loop that never lets go, the memory of the old ones would not be freed.
 */
const MAX_BYTES = 4 * 2 ** 20
/** Plans kept, the longest unused going first. */
const MAX_IDLE = 16

/** A plan in somebody's hands. */
export interface Taken {
  readonly key: Key
  readonly plan: CompiledPlan
}

const idle: Taken[] = []

/** How often plans were made and taken again, for tests. */
export const poolCounts = { made: 0, reused: 0 }

/** Whether a plan is kept under this key. */
export function isKept(key: Key): boolean {
  return idle.some(kept => sameKey(kept.key, key))
}

/** What `takePlan` is told of a plan. */
interface Wanted {
  readonly key: Key
  readonly recordings: readonly Recording[]
  readonly forms: readonly DataForm[]
  /** The memory, by number, that others read meanwhile. */
  readonly published: readonly number[]
  /** The processes that share the work, if there are several; the key says how many. */
  readonly world: World | undefined
}

/**
 * A plan of these programs over data sets of this form, for the caller alone: the `present` one where it fits, which
 * then holds what it held; else that one goes back.
 */
export function takePlan({ key, recordings, forms, published, world }: Wanted, present: Taken | null = null): Taken {
  if (present && sameKey(present.key, key)) return present
  if (present) returnPlan(present)
  const at = idle.findLastIndex(kept => sameKey(kept.key, key))
  if (at >= 0) {
    poolCounts.reused++
    return idle.splice(at, 1)[0]
  }
  poolCounts.made++
  return {
    key,
    plan: new CompiledPlan(new Placement(recordings, forms, published, world), forms, { world: world?.native }),
  }
}

/** The end of the caller's use. */
export function returnPlan(taken: Taken): void {
  taken.plan.giveBack()
  idle.push(taken)
  if (idle.length > MAX_IDLE) idle.shift()
  if (taken.plan.bytes > MAX_BYTES) setImmediate(drop, taken).unref()
}

function drop(taken: Taken): void {
  const at = idle.indexOf(taken)
  if (at >= 0) idle.splice(at, 1)
}

/** Everything that a plan depends on, one thing after the other. */
export type Key = readonly (number | string)[]

export function sameKey(a: Key, b: Key): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false // the sign of zero counts
  return true
}

/** Recordings number their slots in order, so equal ones read the same. */
export function keyOf(
  recordings: readonly Recording[],
  data: readonly DataForm[],
  published: readonly number[],
  ranks = 1,
): Key {
  const key: (number | string)[] = [ranks, data.length, recordings.length, published.length, ...published]
  for (const { rows, columns } of data) {
    key.push(rows, columns.length)
    for (const column of columns) {
      const { dtype, width, narrow } = column
      key.push(column.column, dtype, width, storedType(column), narrow?.scale ?? 1)
    }
  }
  for (const recording of recordings) addRecording(key, recording)
  return key
}

function addRecording(key: (number | string)[], { calls, advance, dataSet }: Recording): void {
  const known = new Set<Slot>()
  const { order, scalars, losses, counts, draws } = advance
  key.push(dataSet, order, scalars, losses, counts, draws, calls.length)
  for (const call of calls) addCall(key, call, known)
}

function addCall(key: (number | string)[], { kernel, buffers, dims, scalars }: SlotCall, known: Set<Slot>): void {
  key.push(kernel)
  for (const slot of Object.values<Slot | null>(buffers)) {
    if (slot) addSlot(key, slot, known)
    else key.push(-1)
  }
  for (const dim of Object.values<number>(dims)) key.push(dim)
  for (const scalar of Object.values<number>(scalars)) key.push(scalar)
}

/** A slot by its number, and in full where it comes first. */
function addSlot(key: (number | string)[], slot: Slot, known: Set<Slot>): void {
  key.push(slot.id)
  if (known.has(slot)) return
  known.add(slot)
  const { origin } = slot
  key.push(slot.dtype, slot.length, origin.kind)
  if (origin.kind === 'slice') {
    addSlot(key, origin.of, known)
    key.push(origin.start)
  } else if (origin.kind === 'constant') for (const value of origin.values) key.push(value)
  else if (origin.kind === 'batch') key.push(origin.column, origin.start, origin.rows, origin.width)
  else if (origin.kind === 'memory' || origin.kind === 'input') key.push(origin.index)
  else if ('offset' in origin) key.push(origin.offset)
}
