/**
 * A program as one of several ranks runs it. Outputs are split, never sums: a call that kernels.def lets be cut along a dim
 * makes the rank's range of it, from that range of its inputs, and every number is made by one rank as one process makes it.
 * Where a buffer is wanted in another share than it is there in, an exchange is inserted. Not here: the shares themselves
 * (grid.ts), how exchanges travel (native/plan/transport.h).
 */

import { addon } from '../native/addon.js'
import type { BufferSignature } from '../native/types.js'
import { type Grid, gridOf, isContiguous, keyOfShare, type Runs, rectOf, runsOf, type Share, wordsIn } from './grid.js'
import { type Gather, isElementwise, type KernelCall, type Physical, type PhysicalCall, rowMajor } from './layout.js'
import { PANEL } from './narrow.js'
import { overlapped } from './overlap.js'
import type { Batch } from './program.js'

/** Who of how many runs the program. */
export interface Ranks {
  readonly rank: number
  readonly size: number
}

export const ALONE: Ranks = { rank: 0, size: 1 }

/** Words that go to a rank, or come from it. */
export interface Block extends Runs {
  readonly peer: number
}

/** Begins to bring every rank's share of `from` to where it is wanted in `to`. */
export interface Exchange {
  readonly kind: 'exchange'
  readonly buffers: { readonly from: Physical; readonly to: Physical }
  readonly sends: readonly Block[]
  readonly receives: readonly Block[]
}

/** Waits for it. */
export interface Arrival {
  readonly kind: 'arrival'
  readonly of: Exchange
  readonly buffers: Exchange['buffers']
}

/** A call of a placed program, of one process or of a rank. */
export type PlacedCall = PhysicalCall | Exchange | Arrival

/** Whether a call concerns no other rank. */
export function isLocal(call: PlacedCall): call is PhysicalCall {
  return call.kind === 'kernel' || call.kind === 'gather'
}

/** What there is of a buffer: all of it, and shares of it by key. */
interface Copies {
  whole: boolean
  readonly shares: Map<string, { readonly share: Share; readonly part: Physical }>
  /** The rows of a data set that it is, as long as no call has fetched them. */
  gather?: Gather
}

/** This rank's size of the dim that is cut, and the shares of the buffers that have it. */
interface Cut {
  readonly own: number
  readonly shares: ReadonlyMap<string, Share>
}

/** `count` items dealt to ranks, in order. */
function dealt(count: number, size: number): number[] {
  return Array.from({ length: size + 1 }, (_, rank) => Math.floor((count * rank) / size))
}

/** Kernels that add up over a dim that none of their outputs has: they are worth sharing out wherever they can be. */
function contracts({ kernel }: KernelCall): boolean {
  const { dims, buffers } = addon.signatures[kernel]
  const outputs = buffers.filter(({ role }) => role !== 'in')
  return dims.some(dim => outputs.every(buffer => !buffer.dims.includes(dim)))
}

/** Goes through a program's calls in order and writes the rank's own. */
export class RanksPass {
  readonly #calls: PlacedCall[] = []
  readonly #copies = new Map<Physical, Copies>()
  /** The shares, by key, that calls want of each buffer. */
  readonly wanted = new Map<Physical, Map<string, Share | null>>()

  constructor(private readonly ranks: Ranks) {}

  /** The calls of the program, but for those of its ending. */
  run(calls: readonly PhysicalCall[]): readonly PlacedCall[] {
    for (const call of calls) {
      if (call.kind === 'gather') this.#copies.set(call.buffers.x, { whole: false, shares: new Map(), gather: call })
      else if (call.kind === 'kernel') this.#lower(call)
    }
    return this.#calls
  }

  /** What makes whole again, at the end of the program, what it has left of these in shares. */
  ending(memory: Iterable<Physical>): readonly PlacedCall[] {
    const before = this.#calls.length
    for (const kept of memory) if (this.#copies.has(kept)) this.#needWhole(kept)
    return this.#calls.splice(before)
  }

  #lower(call: KernelCall): void {
    const { along } = addon.signatures[call.kernel]
    const cut = along === undefined ? this.#elementwiseCut(call) : this.#cutAlong(call, along)
    const share = (name: string) => cut?.shares.get(name) ?? null
    const { buffers: specs, dims: [only] } = addon.signatures[call.kernel] // biome-ignore format: a line
    const buffers: Record<string, Physical> = {}
    for (const { name, role } of specs)
      if (call.buffers[name] && role !== 'out') buffers[name] = this.#need(call.buffers[name], share(name))
    for (const { name, role } of specs) {
      const buffer = call.buffers[name]
      if (buffer && role !== 'in')
        buffers[name] = this.#define(buffer, share(name), role === 'inout' ? buffers[name] : undefined)
    }
    const dims = cut ? { ...call.dims, [along ?? only]: cut.own } : call.dims
    this.#calls.push({ ...call, buffers, dims })
  }

  /** The cut of a call along its dim; null where it is left to every rank. */
  #cutAlong(call: KernelCall, along: string): Cut | null {
    const { buffers } = addon.signatures[call.kernel]
    const named = buffers.filter(({ name, dims }) => call.buffers[name] && dims.includes(along))
    const width = named.some(({ dims, padded }) => padded[dims.indexOf(along)]) ? PANEL : 1
    const size = call.dims[along]
    const count = Math.ceil(size / width)
    if (count < this.ranks.size || !this.#isWorthSharing(call, named)) return null
    const bounds = dealt(count, this.ranks.size).map(bound => Math.min(size, bound * width))
    const { rank } = this.ranks
    return {
      own: bounds[rank + 1] - bounds[rank],
      shares: new Map(named.map(spec => [spec.name, shareOf(spec, call, along, bounds)])),
    }
  }

  /** Products and the like always; what goes through its inputs once, where those are in shares already. */
  #isWorthSharing(call: KernelCall, named: readonly BufferSignature[]): boolean {
    const writesOut = named.some(({ name, role }) => role !== 'in' && !isOwn(call.buffers[name]))
    return !writesOut && (contracts(call) || named.some(({ name }) => this.#isShared(call.buffers[name])))
  }

  /** An elementwise call takes its operands as the first that is in shares. */
  #elementwiseCut(call: KernelCall): Cut | null {
    if (!isElementwise(call.kernel)) return null
    const named = addon.signatures[call.kernel].buffers.filter(
      ({ name, dtype }) => call.buffers[name] && dtype === 'float32',
    )
    const first = named.find(({ name, role }) => role !== 'out' && this.#isShared(call.buffers[name]))
    if (!first || !this.#isWorthSharing(call, named)) return null
    const share = this.#someShare(call.buffers[first.name])
    if (!share) return null
    const grid = gridOf(call.buffers[first.name])
    const own = wordsIn(rectOf(grid, share, this.ranks.rank), grid)
    return { own, shares: new Map(named.map(({ name }) => [name, share])) }
  }

  #someShare(buffer: Physical): Share | undefined {
    const copies = this.#copiesOf(buffer)
    const [first] = copies.shares.values()
    if (first) return first.share
    if (buffer.layout.pack?.kernel === 'pack_weight_panels') return undefined // rows are not apart there
    const { rows } = buffer.slot.origin as Batch
    if (rows < this.ranks.size) return undefined
    const each = itemsPerRow(buffer)
    return { side: 'inner', bounds: dealt(rows, this.ranks.size).map(row => row * each) }
  }

  /** Whether there are shares only, or it can be fetched in any. */
  #isShared(buffer: Physical): boolean {
    if (buffer.within) return false
    const { whole, shares, gather } = this.#copiesOf(buffer)
    return !whole && (shares.size > 0 || gather !== undefined)
  }

  #copiesOf(buffer: Physical): Copies {
    let copies = this.#copies.get(buffer)
    if (!copies) {
      // What no call has made is memory, the same on every rank, or one of the tables of a run.
      copies = { whole: true, shares: new Map() }
      this.#copies.set(buffer, copies)
    }
    return copies
  }

  /** The buffer, or this rank's share of it. */
  #need(buffer: Physical, share: Share | null): Physical {
    if (buffer.within) {
      const base = this.#need(buffer.within.base, null)
      const part = { ...buffer, within: { base, start: buffer.within.start } }
      return share ? inPlaceOf(this.ranks, part, share) : part
    }
    this.#note(buffer, share)
    return share ? this.#needShare(buffer, share) : this.#needWhole(buffer)
  }

  #note(buffer: Physical, share: Share | null): void {
    const shares = this.wanted.get(buffer) ?? new Map<string, Share | null>()
    this.wanted.set(buffer, shares.set(share ? keyOfShare(share) : 'whole', share))
  }

  #needWhole(buffer: Physical): Physical {
    const copies = this.#copiesOf(buffer)
    if (copies.whole) return buffer
    const [first] = copies.shares.values()
    if (copies.gather) this.#calls.push(copies.gather)
    else this.#exchange(buffer, first.share, first.part, null, buffer)
    copies.whole = true
    return buffer
  }

  #needShare(buffer: Physical, share: Share): Physical {
    const copies = this.#copiesOf(buffer)
    const key = keyOfShare(share)
    const there = copies.shares.get(key)
    if (there) return there.part
    const part = this.#makeShare(buffer, copies, share)
    copies.shares.set(key, { share, part })
    return part
  }

  #makeShare(buffer: Physical, copies: Copies, share: Share): Physical {
    const grid = gridOf(buffer)
    if (!copies.whole && copies.gather && share.side === 'inner') return this.#gatherShare(buffer, copies.gather, share)
    if (!copies.whole && copies.gather) this.#needWhole(buffer)
    if (copies.whole && isContiguous(grid, share)) return inPlaceOf(this.ranks, buffer, share)
    const part = this.#apart(buffer, share)
    if (copies.whole) this.#note(buffer, null)
    const [first] = copies.whole ? [{ share: null, part: buffer }] : copies.shares.values()
    this.#exchange(buffer, first.share, first.part, share, part)
    return part
  }

  /** This rank's rows of a batch, from its own copy of the data. */
  #gatherShare(buffer: Physical, gather: Gather, share: Share): Physical {
    const batch = buffer.slot.origin as Batch
    const each = itemsPerRow(buffer)
    const [from, to] = rectOf(gridOf(buffer), share, this.ranks.rank).inner
    const part = this.#apart(buffer, share)
    const origin: Batch = { ...batch, start: batch.start + from / each, rows: (to - from) / each }
    const x: Physical = { ...part, slot: { ...buffer.slot, length: origin.rows * batch.width, origin } }
    this.#calls.push({ ...gather, buffers: { x } })
    return x
  }

  #define(buffer: Physical, share: Share | null, inPlace: Physical | undefined): Physical {
    if (buffer.within) {
      const base = this.#define(buffer.within.base, null, undefined)
      return inPlace ?? { ...buffer, within: { base, start: buffer.within.start } }
    }
    const copies = this.#copiesOf(buffer)
    copies.whole = share === null
    copies.shares.clear()
    copies.gather = undefined
    this.#note(buffer, share)
    if (!share) return buffer
    const part =
      inPlace ??
      (isContiguous(gridOf(buffer), share) ? inPlaceOf(this.ranks, buffer, share) : this.#apart(buffer, share))
    copies.shares.set(keyOfShare(share), { share, part })
    return part
  }

  /** The share in memory of its own. */
  #apart(buffer: Physical, share: Share): Physical {
    const grid = gridOf(buffer)
    const length = wordsIn(rectOf(grid, share, this.ranks.rank), grid)
    const slot = { ...buffer.slot, length, origin: { kind: 'temp' } as const }
    return { slot, dtype: buffer.dtype, length, layout: rowMajor(length) }
  }

  /** From what every rank has of the buffer in `source` to what it wants of it in `target`. */
  #exchange(buffer: Physical, has: Share | null, source: Physical, wants: Share | null, target: Physical): void {
    const held = [
      { share: has, part: source },
      { share: wants, part: target },
    ] as const
    this.#calls.push(...exchangeOf(this.ranks, gridOf(buffer), ...held))
  }
}

/** How many items of the inner side a row of a batch is. */
function itemsPerRow(buffer: Physical): number {
  const { outer, inner } = gridOf(buffer)
  return outer === 1 ? inner / (buffer.slot.origin as Batch).rows : 1
}

/** A rank's share of a buffer where it lies in the whole. */
function inPlaceOf({ rank }: Ranks, buffer: Physical, share: Share): Physical {
  const grid = gridOf(buffer)
  const rect = rectOf(grid, share, rank)
  const start = (rect.outer[0] * grid.inner + rect.inner[0]) * grid.width
  const length = wordsIn(rect, grid)
  const within = { base: buffer.within?.base ?? buffer, start: (buffer.within?.start ?? 0) + start }
  return { slot: buffer.slot, dtype: buffer.dtype, length, layout: rowMajor(length), within }
}

/** What of a buffer is where: a share, or all where it is null. */
interface Held {
  readonly share: Share | null
  readonly part: Physical
}

/** From one share to another, and the wait for it. What all ranks have whole each takes from itself. */
function exchangeOf({ rank, size }: Ranks, grid: Grid, from: Held, to: Held): [Exchange, Arrival] {
  const [sends, receives]: [Block[], Block[]] = [[], []]
  const own = { has: rectOf(grid, from.share, rank), wants: rectOf(grid, to.share, rank) }
  for (let peer = 0; peer < size; peer++) {
    if (from.share === null && peer !== rank) continue
    const sent = runsOf(grid, own.has, rectOf(grid, to.share, peer))
    const received = runsOf(grid, own.wants, rectOf(grid, from.share, peer))
    // What lies in its place in the whole stays there.
    const stays = peer === rank && from.part.within?.base === to.part
    if (sent && !stays) sends.push({ peer, ...sent })
    if (received && !stays) receives.push({ peer, ...received })
  }
  const buffers = { from: from.part, to: to.part }
  const exchange: Exchange = { kind: 'exchange', buffers, sends, receives }
  return [exchange, { kind: 'arrival', of: exchange, buffers }]
}

/** Brings memory that stays in shares to all ranks. */
export function gatherOwned(ranks: Ranks, kept: Physical, share: Share): [Exchange, Arrival] {
  const own = { share, part: inPlaceOf(ranks, kept, share) }
  return exchangeOf(ranks, gridOf(kept), own, { share: null, part: kept })
}

/** Whether a buffer is the program's own: tables of a run get all that is in them from every rank. */
function isOwn({ within, slot: { origin } }: Physical): boolean {
  return !within && (origin.kind === 'temp' || origin.kind === 'memory')
}

/** What ranges of a dim are in a buffer that has it. */
function shareOf({ dims, padded }: BufferSignature, call: KernelCall, along: string, bounds: readonly number[]): Share {
  const at = dims.indexOf(along)
  const up = (n: number) => Math.ceil(n / PANEL)
  if (padded[at] && at === dims.length - 1) return { side: 'outer', bounds: bounds.map(up) }
  if (padded[dims.length - 1]) return { side: 'inner', bounds }
  const rest = dims.reduce((product, dim) => (dim === along ? product : product * call.dims[dim]), 1)
  return { side: 'inner', bounds: bounds.map(bound => (padded[at] ? up(bound) * PANEL : bound) * rest) }
}

/** The programs of a plan as a rank runs them, and what of their memory stays in shares between steps. */
export interface SharedOut {
  readonly programs: readonly (readonly PlacedCall[])[]
  readonly owned: ReadonlyMap<Physical, Share>
}

/**
 * Shares the programs of a plan out. Memory that all of them want in one and the same share stays with its owners, as momenta
 * do; all other, and that of `published`, is whole on every rank at the end of a step.
 */
export function shareOut(
  programs: readonly (readonly PhysicalCall[])[],
  memory: readonly Physical[],
  published: (kept: Physical) => boolean,
  ranks: Ranks,
): SharedOut {
  if (ranks.size === 1) return { programs, owned: new Map() }
  const passes = programs.map(calls => {
    const pass = new RanksPass(ranks)
    return { pass, calls: pass.run(calls) }
  })
  const owned = new Map<Physical, Share>()
  for (const kept of memory) {
    const wanted = new Map(passes.flatMap(({ pass }) => [...(pass.wanted.get(kept) ?? [])]))
    const [only] = wanted.values()
    if (wanted.size === 1 && only && !published(kept)) owned.set(kept, only)
  }
  const rest = memory.filter(kept => !owned.has(kept))
  return { programs: passes.map(({ pass, calls }) => overlapped([...calls, ...pass.ending(rest)])), owned }
}
