/**
 * A compiled plan: programs placed in one arena and handed to native code, and the way of weights and state into it and
 * back. Not here: what the programs compute (recorder, fuse, layout) or in which order they run (train/).
 */

import { addon } from '../native/addon.js'
import type { NativePlan, NativeStore } from '../native/types.js'
import { fuse } from './fuse.js'
import { LayoutPass, type Physical, type PhysicalCall } from './layout.js'
import type { Advance, Column, DataForm, Memory, Origin, Recording } from './program.js'
import { writeSlices } from './slices.js'

interface Program {
  readonly calls: PhysicalCall[]
  readonly advance: Advance
  readonly dataSet: number
}

/** Regions of native/plan: what the first number of a buffer's place means. */
const REGION = { none: 0, arena: 1, order: 2, row: 3, loss: 4, count: 5, draw: 6, store: 16 } as const
/** A cache line, in elements of 4 bytes: every buffer starts on one. */
const LINE = 16

const aligned = (n: number) => Math.ceil(n / LINE) * LINE
const units = ({ dtype, length }: Physical) => aligned(dtype === 'float64' ? 2 * length : length)

const storeKey = (dataSet: number, column: number, dtype: string) => `${dataSet} ${column} ${dtype}`

/** Every buffer's place in the arena: memory first, then what lives within a step, shared by all programs. */
export class Placement {
  readonly homes: readonly Physical[]
  readonly programs: readonly Program[]
  /** Memory that a program writes: it is copied back. */
  readonly written: readonly Physical[]
  readonly size: number
  readonly #offsets = new Map<Physical, number>()
  readonly #stepStart: number

  constructor(recordings: readonly Recording[]) {
    const shared = new Map<unknown, Physical>()
    this.programs = recordings.map(({ calls, advance, dataSet }) => ({
      calls: new LayoutPass(shared).run(fuse(calls)),
      advance,
      dataSet,
    }))
    this.homes = [...shared.values()]
    let at = 0
    for (const home of this.homes) {
      this.#offsets.set(home, at)
      at += units(home)
    }
    this.#stepStart = at
    const ends = this.programs.map(program => this.#placeTemps(program.calls))
    this.size = Math.max(at, ...ends, at + this.staged.reduce((sum, home) => sum + aligned(home.slot.length), 0))
    const outputs = new Set(this.programs.flatMap(({ calls }) => calls.flatMap(writes)))
    this.written = this.homes.filter(home => home.slot.origin.kind === 'memory' && outputs.has(home))
  }

  /** Memory in another layout than rows: it goes in and out through rows in the step's part of the arena. */
  get staged(): Physical[] {
    return this.homes.filter(home => home.layout.pack)
  }

  offsetOf(physical: Physical): number {
    if (physical.within) {
      const { base, start } = physical.within
      return this.offsetOf(base) + (base.dtype === 'float64' ? 2 : 1) * start
    }
    return this.#offsets.get(physical)!
  }

  /** Where each staged home's rows lie while the load or save program runs. */
  stagingOffsets(): Map<Physical, number> {
    let at = this.#stepStart
    return new Map(
      this.staged.map(home => {
        const place = at
        at += aligned(home.slot.length)
        return [home, place]
      }),
    )
  }

  /** First fit by lifetime: a buffer's place is free again after the last call that names it. */
  #placeTemps(calls: readonly PhysicalCall[]): number {
    const lifetimes = lifetimesOf(calls)
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

/** Where in the tables of a run a buffer lies; null for what is in the arena, as copies in another layout are. */
function tablePlace({ slot: { origin }, layout }: Physical): [region: number, offset: number] | null {
  const inTable = origin.kind === 'row' || origin.kind === 'loss' || origin.kind === 'count' || origin.kind === 'draw'
  return inTable && layout.key === 'rows' ? [REGION[origin.kind], origin.offset] : null
}

function writes({ kernel, buffers }: PhysicalCall): Physical[] {
  const signature = addon.signatures[kernel]
  return buffers.flatMap((b, i) => (b && signature.buffers[i].role !== 'in' ? [b.within?.base ?? b] : []))
}

/** First and last call that names each buffer of the arena, in the order of the first. */
function lifetimesOf(calls: readonly PhysicalCall[]): Map<Physical, { first: number; last: number }> {
  const lifetimes = new Map<Physical, { first: number; last: number }>()
  calls.forEach(({ buffers }, i) => {
    for (const named of buffers) {
      const buffer = named?.within?.base ?? named
      if (!buffer || tablePlace(buffer)) continue
      const seen = lifetimes.get(buffer)
      if (seen) seen.last = i
      else lifetimes.set(buffer, { first: i, last: i })
    }
  })
  return lifetimes
}

/** Gathers leave the set and the order to be filled in: `kernel(set, order, made | dims)`. */
function isGather(kernel: string): boolean {
  return kernel.startsWith('gather_') || kernel.endsWith('_gather')
}

type Batch = Extract<Origin, { kind: 'batch' }>

/** Turns placed calls into the numbers that native/plan reads. */
class Encoder {
  readonly #numbers: number[]

  constructor(
    private readonly placement: Placement,
    private readonly data: readonly DataForm[],
    private readonly stores: readonly string[],
    private readonly dataSet: number,
    advance: Advance,
  ) {
    this.#numbers = [advance.order, advance.rows, advance.losses, advance.counts, advance.draws]
  }

  call({ kernel, buffers, dims, scalars }: PhysicalCall): void {
    this.#numbers.push(addon.signatures[kernel].id)
    if (isGather(kernel)) {
      this.#gather(buffers[2] as Physical)
      return
    }
    for (const buffer of buffers) this.#numbers.push(...this.#place(buffer))
    this.#numbers.push(...dims, ...scalars)
  }

  done(): Float64Array {
    return Float64Array.from(this.#numbers)
  }

  #gather(made: Physical): void {
    const { column, start, rows, width } = made.slot.origin as Batch
    const index = this.stores.indexOf(storeKey(this.dataSet, column, made.dtype))
    const set = this.data[this.dataSet]
    this.#numbers.push(REGION.store + index, 0, REGION.order, start, ...this.#place(made), set.rows, width, rows)
  }

  #place(buffer: Physical | null): [number, number] {
    if (!buffer) return [REGION.none, 0]
    return tablePlace(buffer) ?? [REGION.arena, this.placement.offsetOf(buffer)]
  }
}

const NO_ROWS = new Int32Array(0)
const NO_SCALARS = new Float64Array(0)

/** Memory for the tables of one chunk after the other; native code copies what it is given. */
class Tables {
  #order = new Int32Array(0)
  #rows = new Float64Array(0)

  order(length: number): Int32Array {
    if (this.#order.length < length) this.#order = new Int32Array(length)
    return this.#order.subarray(0, length)
  }

  rows(length: number): Float64Array {
    if (this.#rows.length < length) this.#rows = new Float64Array(length)
    return this.#rows.subarray(0, length)
  }
}

/** A plan ready to run, over whatever arrays and data fit its form: data are written, weights and state go in and out. */
export class CompiledPlan {
  readonly native: NativePlan
  /** Bytes of native memory. */
  readonly bytes: number
  readonly tables = new Tables()
  readonly #stores = new Map<string, NativeStore>()
  readonly #staging: Map<Physical, number>
  /** Segments that run the conversions. */
  readonly #loading: Int32Array
  readonly #saving: Int32Array

  constructor(
    readonly placement: Placement,
    data: readonly DataForm[],
  ) {
    this.#staging = placement.stagingOffsets()
    data.forEach(({ rows, columns }, dataSet) => {
      for (const { column, dtype, width } of columns)
        this.#stores.set(storeKey(dataSet, column, dtype), new addon.Store(dtype, rows * width))
    })
    const keys = [...this.#stores.keys()]
    const programs = placement.programs.map(({ calls, advance, dataSet }) => {
      const encoder = new Encoder(placement, data, keys, dataSet, advance)
      for (const call of calls) encoder.call(call)
      return encoder.done()
    })
    this.#loading = Int32Array.of(programs.length, 1)
    this.#saving = Int32Array.of(programs.length + 1, 1)
    programs.push(this.#conversions('kernel', placement.staged), this.#conversions('inverse', placement.written))
    const stores = [...this.#stores.values()]
    this.native = new addon.Plan({ arena: placement.size, programs, stores })
    this.bytes = 4 * stores.reduce((sum, store) => sum + store.length, placement.size)
  }

  /** Where a column's values go. */
  store(dataSet: number, { column, dtype }: Column): NativeStore {
    return this.#stores.get(storeKey(dataSet, column, dtype))!
  }

  /** Weights, state and constants as they are now in JavaScript; yields where the caller may let others run. */
  *load({ arrays }: Memory): Generator<void, void> {
    for (const home of this.placement.homes) {
      const { origin } = home.slot
      const values =
        origin.kind === 'memory'
          ? arrays[origin.index]
          : Float32Array.from((origin as Extract<Origin, { kind: 'constant' }>).values)
      yield* writeSlices(this.native, this.#staging.get(home) ?? this.placement.offsetOf(home), values)
    }
    this.#convert(this.#loading)
  }

  /** Back to JavaScript, into the same arrays. */
  save({ arrays }: Memory): void {
    this.#convert(this.#saving)
    for (const home of this.placement.written) {
      const { index } = home.slot.origin as Extract<Origin, { kind: 'memory' }>
      this.native.read(this.#staging.get(home) ?? this.placement.offsetOf(home), arrays[index])
    }
  }

  #convert(once: Int32Array): void {
    this.native.run(once, NO_ROWS, NO_SCALARS, 1)
  }

  #conversions(direction: 'kernel' | 'inverse', homes: readonly Physical[]): Float64Array {
    const numbers = [0, 0, 0, 0, 0]
    for (const home of homes) {
      const pack = home.layout.pack
      if (!pack) continue
      const [inRows, inPanels] = [this.#staging.get(home)!, this.placement.offsetOf(home)]
      const [from, to] = direction === 'kernel' ? [inRows, inPanels] : [inPanels, inRows]
      numbers.push(addon.signatures[pack[direction]].id, REGION.arena, from, REGION.arena, to, ...pack.dims)
    }
    return Float64Array.from(numbers)
  }
}
