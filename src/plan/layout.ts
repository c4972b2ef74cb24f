/**
 * Layouts: fused calls become calls on physical buffers. The layout that a kernel wants of an operand is in its line of
 * kernels.def: `[m,k^]` are panels, `[m^,k]` have the rows as lanes, all else is row-major. Elementwise kernels take whatever
 * their operands have; conversions appear only where two layouts meet.
 */

import { addon } from '../native/addon.js'
import type { BufferSignature, KernelName } from '../native/types.js'
import type { Fused } from './fuse.js'
import { type Form, formsOf, PANEL } from './narrow.js'
import {
  type Batch,
  type ElementType,
  identity,
  type Origin,
  originsOf,
  type Slot,
  type SlotCall,
  storedType,
} from './program.js'

type Sizes = Readonly<Record<string, number>>

/** How a slot is laid out in memory: `key` tells layouts apart, `length` counts elements with padding. */
export interface Layout {
  readonly key: string
  readonly length: number
  /** The conversions from and to row-major: kernels and dims. None for row-major itself. */
  readonly pack?: { readonly kernel: KernelName; readonly inverse: KernelName; readonly dims: Sizes }
  /** The key of the transpose in the other layout, and the dims of `transpose_panels` from there. */
  readonly transposed?: { readonly key: string; readonly dims: Sizes }
}

/** A slot in one layout. */
export interface Physical {
  readonly slot: Slot
  readonly dtype: ElementType
  readonly length: number
  readonly layout: Layout
  /** Set where this is part of another buffer. */
  readonly within?: { readonly base: Physical; readonly start: number }
}

/** A kernel call whose buffers are placed in layouts. */
export interface KernelCall {
  readonly kind: 'kernel'
  readonly kernel: KernelName
  /** By name; none where an optional one is absent. */
  readonly buffers: Readonly<Record<string, Physical>>
  readonly dims: Sizes
  readonly scalars: Sizes
  /** The recorded calls that it stands for; none for a conversion. */
  readonly from: readonly SlotCall[]
  /** The dims that go with the rows: so much for each. */
  readonly perRow?: Sizes
}

/** Rows of a data set, by the order of the step, put into a buffer. Set and order are known when it is encoded. */
export interface Gather {
  readonly kind: 'gather'
  readonly kernel: KernelName
  readonly buffers: { readonly x: Physical }
}

export type PhysicalCall = KernelCall | Gather

const padded = (n: number) => Math.ceil(n / PANEL) * PANEL

const ROW_MAJOR = 'row-major'

export function rowMajor(length: number): Layout {
  return { key: ROW_MAJOR, length }
}

/** [m, f] as [f/16][m][16]. A bias is one row. */
function panels(m: number, f: number): Layout {
  const pack = { kernel: 'pack_panels', inverse: 'unpack_panels', dims: { m, k: f } } as const
  return {
    key: `panels ${m}x${f}`,
    length: m * padded(f),
    pack,
    transposed: { key: `lanes ${m}x${f}`, dims: { m, n: f } },
  }
}

/** [n, k] as [n/16][k][16], its rows as lanes: weights, whose rows are outputs, and samples of narrow models. */
function lanes(n: number, k: number): Layout {
  const pack = { kernel: 'pack_weight_panels', inverse: 'unpack_weight_panels', dims: { n, k } } as const
  return {
    key: `lanes ${n}x${k}`,
    length: padded(n) * k,
    pack,
    transposed: { key: `panels ${n}x${k}`, dims: { m: k, n } },
  }
}

/** The layout of an operand by its brackets; undefined for row-major. */
function layoutOf({ dims, padded }: BufferSignature, sizes: Sizes): Layout | undefined {
  if (!padded.includes(true)) return undefined
  const [n, k] = dims.length === 1 ? [1, sizes[dims[0]]] : dims.map(dim => sizes[dim])
  return padded[padded.length - 1] ? panels(n, k) : lanes(n, k)
}

/** Whether every float32 buffer of a kernel has its one dim as length, so that any common layout will do. */
export function isElementwise(kernel: KernelName): boolean {
  const { dims, buffers } = addon.signatures[kernel]
  return (
    dims.length === 1 &&
    buffers.every(b => (b.dtype !== 'float32' ? b.dims.length === 0 && b.role === 'in' : b.dims.length === 1))
  )
}

/** Numbers that others read or bring as they are. */
const rowMajorOnly: ReadonlySet<Origin['kind']> = new Set(['losses', 'slice', 'output'])

/** Kernels that gather rows of a data set, one for each layout and dtype of what they make, and type of what they read. */
const gathers = (Object.keys(addon.signatures) as KernelName[]).filter(kernel => kernel.startsWith('gather_'))

/** Goes through the calls in order, choosing layouts and inserting conversions and gathers. */
export class LayoutPass {
  readonly #calls: PhysicalCall[] = []
  /** Valid copies of each buffer, by layout. */
  readonly #copies = new Map<unknown, Map<string, Physical>>()

  /** `stored`: memory and constants as they are kept, shared by the programs of a plan; this pass adds what it meets first. */
  constructor(private readonly stored: Map<unknown, Physical>) {}

  run({ calls, narrow }: Fused): PhysicalCall[] {
    for (const call of calls) this.#lower(call, narrow)
    for (const [id, kept] of this.stored) this.#bringBack(id, kept)
    return this.#calls
  }

  #lower(call: SlotCall, narrow: boolean): void {
    const form = formsOf(call.kernel, call.dims, narrow).find(candidate => this.#applies(candidate, call))
    const common = isElementwise(call.kernel) ? this.#commonLayout(call) : undefined
    const from = originsOf(call)
    if (form) this.#place({ ...call, kernel: form.kernel, scalars: form.scalars ?? call.scalars } as SlotCall, from)
    else this.#place(call, from, common)
  }

  #applies({ kernel, follows }: Form, { buffers, dims }: SlotCall): boolean {
    if (!follows) return true
    const [first] = addon.signatures[kernel].buffers
    const slot = (buffers as Record<string, Slot>)[first.name]
    return this.#copiesOf(slot).has(layoutOf(first, dims)!.key)
  }

  /** The panels that an elementwise call's first operand is in; undefined where row-major will do. */
  #commonLayout({ buffers, dims }: SlotCall): Layout | undefined {
    const slots = Object.values(buffers).filter((slot): slot is Slot => Boolean(slot))
    const [n] = Object.values(dims)
    if (slots.some(({ origin }) => rowMajorOnly.has(origin.kind))) return undefined
    for (const slot of slots) {
      if (slot.dtype !== 'float32' || slot.length !== n) continue
      const copies = this.#copiesOf(slot)
      if (copies.size > 0 && !copies.has(ROW_MAJOR)) return [...copies.values()][0].layout
    }
    return undefined
  }

  /** `common`: the layout of all its float32 buffers. */
  #place(call: SlotCall, from: readonly SlotCall[], common?: Layout): void {
    const { buffers: signature, dims: names } = addon.signatures[call.kernel]
    const slots = call.buffers as Readonly<Record<string, Slot | null | undefined>>
    const present = signature.flatMap(buffer => {
      const slot = slots[buffer.name]
      if (!slot) return []
      const wanted = common && slot.dtype === 'float32' ? common : layoutOf(buffer, call.dims)
      return [{ ...buffer, slot, layout: wanted ?? rowMajor(slot.length) }]
    })
    const buffers: Record<string, Physical> = {}
    for (const { name, role, slot, layout } of present) if (role !== 'out') buffers[name] = this.#need(slot, layout)
    for (const { name, role, slot, layout } of present) {
      if (role === 'in') continue
      buffers[name] = this.#define(slot, layout, role === 'inout' ? buffers[name] : undefined)
    }
    const dims = common ? { [names[0]]: common.length } : call.dims
    const { kernel, scalars } = call
    this.#calls.push({ kind: 'kernel', kernel, buffers, dims, scalars, from })
  }

  #copiesOf(slot: Slot): Map<string, Physical> {
    const id = identity(slot)
    let copies = this.#copies.get(id)
    if (!copies) {
      const kept = this.stored.get(id)
      copies = new Map(kept ? [[kept.layout.key, kept]] : [])
      this.#copies.set(id, copies)
    }
    return copies
  }

  /** The slot in this layout, converted or fetched if need be. */
  #need(slot: Slot, layout: Layout): Physical {
    if (slot.origin.kind === 'slice') return this.#part(slot, slot.origin.of, slot.origin.start)
    const copies = this.#copiesOf(slot)
    const there = copies.get(layout.key)
    if (there) return there
    if (copies.size === 0) return this.#fetch(slot, layout)
    const { transposed } = layout
    const other = transposed && copies.get(transposed.key)
    if (other) return this.#convert(other, layout, 'transpose_panels', transposed.dims)
    const unpacked = copies.get(ROW_MAJOR) ?? this.#inRowMajor([...copies.values()][0])
    return layout.pack ? this.#convert(unpacked, layout, layout.pack.kernel, layout.pack.dims) : unpacked
  }

  /** Part of a row-major buffer; the buffer comes to be with the first part that is written. */
  #part(slot: Slot, of: Slot, start: number): Physical {
    const empty = of.origin.kind === 'temp' && this.#copiesOf(of).size === 0
    const base = empty ? this.#add(of, rowMajor(of.length)) : this.#need(of, rowMajor(of.length))
    return { slot, dtype: slot.dtype, length: slot.length, layout: rowMajor(slot.length), within: { base, start } }
  }

  #inRowMajor(from: Physical): Physical {
    const { inverse, dims } = from.layout.pack!
    return this.#convert(from, rowMajor(from.slot.length), inverse, dims)
  }

  #convert(from: Physical, to: Layout, kernel: KernelName, dims: Sizes): Physical {
    const made = this.#add(from.slot, to)
    this.#emit(kernel, from, made, dims)
    return made
  }

  /** A conversion: every one of them makes y from x. */
  #emit(kernel: KernelName, x: Physical, y: Physical, dims: Sizes): void {
    this.#calls.push({ kind: 'kernel', kernel, buffers: { x, y }, dims, scalars: {}, from: [] })
  }

  /** The first sight of a slot that no call of this program has made. */
  #fetch(slot: Slot, layout: Layout): Physical {
    const { kind } = slot.origin
    if (kind === 'memory' || kind === 'constant') {
      const kept = this.#add(slot, layout)
      this.stored.set(identity(slot), kept)
      return kept
    }
    if (kind === 'batch') return this.#gather(slot, layout)
    this.#add(slot, rowMajor(slot.length))
    return this.#need(slot, layout)
  }

  /** By the kernel that makes this layout, or row-major and then converted. */
  #gather(slot: Slot, layout: Layout): Physical {
    const { width, rows: m, narrow } = slot.origin as Batch
    const stored = storedType({ dtype: slot.dtype as 'float32' | 'int32', narrow })
    const making = (kernel: KernelName) => {
      const [data, , x] = addon.signatures[kernel].buffers
      return { kernel, reads: data.dtype, layout: layoutOf(x, { m, k: width }) ?? rowMajor(slot.length) }
    }
    const able = gathers.map(making).filter(({ reads }) => reads === stored)
    const chosen = able.find(other => other.layout.key === layout.key) ?? able.find(other => !other.layout.pack)!
    const x = this.#add(slot, chosen.layout)
    this.#calls.push({ kind: 'gather', kernel: chosen.kernel, buffers: { x } })
    return this.#need(slot, layout)
  }

  #define(slot: Slot, layout: Layout, inPlace?: Physical): Physical {
    if (slot.origin.kind === 'slice') {
      const part = inPlace ?? this.#part(slot, slot.origin.of, slot.origin.start)
      const base = part.within!.base
      this.#copies.set(identity(base.slot), new Map([[ROW_MAJOR, base]]))
      return part
    }
    const copies = this.#copiesOf(slot)
    copies.clear()
    if (inPlace) copies.set(layout.key, inPlace)
    return inPlace ?? this.#add(slot, layout)
  }

  #add(slot: Slot, layout: Layout): Physical {
    const made = { slot, dtype: slot.dtype, length: layout.length, layout }
    this.#copiesOf(slot).set(layout.key, made)
    return made
  }

  /** Memory that was last written elsewhere than where it is kept is brought back. */
  #bringBack(id: unknown, kept: Physical): void {
    const copies = this.#copies.get(id)
    if (!copies || [...copies.values()].includes(kept)) return
    const unpacked = copies.get(ROW_MAJOR) ?? this.#inRowMajor([...copies.values()][0])
    const { kernel, dims } = kept.layout.pack ?? { kernel: 'copy' as const, dims: { n: kept.length } }
    this.#emit(kernel, unpacked, kept, dims)
  }
}
