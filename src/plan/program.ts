/**
 * A recording: kernel calls on named buffers, before anything is placed in memory. What the recorder writes and the
 * fusion and layout passes rewrite. Not here: how a recording runs (compiled.ts).
 */

import type { Buf, LabelNames } from '../emitters/emitter.js'

export type ElementType = 'float32' | 'int32' | 'float64'
export type TypedArray = Float32Array | Int32Array | Float64Array

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
    }
  /** Scalars of this step, from the table of rows. */
  | { readonly kind: 'row'; readonly offset: number }
  /** One number per step for the outside: a loss, or a count of correct rows. */
  | { readonly kind: 'loss' | 'count'; readonly offset: number }
  /** Random numbers of this step, drawn before it: where they are among the step's draws. */
  | { readonly kind: 'draw'; readonly offset: number }
  /** Part of another buffer. */
  | { readonly kind: 'slice'; readonly of: Slot; readonly start: number }

/** A buffer by name. */
export interface Slot extends Buf {
  readonly id: number
  readonly dtype: ElementType
  readonly length: number
  readonly origin: Origin
}

/** One kernel call on slots. */
export interface SlotCall {
  readonly kernel: string
  readonly buffers: readonly (Slot | null)[]
  readonly dims: readonly number[]
  readonly scalars: readonly number[]
}

/** What a step of a program takes from the tables and gives back. */
export interface Advance {
  readonly order: number
  readonly rows: number
  readonly losses: number
  readonly counts: number
  /** Random numbers, drawn before the step. */
  readonly draws: number
}

/** A recorded program and the data set it reads. */
export interface Recording {
  readonly calls: readonly SlotCall[]
  readonly advance: Advance
  readonly dataSet: number
}

/** A column of a data set, as a program gathers from it. */
export interface Column {
  readonly column: number
  readonly dtype: 'float32' | 'int32'
  readonly width: number
}

/** The form of a data set, without its values. */
export interface DataForm {
  readonly rows: number
  readonly columns: readonly Column[]
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
      index = this.arrays.push(array) - 1
      this.#numbers.set(array, index)
    }
    return index
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
  return slot
}

/** Replaces one slot by another in every call. */
export function substitute(calls: readonly SlotCall[], from: Slot, to: Slot): SlotCall[] {
  return calls.map(call =>
    call.buffers.includes(from) ? { ...call, buffers: call.buffers.map(b => (b === from ? to : b)) } : call,
  )
}
