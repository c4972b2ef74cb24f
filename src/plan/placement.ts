/**
 * The place of every buffer of a plan's programs in one arena. Not here: programs as numbers (encode.ts), or running them
 * (compiled.ts).
 */

import { addon } from '../native/addon.js'
import { fuse } from './fuse.js'
import type { Share } from './grid.js'
import { LayoutPass, type Physical, type PhysicalCall } from './layout.js'
import { type Prefetch, prefetchOf } from './prefetch.js'
import type { Advance, DataForm, Origin, Recording } from './program.js'
import { ALONE, isLocal, type PlacedCall, type Ranks, shareOut } from './ranks.js'
import { withRows } from './rows.js'

/** A program on buffers that have their places. */
export interface Program {
  readonly calls: readonly PlacedCall[]
  readonly advance: Advance
  readonly dataSet: number
  readonly prefetch: Prefetch | null
  /** The most rows of a program that runs on any number of them. */
  readonly rows?: number
}

const { regions, word } = addon.format
/** A cache line in words: every buffer starts on one. */
const LINE = 64 / word

export const aligned = (n: number) => Math.ceil(n / LINE) * LINE
const units = ({ dtype, length }: Physical) => aligned(dtype === 'float64' ? 2 * length : length)

/** Every buffer's place in the arena: memory first, then what lives within a step, shared by all programs. */
export class Placement {
  readonly stored: readonly Physical[]
  readonly programs: readonly Program[]
  /** Memory that a program writes: it is copied back. */
  readonly written: readonly Physical[]
  /** That of it which is published, and where in a slot each lies, row-major. */
  readonly published = new Map<Physical, number>()
  readonly size: number
  /** Memory that stays in shares between steps. */
  readonly owned: ReadonlyMap<Physical, Share>
  /** Words of a slot: the two of them follow the rest. */
  readonly slotSize: number
  readonly #offsets = new Map<Physical, number>()
  readonly #stepStart: number

  /**
   * `data`: the data sets that programs read, by number; none where they are not known. `published`: the memory that
   * others read, by number. `ranks`: the processes that share the work, if there are several.
   */
  constructor(
    recordings: readonly Recording[],
    data: readonly DataForm[] = [],
    published: readonly number[] = [],
    readonly ranks: Ranks = ALONE,
  ) {
    const shared = new Map<unknown, Physical>()
    const lowered = recordings.map(recording => lower(recording, shared))
    this.stored = [...shared.values()]
    const isPublished = (kept: Physical) => published.includes(memoryIndex(kept))
    const { programs, owned } = shareOut(lowered, this.stored, isPublished, ranks)
    this.owned = owned
    this.programs = recordings.map(({ advance, dataSet, rows }, i) => {
      const [calls, prefetch] = [programs[i], rows ? null : prefetchOf(programs[i], data[dataSet])]
      return { calls, advance, dataSet, prefetch, rows: rows?.most }
    })
    let at = 0
    for (const kept of this.stored) {
      this.#offsets.set(kept, at)
      at += units(kept)
    }
    this.#stepStart = at
    const ends = this.programs.map(program => this.#placeTemps(program))
    this.size = Math.max(at, ...ends, at + this.staged.reduce((sum, { slot }) => sum + aligned(slot.length), 0))
    const outputs = new Set(this.programs.flatMap(({ calls }) => calls.flatMap(writes)))
    this.written = this.stored.filter(kept => kept.slot.origin.kind === 'memory' && outputs.has(kept))
    this.slotSize = 0
    for (const kept of this.written) {
      if (!isPublished(kept)) continue
      this.published.set(kept, this.slotSize)
      this.slotSize += aligned(kept.slot.length)
    }
  }

  /** Memory in another layout than row-major: it goes in and out through row-major copies in the step's part of the arena. */
  get staged(): Physical[] {
    return this.stored.filter(({ layout }) => layout.pack)
  }

  placeOf(physical: Physical): Place {
    const table = placeOutside(physical.within?.base ?? physical)
    if (!table) return [regions.arena, this.offsetOf(physical)]
    return [table[0], table[1] + (physical.within?.start ?? 0)]
  }

  offsetOf(physical: Physical): number {
    if (physical.within) {
      const { base, start } = physical.within
      return this.offsetOf(base) + (base.dtype === 'float64' ? 2 : 1) * start
    }
    return this.#offsets.get(physical)!
  }

  /** Where the row-major copies of staged memory are while the load or save program runs. */
  stagingOffsets(): Map<Physical, number> {
    let at = this.#stepStart
    return new Map(
      this.staged.map(kept => {
        const place = at
        at += aligned(kept.slot.length)
        return [kept, place]
      }),
    )
  }

  /** First fit by lifetime: a buffer's place is free again after the last call that names it. */
  #placeTemps({ calls, prefetch }: Program): number {
    const lifetimes = lifetimesOf(calls)
    if (prefetch) lifetimes.set(prefetch.gather.buffers.x, { first: 0, last: calls.length }) // it holds the next batch
    const live: { start: number; end: number; last: number }[] = []
    let top = this.#stepStart
    for (const [buffer, { first, last }] of lifetimes) {
      if (this.#offsets.has(buffer)) continue
      const others = live.filter(other => other.last >= first).sort((a, b) => a.start - b.start)
      let start = this.#stepStart
      for (const other of others) if (other.start < start + units(buffer)) start = Math.max(start, other.end)
      this.#offsets.set(buffer, start)
      live.push({ start, end: start + units(buffer), last })
      top = Math.max(top, start + units(buffer))
    }
    return top
  }
}

/** The calls of a recording on buffers in layouts; `shared`: memory and constants of all programs. */
function lower({ calls: recorded, rows }: Recording, shared: Map<unknown, Physical>): readonly PhysicalCall[] {
  // Lanes of samples are whole words of rows: no size that goes with each of them.
  const calls = new LayoutPass(shared).run(fuse(recorded, !rows))
  return rows ? withRows(calls, new LayoutPass(new Map()).run(fuse(rows.calls, false)), rows) : calls
}

export const memoryIndex = ({ slot }: Physical) => (slot.origin as Extract<Origin, { kind: 'memory' }>).index

/** Where a buffer is in the tables of a run or among its inputs; null for what is in the arena, as copies in another layout are. */
function placeOutside({ slot: { origin }, layout }: Physical): Place | null {
  if (layout.pack) return null
  const { kind } = origin
  if (kind === 'input') return [regions.store + origin.index, 0]
  const inTable = kind === 'scalars' || kind === 'losses' || kind === 'counts' || kind === 'draws'
  return inTable ? [regions[kind], origin.offset] : null
}

function writes(call: PlacedCall): Physical[] {
  if (!isLocal(call)) return [] // it brings what others have made
  const { kernel, buffers } = call
  const outputs = addon.signatures[kernel].buffers.filter(({ role }) => role !== 'in')
  const written = outputs.map(({ name }) => (buffers as Readonly<Record<string, Physical | undefined>>)[name])
  return written.flatMap(buffer => (buffer ? [buffer.within?.base ?? buffer] : []))
}

/** An output is there after the last call. */
function lifeOf({ slot: { origin }, layout }: Physical, at: number, end: number): { first: number; last: number } {
  return { first: at, last: origin.kind === 'output' && !layout.pack ? end : at }
}

/** First and last call that names each buffer of the arena, in the order of the first. */
function lifetimesOf(calls: readonly PlacedCall[]): Map<Physical, { first: number; last: number }> {
  const lifetimes = new Map<Physical, { first: number; last: number }>()
  calls.forEach(({ buffers }, i) => {
    for (const named of Object.values<Physical>(buffers)) {
      const buffer = named.within?.base ?? named
      if (placeOutside(buffer)) continue
      const seen = lifetimes.get(buffer)
      if (seen) seen.last = Math.max(seen.last, i)
      else lifetimes.set(buffer, lifeOf(buffer, i, calls.length))
    }
  })
  return lifetimes
}

/** Region and offset of a buffer. */
export type Place = readonly [region: number, offset: number]
export const ABSENT: Place = [regions.absent, 0]
