/**
 * Plans that nobody runs at the moment, for whoever records the same programs again. The recording itself is the key: a
 * model that was edited records something else, so nothing has to be invalidated, and a plan holds no model. Not here:
 * what a recording is (program.ts) or how it becomes a plan (compiled.ts).
 */

import { CompiledPlan, Placement } from './compiled.js'
import type { DataForm, Origin, Recording, Slot, SlotCall } from './program.js'

/**
 * A plan of more bytes is kept until the event loop turns only: next to running it, making it again costs nothing, but
 * in a loop that never lets go, the memory of the old ones would not be freed.
 */
const MAX_BYTES = 4 * 2 ** 20
/** Plans kept, the longest unused going first. */
const MAX_IDLE = 16

/** A plan in somebody's hands. */
export interface Taken {
  readonly key: string
  readonly plan: CompiledPlan
}

const idle: Taken[] = []

/** How often plans were made and taken again, for tests. */
export const poolCounts = { made: 0, reused: 0 }

/**
 * A plan of these programs over data sets of this form, for the caller alone: the `present` one where it fits, which
 * then holds what it held; else that one goes back.
 */
export function takePlan(
  recordings: readonly Recording[],
  data: readonly DataForm[],
  present: Taken | null = null,
): Taken {
  const key = keyOf(recordings, data)
  if (present?.key === key) return present
  if (present) returnPlan(present)
  const at = idle.findLastIndex(kept => kept.key === key)
  if (at >= 0) {
    poolCounts.reused++
    return idle.splice(at, 1)[0]
  }
  poolCounts.made++
  return { key, plan: new CompiledPlan(new Placement(recordings), data) }
}

/** The end of the caller's use. */
export function returnPlan(taken: Taken): void {
  idle.push(taken)
  if (idle.length > MAX_IDLE) idle.shift()
  if (taken.plan.bytes > MAX_BYTES) setImmediate(drop, taken).unref()
}

function drop(taken: Taken): void {
  const at = idle.indexOf(taken)
  if (at >= 0) idle.splice(at, 1)
}

/** Everything that a plan depends on, as text: recordings number their slots in order, so equal ones read the same. */
function keyOf(recordings: readonly Recording[], data: readonly DataForm[]): string {
  const sets = data.map(({ rows, columns }) => [rows, ...columns.map(c => `${c.column} ${c.dtype} ${c.width}`)].join())
  return [...sets, ...recordings.map(recordingText)].join('\n')
}

function recordingText({ calls, advance, dataSet }: Recording): string {
  const known = new Set<Slot>()
  const { order, rows, losses, counts, draws } = advance
  let text = `${dataSet} ${order} ${rows} ${losses} ${counts} ${draws}`
  for (const call of calls) text += callText(call, known)
  return text
}

function callText({ kernel, buffers, dims, scalars }: SlotCall, known: Set<Slot>): string {
  let text = `;${kernel}`
  for (const slot of buffers) text += slot ? ` ${slotText(slot, known)}` : ' -'
  return `${text}|${dims.join(' ')}|${numbersText(scalars)}`
}

/** Numbers as they are, the sign of zero too. */
function numbersText(numbers: readonly number[]): string {
  return numbers.map(n => (Object.is(n, -0) ? '-0' : String(n))).join(' ')
}

/** A slot by its number, and in full where it comes first. */
function slotText(slot: Slot, known: Set<Slot>): string {
  if (known.has(slot)) return String(slot.id)
  known.add(slot)
  const { id, dtype, length, origin } = slot
  return `${id}:${dtype} ${length} ${originText(origin, known)}`
}

function originText(origin: Origin, known: Set<Slot>): string {
  if (origin.kind === 'temp') return 'temp'
  if (origin.kind === 'slice') return `slice ${slotText(origin.of, known)} ${origin.start}`
  if (origin.kind === 'constant') return `constant ${numbersText(origin.values)}`
  return Object.values(origin).join(' ')
}
