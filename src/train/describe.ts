/** A program as text: its calls with shapes and bytes, and what was fused into what. Not here: making it. */

import { addon } from '../native/addon.js'
import type { Physical, PhysicalCall } from '../plan/layout.js'
import type { Placement } from '../plan/placement.js'
import type { Batch, Recording, SlotCall } from '../plan/program.js'
import { isLocal, type PlacedCall } from '../plan/ranks.js'
import { type Row, textTable } from '../report/index.js'

/** What the arrays of a recording's memory and the columns of its data are called, by number. */
export interface Names {
  readonly memory: ReadonlyMap<number, string>
  readonly columns: readonly string[]
}

const BYTES = { float32: 4, int32: 4, float64: 8 } as const

/** `1.5 KiB`. */
export function bytesText(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`
  const kib = bytes / 1024
  return kib < 1024 ? `${kib.toFixed(1)} KiB` : `${(kib / 1024).toFixed(1)} MiB`
}

/** `linear_fwd + relu_fwd`, equal ones counted. */
function listOf(kernels: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const kernel of kernels) counts.set(kernel, (counts.get(kernel) ?? 0) + 1)
  return [...counts].map(([kernel, count]) => (count === 1 ? kernel : `${kernel} ×${count}`)).join(' + ')
}

/** What was fused into what, and what was left out, a line each. */
export function fusionLines({ calls: recorded }: Recording, calls: readonly PlacedCall[]): string[] {
  const kernels = (parts: readonly SlotCall[]) => listOf(parts.map(({ kernel }) => kernel))
  const made = calls.flatMap(call => (call.kind === 'kernel' ? [call] : []))
  const fused = made.filter(({ from }) => from.length > 1)
  const used = new Set(made.flatMap(({ from }) => from))
  const dropped = recorded.filter(call => !used.has(call))
  const lines = fused.map(({ kernel, from }) => `${kernel} = ${kernels(from)}`)
  return [...lines, ...(dropped.length ? [`left out: ${kernels(dropped)}`] : [])]
}

function nameOf({ slot, within }: Physical, names: Names): string {
  const { origin, id } = slot
  if (within) return `${nameOf(within.base, names)}[${within.start}…]`
  if (origin.kind === 'memory') return names.memory.get(origin.index) ?? `memory ${origin.index}`
  if (origin.kind === 'batch') return names.columns[origin.column]
  if (origin.kind === 'temp') return `t${id}`
  return origin.kind === 'constant' ? `[${origin.values.join(' ')}]` : origin.kind
}

/** The dims of a call; those of a gather, whose data are not known, from what it makes. */
function sizesOf(call: PhysicalCall): string {
  if (call.kind === 'kernel')
    return Object.entries(call.dims)
      .map(([dim, size]) => `${dim} ${size}`)
      .join(', ')
  const { rows, width } = call.buffers.x.slot.origin as Batch
  return `m ${rows}, k ${width}`
}

function rowOf(call: PhysicalCall, i: number, names: Names): Row {
  const buffers = call.buffers as Readonly<Record<string, Physical | undefined>>
  const present = addon.signatures[call.kernel].buffers.flatMap(({ name, role }) => {
    const buffer = buffers[name]
    return buffer ? [{ buffer, out: role !== 'in' }] : []
  })
  const namesIn = (out: boolean) => {
    const side = present.filter(other => other.out === out)
    return side.map(({ buffer }) => nameOf(buffer, names)).join(', ')
  }
  const bytes = present.reduce((sum, { buffer }) => sum + BYTES[buffer.dtype] * buffer.length, 0)
  return { '#': i + 1, kernel: call.kernel, sizes: sizesOf(call), reads: namesIn(false), writes: namesIn(true), bytes }
}

/** One program of a plan placed for one process, and its recording. */
export function describeProgram(recording: Recording, placement: Placement, program: number, names: Names): string {
  const calls = placement.programs[program].calls.filter(isLocal)
  const held = placement.stored.reduce((sum, { dtype, length }) => sum + BYTES[dtype] * length, 0)
  const memory = `${bytesText(held)} of weights, state and constants, ${bytesText(addon.format.word * placement.size - held)} for each step's values`
  return [
    `${calls.length} calls from ${recording.calls.length} recorded; ${memory}`,
    '',
    textTable(calls.map((call, i) => rowOf(call, i, names))),
    '',
    'fusions:',
    ...fusionLines(recording, calls).map(line => `  ${line}`),
  ].join('\n')
}
