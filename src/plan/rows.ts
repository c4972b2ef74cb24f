/**
 * Programs for any number of rows: the same calls recorded for two numbers of rows differ in the dims that go with the rows,
 * and in nothing else, or it is no such program. Not here: running them (native/plan/program.h).
 */

import { Unplannable } from '../emitters/unplannable.js'
import type { KernelCall, Physical, PhysicalCall } from './layout.js'
import type { Rows } from './program.js'

const refused = (what: string) => new Unplannable(`${what} with the number of rows`)

/** What a dim is per row; 0 where it is the same for both numbers of rows. */
function perRow(dim: number, other: number, { most, fewer }: Rows): number {
  if (dim === other) return 0
  if (dim % most !== 0 || dim / most !== other / fewer) throw refused('a size does not grow')
  return dim / most
}

/** Whether buffers are the same but for their lengths. */
function alike(a: Physical | undefined, b: Physical | undefined): boolean {
  if (!a || !b) return a === b
  if (a.dtype !== b.dtype || a.slot.origin.kind !== b.slot.origin.kind || a.within?.start !== b.within?.start)
    return false
  const [mine, others] = [a.slot.origin, b.slot.origin]
  return mine.kind !== 'constant' || others.kind !== 'constant' || mine.values.join() === others.values.join()
}

function isKernel(call: PhysicalCall): call is KernelCall {
  return call.kind === 'kernel'
}

function pair(call: PhysicalCall, other: PhysicalCall, rows: Rows): KernelCall {
  if (!isKernel(call) || !isKernel(other) || call.kernel !== other.kernel) throw refused('the kernels change')
  const names = new Set([...Object.keys(call.buffers), ...Object.keys(other.buffers)])
  for (const name of names) if (!alike(call.buffers[name], other.buffers[name])) throw refused('buffers change')
  for (const [name, scalar] of Object.entries(call.scalars))
    if (!Object.is(scalar, other.scalars[name])) throw refused('a number changes')
  const dims = Object.entries(call.dims).map(([name, dim]) => [name, perRow(dim, other.dims[name], rows)] as const)
  return { ...call, perRow: Object.fromEntries(dims.filter(([, each]) => each > 0)) }
}

/** The calls with their dims per row. Throws Unplannable where more than sizes depends on the number of rows. */
export function withRows(
  calls: readonly PhysicalCall[],
  others: readonly PhysicalCall[],
  rows: Rows,
): readonly PhysicalCall[] {
  if (calls.length !== others.length) throw refused('the kernels change')
  return calls.map((call, i) => pair(call, others[i], rows))
}
