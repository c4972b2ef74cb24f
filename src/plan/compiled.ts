/**
 * A compiled plan: programs placed in one arena and handed to native code, and the way of weights and state into it and
 * back. Not here: what the programs compute (recorder, fuse, layout) or in which order they run (train/).
 */

import type { AnnealError } from '../base/errors.js'
import { addon } from '../native/addon.js'
import { isNative } from '../native/memory.js'
import type { KernelName, NativePlan, NativeStore, TypedArray } from '../native/types.js'
import { noteWrite } from '../tensor/writes.js'
import { fuse } from './fuse.js'
import { LayoutPass, type Physical, type PhysicalCall } from './layout.js'
import { type Prefetch, prefetchOf } from './prefetch.js'
import type { Advance, Batch, Column, DataForm, Memory, Origin, Recording } from './program.js'
import { withRows } from './rows.js'
import { detachedError, writeSlices } from './slices.js'

interface Program {
  readonly calls: readonly PhysicalCall[]
  readonly advance: Advance
  readonly dataSet: number
  readonly prefetch: Prefetch | null
  /** The most rows of a program that runs on any number of them. */
  readonly rows?: number
}

const { regions, header, word } = addon.format
/** A cache line in words: every buffer starts on one. */
const LINE = 64 / word

const aligned = (n: number) => Math.ceil(n / LINE) * LINE
const units = ({ dtype, length }: Physical) => aligned(dtype === 'float64' ? 2 * length : length)

const storeKey = (dataSet: number, column: number, dtype: string) => `${dataSet} ${column} ${dtype}`

/** Every buffer's place in the arena: memory first, then what lives within a step, shared by all programs. */
export class Placement {
  readonly stored: readonly Physical[]
  readonly programs: readonly Program[]
  /** Memory that a program writes: it is copied back. */
  readonly written: readonly Physical[]
  /** That of it which is published, and where in a slot each lies, row-major. */
  readonly published = new Map<Physical, number>()
  readonly size: number
  /** Words of a slot: the two of them follow the rest. */
  readonly slotSize: number
  readonly #offsets = new Map<Physical, number>()
  readonly #stepStart: number

  /**
   * `data`: the data sets that programs read, by number; none where they are not known. `published`: the memory that
   * others read, by number.
   */
  constructor(recordings: readonly Recording[], data: readonly DataForm[] = [], published: readonly number[] = []) {
    const shared = new Map<unknown, Physical>()
    this.programs = recordings.map(({ calls: recorded, advance, dataSet, rows }) => {
      // Lanes of samples are whole words of rows: no size that goes with each of them.
      const calls = new LayoutPass(shared).run(fuse(recorded, !rows))
      if (!rows) return { calls, advance, dataSet, prefetch: prefetchOf(calls, data[dataSet]) }
      const fewer = new LayoutPass(new Map()).run(fuse(rows.calls, false))
      return { calls: withRows(calls, fewer, rows), advance, dataSet, prefetch: null, rows: rows.most }
    })
    this.stored = [...shared.values()]
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
      if (!published.includes(memoryIndex(kept))) continue
      this.published.set(kept, this.slotSize)
      this.slotSize += aligned(kept.slot.length)
    }
  }

  /** Memory in another layout than row-major: it goes in and out through row-major copies in the step's part of the arena. */
  get staged(): Physical[] {
    return this.stored.filter(({ layout }) => layout.pack)
  }

  placeOf(physical: Physical): Place {
    return tablePlace(physical) ?? [regions.arena, this.offsetOf(physical)]
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

const memoryIndex = ({ slot }: Physical) => (slot.origin as Extract<Origin, { kind: 'memory' }>).index

/** Where in the tables of a run a buffer is; null for what is in the arena, as copies in another layout are. */
function tablePlace({ slot: { origin }, layout }: Physical): Place | null {
  if (layout.pack) return null
  const { kind } = origin
  const inTable = kind === 'scalars' || kind === 'losses' || kind === 'counts' || kind === 'draws'
  return inTable ? [regions[kind], origin.offset] : null
}

function writes({ kernel, buffers }: PhysicalCall): Physical[] {
  const outputs = addon.signatures[kernel].buffers.filter(({ role }) => role !== 'in')
  const written = outputs.map(({ name }) => (buffers as Readonly<Record<string, Physical | undefined>>)[name])
  return written.flatMap(buffer => (buffer ? [buffer.within?.base ?? buffer] : []))
}

/** An input is there before the first call, an output after the last. */
function lifeOf({ slot: { origin }, layout }: Physical, at: number, end: number): { first: number; last: number } {
  if (layout.pack) return { first: at, last: at }
  return { first: origin.kind === 'input' ? 0 : at, last: origin.kind === 'output' ? end : at }
}

/** First and last call that names each buffer of the arena, in the order of the first. */
function lifetimesOf(calls: readonly PhysicalCall[]): Map<Physical, { first: number; last: number }> {
  const lifetimes = new Map<Physical, { first: number; last: number }>()
  calls.forEach(({ buffers }, i) => {
    for (const named of Object.values<Physical>(buffers)) {
      const buffer = named.within?.base ?? named
      if (tablePlace(buffer)) continue
      const seen = lifetimes.get(buffer)
      if (seen) seen.last = Math.max(seen.last, i)
      else lifetimes.set(buffer, lifeOf(buffer, i, calls.length))
    }
  })
  return lifetimes
}

/** Region and offset of a buffer. */
type Place = readonly [region: number, offset: number]
const ABSENT: Place = [regions.absent, 0]

/** A program as the numbers that native/plan reads. */
class Encoder {
  readonly #numbers: number[]

  /** `fields`: what the header says; of those not named, 0. */
  constructor(fields: Readonly<Partial<Record<(typeof header)[number], number>>> = {}) {
    this.#numbers = header.map(name => fields[name] ?? 0)
  }

  call(kernel: KernelName, places: Readonly<Record<string, Place>>, sizes: Readonly<Record<string, number>>): void {
    const { id, buffers, dims, scalars } = addon.signatures[kernel]
    this.#numbers.push(id)
    for (const { name } of buffers) this.#numbers.push(...(places[name] ?? ABSENT))
    for (const name of dims) this.#numbers.push(sizes[name])
    for (const name of scalars) this.#numbers.push(sizes[name])
  }

  done(): Float64Array {
    return Float64Array.from(this.#numbers)
  }
}

/** Encodes a placed program; `stores`: the keys of the data sets' columns, in order. */
function encode(placement: Placement, program: Program, data: readonly DataForm[], stores: readonly string[]) {
  const { calls, advance, dataSet, prefetch, rows } = program
  const numberOf = (call: PhysicalCall | undefined) => (call ? calls.indexOf(call) + 1 : 0)
  const encoder = new Encoder({
    ...advance,
    rows,
    gather: numberOf(prefetch?.gather),
    reader: numberOf(prefetch?.reader),
  })
  for (const call of calls) {
    const entries = Object.entries<Physical>(call.buffers).map(([name, buffer]) => [name, placement.placeOf(buffer)])
    const places: Record<string, Place> = Object.fromEntries(entries)
    if (call.kind === 'kernel')
      encoder.call(call.kernel, places, { ...call.dims, ...call.scalars, ...negated(call.perRow) })
    else {
      const { column, start, rows: m, width: k } = call.buffers.x.slot.origin as Batch
      const store = stores.indexOf(storeKey(dataSet, column, call.buffers.x.dtype))
      const from = { data: [regions.store + store, 0], order: [regions.order, start] } as const
      encoder.call(call.kernel, { ...places, ...from }, { rows: data[dataSet].rows, k, m })
    }
  }
  return encoder.done()
}

/** As a program writes dims that go with the rows. */
function negated(perRow: Readonly<Record<string, number>> = {}): Record<string, number> {
  return Object.fromEntries(Object.entries(perRow).map(([name, each]) => [name, -each]))
}

const NO_ORDER = new Int32Array(0)
const NO_SCALARS = new Float64Array(0)

/** Memory for the tables of one chunk after the other; native code copies what it is given. */
class Tables {
  #order = new Int32Array(0)
  #scalars = new Float64Array(0)
  #draws = new Float32Array(0)

  order(length: number): Int32Array {
    if (this.#order.length < length) this.#order = new Int32Array(length)
    return this.#order.subarray(0, length)
  }

  scalars(length: number): Float64Array {
    if (this.#scalars.length < length) this.#scalars = new Float64Array(length)
    return this.#scalars.subarray(0, length)
  }

  draws(length: number): Float32Array {
    if (this.#draws.length < length) this.#draws = new Float32Array(length)
    return this.#draws.subarray(0, length)
  }
}

/** A column of a data set in a plan: what steps read it from, a copy or values where they lie. */
interface ColumnSource {
  readonly number: number
  readonly dtype: 'float32' | 'int32'
  readonly length: number
  source: NativeStore | Float32Array | null
}

/** A plan ready to run, over whatever arrays and data fit its form: data are written, weights and state go in and out. */
export class CompiledPlan {
  readonly native: NativePlan
  readonly tables = new Tables()
  readonly #columns = new Map<string, ColumnSource>()
  readonly #staging: Map<Physical, number>
  /** Segments that run the conversions. */
  readonly #loading: Int32Array
  readonly #saving: Int32Array
  /** The program that writes the first of the two slots; the one after it writes the other. */
  readonly #publishing: number
  /** The slot that is written next. */
  #spare = 0

  constructor(
    readonly placement: Placement,
    data: readonly DataForm[],
  ) {
    this.#staging = placement.stagingOffsets()
    data.forEach(({ rows, columns }, dataSet) => {
      for (const { column, dtype, width } of columns) {
        const source = { number: this.#columns.size, dtype, length: rows * width, source: null }
        this.#columns.set(storeKey(dataSet, column, dtype), source)
      }
    })
    const keys = [...this.#columns.keys()]
    const programs = placement.programs.map(program => encode(placement, program, data, keys))
    this.#loading = Int32Array.of(programs.length, 1)
    this.#saving = Int32Array.of(programs.length + 1, 1)
    programs.push(this.#conversions('kernel', placement.staged), this.#conversions('inverse', placement.written))
    this.#publishing = programs.length
    programs.push(this.#copies(0), this.#copies(1))
    const stores = [...this.#columns.values()]
    this.native = new addon.Plan({ arena: placement.size + 2 * placement.slotSize, programs, stores })
  }

  /** Bytes of native memory of its own. */
  get bytes(): number {
    const copies = [...this.#columns.values()].filter(({ source }) => source instanceof addon.Store)
    return word * copies.reduce((sum, { length }) => sum + length, this.placement.size)
  }

  /** Where the values of a column go that steps read a copy of. */
  store(dataSet: number, column: Column): NativeStore {
    const place = this.#column(dataSet, column)
    if (place.source instanceof addon.Store) return place.source
    const store = new addon.Store(place.dtype, place.length)
    this.native.bind(place.number, store)
    place.source = store
    return store
  }

  /** Has steps read a column's values where they lie, if that is safe. Returns whether they do. */
  lend(dataSet: number, column: Column, values: TypedArray): boolean {
    const place = this.#column(dataSet, column)
    const lent = values instanceof Float32Array && isNative(values) && this.native.bind(place.number, values)
    if (lent) place.source = values
    return lent
  }

  /** Whether steps read these values where they lie. */
  isLent(dataSet: number, column: Column, values: TypedArray): boolean {
    return this.#column(dataSet, column).source === values
  }

  /** Lets go of what was lent. */
  giveBack(): void {
    for (const place of this.#columns.values()) {
      if (!(place.source instanceof Float32Array)) continue
      this.native.bind(place.number, null)
      place.source = null
    }
  }

  #column(dataSet: number, { column, dtype }: Column): ColumnSource {
    return this.#columns.get(storeKey(dataSet, column, dtype))!
  }

  /** Weights, state and constants as they are now in JavaScript; yields where the caller may let others run. */
  *load({ arrays }: Memory): Generator<void, void> {
    for (const kept of this.placement.stored) {
      const { origin } = kept.slot
      const values =
        origin.kind === 'memory'
          ? arrays[origin.index]
          : Float32Array.from((origin as Extract<Origin, { kind: 'constant' }>).values)
      if (values.length !== kept.slot.length) throw detachedError(kept.slot.length, values.length)
      yield* writeSlices(this.native, this.#staging.get(kept) ?? this.placement.offsetOf(kept), values)
    }
    this.#convert(this.#loading)
  }

  /** Back to JavaScript, into the same arrays. Those that can be written are; throws ERR_DETACHED where others cannot. */
  save({ arrays }: Memory): void {
    this.#convert(this.#saving)
    let detached: AnnealError | null = null
    for (const kept of this.placement.written) {
      const [array, { length }] = [arrays[memoryIndex(kept)], kept.slot]
      if (array.length !== length) detached = detachedError(length, array.length)
      else {
        noteWrite(array)
        this.native.read(this.#staging.get(kept) ?? this.placement.offsetOf(kept), array)
      }
    }
    if (detached) throw detached
  }

  /** The program that copies what is published to the spare slot. */
  get publishing(): number {
    return this.#publishing + this.#spare
  }

  /**
   * Once that program has run: what reads its copies, by the number of the memory, null for memory that no program writes.
   * They stay as they are until the second publication from now, also while the plan runs.
   */
  published(): (index: number) => Float32Array | Int32Array | null {
    const start = this.#slot(this.#spare)
    this.#spare = 1 - this.#spare
    const places = new Map([...this.placement.published].map(([kept, at]) => [memoryIndex(kept), { kept, at }]))
    return index => {
      const place = places.get(index)
      if (!place) return null
      const { dtype, length } = place.kept.slot
      const copy = dtype === 'int32' ? new Int32Array(length) : new Float32Array(length)
      this.native.read(start + place.at, copy)
      return copy
    }
  }

  #slot(number: number): number {
    const { size, slotSize } = this.placement
    return size + number * slotSize
  }

  /** A program that copies what is published, row-major, to a slot. Integers are copied as words, like floats. */
  #copies(slot: number): Float64Array {
    const encoder = new Encoder()
    for (const [kept, at] of this.placement.published) {
      const [from, to]: Place[] = [this.placement.placeOf(kept), [regions.arena, this.#slot(slot) + at]]
      const { pack } = kept.layout
      if (pack) encoder.call(pack.inverse, { x: from, y: to }, pack.dims)
      else encoder.call('copy', { x: from, y: to }, { n: kept.slot.length })
    }
    return encoder.done()
  }

  #convert(once: Int32Array): void {
    this.native.run(once, NO_ORDER, NO_SCALARS, 1)
  }

  #conversions(direction: 'kernel' | 'inverse', stored: readonly Physical[]): Float64Array {
    const encoder = new Encoder()
    for (const kept of stored) {
      const { pack } = kept.layout
      if (!pack) continue
      const staging: Place = [regions.arena, this.#staging.get(kept)!]
      const [x, y] = [staging, this.placement.placeOf(kept)]
      encoder.call(pack[direction], direction === 'kernel' ? { x, y } : { x: y, y: x }, pack.dims)
    }
    return encoder.done()
  }
}
