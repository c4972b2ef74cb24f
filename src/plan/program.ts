/**
 * A recording: kernel calls on named buffers, before anything is placed in memory. What the recorder writes and the
 * fusion and layout passes rewrite. Not here: how a recording runs (compiled.ts).
 */

import type { Buf } from '../backends/emitter.js'

export type ElementType = 'float32' | 'int32' | 'float64'
export type TypedArray = Float32Array | Int32Array | Float64Array

/** Where a buffer's values come from. */
export type Origin =
  /** Made by one call, used by later ones. */
  | { readonly kind: 'temp' }
  /** A tensor that outlives the step: parameters, optimizer state, whatever a model holds. */
  | { readonly kind: 'memory'; readonly array: Float32Array | Int32Array }
  /** The same numbers in every step. */
  | { readonly kind: 'constant'; readonly values: readonly number[] }
  /** Rows of a data set, gathered: `column` 0 is x, 1 is y; rows `start` to `start + rows` of the step's order. */
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

/** A condition on the labels of a data set, checked when the data is known. */
export interface LabelCheck {
  readonly column: number
  readonly where: string
  readonly classes: number
  readonly ignoreIndex: number
}

/** Replaces one slot by another in every call. */
export function substitute(calls: readonly SlotCall[], from: Slot, to: Slot): SlotCall[] {
  return calls.map(call =>
    call.buffers.includes(from) ? { ...call, buffers: call.buffers.map(b => (b === from ? to : b)) } : call,
  )
}
