/** A program as text: its calls with shapes and bytes, and what was fused into what. Not here: making it. */

import { addon } from '../native/addon.js'
import type { Placement } from '../plan/compiled.js'
import { fuse } from '../plan/fuse.js'
import type { Physical, PhysicalCall } from '../plan/layout.js'
import type { Recording, Slot, SlotCall } from '../plan/program.js'
import { type Row, textTable } from '../report/index.js'

/** What the arrays of a recording's memory and the columns of its data are called, by number. */
export interface Names {
  readonly memory: ReadonlyMap<number, string>
  readonly columns: readonly string[]
}

const BYTES = { float32: 4, int32: 4, float64: 8 } as const

function isWritten(kernel: string, i: number): boolean {
  return addon.signatures[kernel].buffers[i].role !== 'in'
}

/** Slots that a call writes. */
function written({ kernel, buffers }: SlotCall): Slot[] {
  return buffers.filter((slot, i): slot is Slot => slot !== null && isWritten(kernel, i))
}

function bytesText(bytes: number): string {
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

/**
 * The recorded calls that each fused one stands for: those that made its results, through slots that are gone. Some
 * fused kernels exist in panels only and have no roles: they make the values that nobody has named before them, and what
 * outlives the step if no other call writes it.
 */
function partsOf(recorded: readonly SlotCall[], fused: readonly SlotCall[]): Map<SlotCall, Set<SlotCall>> {
  const makers = new Map<Slot, SlotCall[]>()
  for (const call of recorded) for (const slot of written(call)) makers.set(slot, [...(makers.get(slot) ?? []), call])
  const hasRoles = ({ kernel }: SlotCall) => kernel in addon.signatures
  const named = new Set<Slot>()
  const made = new Set(fused.filter(hasRoles).flatMap(written))
  const results = new Map<SlotCall, Slot[]>()
  for (const call of fused) {
    const slots = call.buffers.filter((slot): slot is Slot => slot !== null)
    const makes = (slot: Slot) => makers.has(slot) && !made.has(slot) && !named.has(slot)
    results.set(call, hasRoles(call) ? written(call) : slots.filter(makes))
    for (const slot of slots) if (slot.origin.kind === 'temp') named.add(slot)
  }
  const values = new Set([...results.values()].flat())
  return new Map([...results].map(([call, slots]) => [call, madeBy(slots, makers, values)]))
}

/** The calls that made these slots, and what those were made from as far as nobody else makes it. */
function madeBy(slots: readonly Slot[], makers: Map<Slot, SlotCall[]>, values: Set<Slot>): Set<SlotCall> {
  const found = new Set(slots.flatMap(slot => makers.get(slot) ?? []))
  for (const { buffers } of found) {
    for (const input of buffers) {
      if (input?.origin.kind === 'temp' && !values.has(input))
        for (const maker of makers.get(input) ?? []) found.add(maker)
    }
  }
  return found
}

function fusionLines({ calls }: Recording): string[] {
  const fused = fuse(calls)
  const parts = partsOf(calls, fused)
  const merged = [...parts].filter(([, from]) => from.size > 1)
  const inOrder = (from: Set<SlotCall>) => calls.filter(call => from.has(call)).map(({ kernel }) => kernel)
  const lines = merged.map(([{ kernel }, from]) => `${kernel} = ${listOf(inOrder(from))}`)
  const used = new Set([...parts.values()].flatMap(from => [...from]))
  const dropped = calls.filter(call => !used.has(call))
  return [...lines, ...(dropped.length ? [`left out: ${listOf(dropped.map(({ kernel }) => kernel))}`] : [])]
}

function nameOf({ slot, within }: Physical, names: Names): string {
  const { origin, id } = slot
  if (within) return `${nameOf(within.base, names)}[${within.start}…]`
  if (origin.kind === 'memory') return names.memory.get(origin.index) ?? `memory ${origin.index}`
  if (origin.kind === 'batch') return names.columns[origin.column]
  if (origin.kind === 'temp') return `t${id}`
  return origin.kind === 'constant' ? `[${origin.values.join(' ')}]` : origin.kind
}

/** The dims of a call; those of a gather, which has none before its data are known, from what it makes. */
function sizesOf({ kernel, dims, buffers }: PhysicalCall): string {
  const origin = buffers.at(-1)?.slot.origin
  if (dims.length === 0 && origin?.kind === 'batch') return `m ${origin.rows}, k ${origin.width}`
  return addon.signatures[kernel].dims.map((dim, d) => `${dim} ${dims[d]}`).join(', ')
}

function rowOf(call: PhysicalCall, i: number, names: Names): Row {
  const { kernel, buffers } = call
  const present = buffers.flatMap((buffer, place) => (buffer ? [{ buffer, out: isWritten(kernel, place) }] : []))
  const namesIn = (out: boolean) => {
    const side = present.filter(other => other.out === out)
    return side.map(({ buffer }) => nameOf(buffer, names)).join(', ')
  }
  const bytes = present.reduce((sum, { buffer }) => sum + BYTES[buffer.dtype] * buffer.length, 0)
  return { '#': i + 1, kernel, sizes: sizesOf(call), reads: namesIn(false), writes: namesIn(true), bytes }
}

/** One program of a placed plan, and its recording. */
export function describeProgram(recording: Recording, placement: Placement, program: number, names: Names): string {
  const { calls } = placement.programs[program]
  const held = placement.homes.reduce((sum, { dtype, length }) => sum + BYTES[dtype] * length, 0)
  const memory = `${bytesText(held)} of weights, state and constants, ${bytesText(4 * placement.size - held)} for each step's values`
  return [
    `${calls.length} calls from ${recording.calls.length} recorded; ${memory}`,
    '',
    textTable(calls.map((call, i) => rowOf(call, i, names))),
    '',
    'fusions:',
    ...fusionLines(recording).map(line => `  ${line}`),
  ].join('\n')
}
