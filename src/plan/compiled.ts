/**
 * A compiled plan: programs handed to native code, and the way of weights and state into it and back. Not here: what the
 * programs compute (recorder, fuse, layout) or in which order they run (train/).
 */

import type { AnnealError } from '../base/errors.js'
import { noteWrite } from '../emitters/writes.js'
import { addon } from '../native/addon.js'
import { isNative } from '../native/memory.js'
import type { NativePlan, NativeStore, NativeWorld, StoredArray, StoredType } from '../native/types.js'
import { Encoder, encode, storeKey } from './encode.js'
import type { Physical } from './layout.js'
import { memoryIndex, type Place, type Placement } from './placement.js'
import { type Column, type DataForm, type Memory, type Origin, storedType } from './program.js'
import { gatherOwned } from './ranks.js'
import { detachedError, writeSlices } from './slices.js'

const { regions, word } = addon.format
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
  readonly dtype: StoredType
  readonly length: number
  source: NativeStore | StoredArray | null
}

const BYTES: Readonly<Record<StoredType, number>> = { float32: 4, int32: 4, uint8: 1, float16: 2 }

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

  /** `data`: the data sets that programs read, or `inputs`: what they read instead. */
  constructor(
    readonly placement: Placement,
    data: readonly DataForm[],
    { world, inputs = [] }: { world?: NativeWorld; inputs?: readonly NativeStore[] } = {},
  ) {
    this.#staging = placement.stagingOffsets()
    data.forEach(({ rows, columns }, dataSet) => {
      for (const column of columns) {
        const length = rows * column.width
        const source = { number: this.#columns.size, dtype: storedType(column), length, source: null }
        this.#columns.set(storeKey(dataSet, column.column, column.dtype), source)
      }
    })
    const keys = [...this.#columns.keys()]
    const programs = placement.programs.map(program => encode(placement, program, data, keys))
    this.#loading = Int32Array.of(programs.length, 1)
    this.#saving = Int32Array.of(programs.length + 1, 1)
    programs.push(this.#conversions('kernel', placement.staged), this.#conversions('inverse', placement.written, true))
    this.#publishing = programs.length
    programs.push(this.#copies(0), this.#copies(1))
    const stores = [...this.#columns.values(), ...inputs]
    const arena = placement.size + 2 * placement.slotSize
    this.native = new addon.Plan({ arena, programs, stores, ...(world && { world }) })
  }

  /** Bytes of native memory of its own. */
  get bytes(): number {
    const copies = [...this.#columns.values()].filter(({ source }) => source instanceof addon.Store)
    return copies.reduce((sum, { dtype, length }) => sum + BYTES[dtype] * length, word * this.placement.size)
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
  lend(dataSet: number, column: Column, values: StoredArray): boolean {
    const place = this.#column(dataSet, column)
    const lent = !(values instanceof Int32Array) && isNative(values) && this.native.bind(place.number, values)
    if (lent) place.source = values
    return lent
  }

  /** Whether steps read these values where they lie. */
  isLent(dataSet: number, column: Column, values: StoredArray): boolean {
    return this.#column(dataSet, column).source === values
  }

  /** Lets go of what was lent. */
  giveBack(): void {
    for (const place of this.#columns.values()) {
      if (!ArrayBuffer.isView(place.source)) continue
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

  /** `gathered`: with what its owners have of memory brought to all ranks first. */
  #conversions(direction: 'kernel' | 'inverse', stored: readonly Physical[], gathered = false): Float64Array {
    const encoder = new Encoder()
    const { ranks, owned } = this.placement
    for (const [kept, share] of gathered ? owned : []) encoder.through(gatherOwned(ranks, kept, share), this.placement)
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
