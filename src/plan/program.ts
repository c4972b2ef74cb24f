/**
 * A recording: kernel calls on named buffers, before anything is placed in memory. What the recorder writes and the
 * fusion and layout passes rewrite. Not here: how a recording runs (compiled.ts).
 */

import type { Buf, LabelNames } from '../emitters/emitter.js'
import { Unplannable } from '../emitters/unplannable.js'
import type {
  KernelBuffers,
  KernelDims,
  KernelName,
  KernelScalars,
  NarrowType,
  PerStep,
  StoredType,
} from '../native/types.js'

export type ElementType = 'float32' | 'int32' | 'float64'
export type TypedArray = Float32Array | Int32Array | Float64Array

/** Tables of a run in which a step has a part of its own. */
export type Table = 'scalars' | 'losses' | 'counts' | 'draws'

/** Where a buffer's values come from. */
export type Origin =
  /** Made by one call, used by later ones. */
  | { readonly kind: 'temp' }
  /** A tensor that outlives the step: parameters, optimizer state, whatever a model holds; its number in `Memory`. */
  | { readonly kind: 'memory'; readonly index: number }
  /** The same numbers in every step. */
  | { readonly kind: 'constant'; readonly values: readonly number[] }
  /** Rows of a data set's column, gathered: rows `start` to `start + rows` of the step's order. */
  | {
      readonly kind: 'batch'
      readonly column: number
      readonly start: number
      readonly rows: number
      readonly width: number
      /** Of a column that is stored narrower than float32, where the batch is that. */
      readonly narrow?: Narrow
    }
  /**
   * In one of the tables of a run, named as its region: scalars of this step, numbers for the outside (a loss, a count of
   * correct rows), random numbers drawn before it. Where they are among the step's.
   */
  | { readonly kind: Table; readonly offset: number }
  /** Row-major numbers that whoever runs the program brings, by number, and those that it gets. */
  | { readonly kind: 'input'; readonly index: number }
  | { readonly kind: 'output' }
  /** Part of another buffer. */
  | { readonly kind: 'slice'; readonly of: Slot; readonly start: number }

export type Batch = Extract<Origin, { kind: 'batch' }>

/** How float32 values are stored in less: times `scale` they are them. */
export interface Narrow {
  readonly dtype: NarrowType
  readonly scale: number
}

/** A buffer by name. */
export interface Slot extends Buf {
  readonly id: number
  readonly dtype: ElementType
  readonly length: number
  readonly origin: Origin
}

/** A call of one kernel on slots, its arguments by name. */
export interface CallOf<K extends KernelName> {
  readonly kernel: K
  readonly buffers: Readonly<KernelBuffers<Slot, Slot, Slot, Slot, Slot>[K]>
  readonly dims: Readonly<Record<KernelDims[K], number>>
  readonly scalars: Readonly<Record<KernelScalars[K], number>>
  /** The recorded calls that this one stands for, in order; none where it was recorded itself. */
  readonly from?: readonly SlotCall[]
}

/** A call of any kernel: `kernel` tells which, and so what its arguments are. */
export type SlotCall = { [K in KernelName]: CallOf<K> }[KernelName]

/** What a step of a program takes from the tables and gives back. */
export type Advance = PerStep

/** A recorded program and the data set it reads. */
export interface Recording {
  readonly calls: readonly SlotCall[]
  readonly advance: Advance
  readonly dataSet: number
  /** For a program that runs on any number of rows up to that of this recording. */
  readonly rows?: Rows
}

/** The rows of a recording, and the same program recorded for fewer, which shows what of it goes with the rows. */
export interface Rows {
  readonly most: number
  readonly fewer: number
  readonly calls: readonly SlotCall[]
}

/** A column of a data set, as a program gathers from it: the dtype is that of the batches. */
export interface Column {
  readonly column: number
  readonly dtype: 'float32' | 'int32'
  readonly width: number
  readonly narrow?: Narrow
}

/** What a column, or a batch's, is stored as. Whoever wants integers of a narrow one has them stored as such. */
export function storedType({ dtype, narrow }: Pick<Column, 'dtype' | 'narrow'>): StoredType {
  return dtype === 'float32' && narrow ? narrow.dtype : dtype
}

/** The form of a data set, without its values. */
export interface DataForm {
  readonly rows: number
  readonly columns: readonly Column[]
}

/** Whether two arrays have memory in common. */
function overlap(a: TypedArray, b: TypedArray): boolean {
  const ends = a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength
  return a.buffer === b.buffer && ends
}

/**
 * The arrays that outlive a step, by number. Recordings name them by number only, so that the same programs over other
 * arrays are the same recording.
 */
export class Memory {
  readonly arrays: (Float32Array | Int32Array)[] = []
  readonly #numbers = new Map<TypedArray, number>()

  numberOf(array: Float32Array | Int32Array): number {
    let index = this.#numbers.get(array)
    if (index === undefined) {
      if (this.arrays.some(other => overlap(array, other)))
        throw new Unplannable('the model holds tensors that share a part of their memory')
      index = this.arrays.push(array) - 1
      this.#numbers.set(array, index)
    }
    return index
  }

  /** The number of an array that has one. */
  find(array: unknown): number | undefined {
    return this.#numbers.get(array as TypedArray)
  }
}

/** A condition on a column of a data set, checked when the data is known. */
export type ColumnCheck = LabelCheck | ProbabilityCheck

/** Every value is one of [0, 1]. */
export interface ProbabilityCheck {
  readonly column: number
  readonly where: string
  readonly name: string
}

/** Every value is a class. */
export interface LabelCheck {
  readonly column: number
  readonly where: string
  readonly classes: number
  readonly ignoreIndex: number
  readonly as?: LabelNames
  /** Where in each row of the column they are, as wide as it is; absent: everywhere. */
  readonly places?: { readonly width: number; readonly at: readonly number[] }
}

/** The labels that a check is about, of a column's values. */
export function labelsIn(values: TypedArray, { places }: LabelCheck): TypedArray {
  if (!places) return values
  const { width, at } = places
  const count = at.length
  return Float64Array.from(
    { length: (values.length / width) * count },
    (_, i) => values[Math.floor(i / count) * width + at[i % count]],
  )
}

/** Numbers that a step draws: so many of 1 with this probability, else 0. */
export interface Draw {
  readonly length: number
  readonly probability: number
}

/** How many numbers that is in all. */
export function drawsPerStep(draws: readonly Draw[]): number {
  return draws.reduce((sum, { length }) => sum + length, 0)
}

/** What makes two slots the same buffer: memory its number, constants their values, batches their rows. */
export function identity(slot: Slot): unknown {
  const { origin, dtype } = slot
  if (origin.kind === 'memory') return `memory ${origin.index}`
  if (origin.kind === 'constant') return `constant ${origin.values.join()}`
  if (origin.kind === 'batch') return `batch ${origin.column} ${origin.start} ${dtype}`
  if (origin.kind === 'input') return `input ${origin.index}`
  return slot
}

/** The buffer that a slot is part of, or the slot itself. */
export function wholeOf(slot: Slot): Slot {
  return slot.origin.kind === 'slice' ? slot.origin.of : slot
}

/** The buffers that a call names, with their names. */
export function bufferEntries({ buffers }: SlotCall): [name: string, slot: Slot][] {
  return Object.entries(buffers).filter((entry): entry is [string, Slot] => Boolean(entry[1]))
}

/** The recorded calls that a call stands for. */
export function originsOf(call: SlotCall): readonly SlotCall[] {
  return call.from ?? [call]
}

/** Replaces one slot by another in every call. */
export function substitute(calls: readonly SlotCall[], from: Slot, to: Slot): SlotCall[] {
  return calls.map(call => {
    const entries = bufferEntries(call)
    if (entries.every(([, slot]) => slot !== from)) return call
    const buffers = Object.fromEntries(entries.map(([name, slot]) => [name, slot === from ? to : slot]))
    return { ...call, buffers, from: originsOf(call) } as SlotCall
  })
}
