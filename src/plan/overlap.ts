/**
 * Exchanges begin as soon as what they send is there, and are waited for when somebody needs what they bring: what lies
 * between is computed meanwhile. The order is the same on every rank. Not here: which exchanges there are (ranks.ts).
 */

import { addon } from '../native/addon.js'
import type { Physical } from './layout.js'
import type { PlacedCall } from './ranks.js'

interface Access {
  readonly reads: ReadonlySet<Physical>
  readonly writes: ReadonlySet<Physical>
}

const baseOf = (buffer: Physical) => buffer.within?.base ?? buffer

/** The buffers that a call reads and writes, parts as the buffers they are of. */
function accessOf(call: PlacedCall): Access {
  if (call.kind === 'gather') return { reads: new Set(), writes: new Set([baseOf(call.buffers.x)]) }
  if (call.kind !== 'kernel') {
    const { from, to } = call.buffers
    return { reads: new Set([baseOf(from)]), writes: new Set([baseOf(to)]) }
  }
  const [reads, writes] = [new Set<Physical>(), new Set<Physical>()]
  for (const { name, role } of addon.signatures[call.kernel].buffers) {
    const buffer = call.buffers[name]
    if (!buffer) continue
    if (role !== 'out') reads.add(baseOf(buffer))
    if (role !== 'in') writes.add(baseOf(buffer))
  }
  return { reads, writes }
}

const meet = (a: ReadonlySet<Physical>, b: ReadonlySet<Physical>) => [...a].some(buffer => b.has(buffer))

/** Whether two calls may change places. */
function areFree(a: Access, b: Access): boolean {
  return !meet(a.writes, b.writes) && !meet(a.writes, b.reads) && !meet(a.reads, b.writes)
}

/** Moves a call by one place at a time, up or down, past those that it has nothing to do with. */
function moved(calls: readonly PlacedCall[], call: PlacedCall, by: -1 | 1): PlacedCall[] {
  const out = [...calls]
  const access = accessOf(call)
  let at = out.indexOf(call)
  for (let next = out[at + by]; next && areFree(access, accessOf(next)); next = out[at + by]) {
    out[at] = next
    out[at + by] = call
    at += by
  }
  return out
}

export function overlapped(calls: readonly PlacedCall[]): readonly PlacedCall[] {
  let out = [...calls]
  for (const call of calls) if (call.kind === 'exchange') out = moved(out, call, -1)
  for (const call of calls.toReversed()) if (call.kind === 'arrival') out = moved(out, call, 1)
  return out
}
