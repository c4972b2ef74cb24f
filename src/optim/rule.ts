/**
 * The shape of an optimizer's definition: options, state and scalars in TypeScript, the arithmetic in one kernel.
 * Adding an optimizer is one file with a rule and its kernel. Not here: parameter groups or state dicts (optimizer.ts).
 */

import type { ReferenceKernels } from '../backends/emitter.js'
import { type Bounds, checkBoolean, checkNumber } from '../base/check.js'
import { typeError } from '../base/errors.js'

/** One option of an optimizer: its default and the check that every value must pass. */
export interface OptionSpec<T = unknown> {
  readonly default: T
  readonly check: (where: string, name: string, value: unknown) => T
}

/** A state tensor of a parameter, under PyTorch's key. */
export interface Slot {
  readonly key: string
  /** Value of every element before the first update. Default 0. */
  readonly init?: number
}

/** Numbers that belong to a parameter's state; `step` counts its updates and is advanced before `row`. */
export type StateScalars = { step: number } & Record<string, number>

// biome-ignore lint/suspicious/noExplicitAny: options differ per optimizer; the base class holds them all.
export interface UpdateRule<O = any> {
  /** PyTorch's class name. */
  readonly name: string
  /** Called as `kernel(p, g, ...slots, row, n)`. */
  readonly kernel: string
  readonly options: { readonly [K in keyof O]-?: OptionSpec<O[K]> }
  /** State tensors under these options, in the kernel's order; null for one that is absent. */
  readonly slots: (group: O) => readonly (Slot | null)[]
  /** Scalars of a new parameter besides `step`, by PyTorch's key. */
  readonly scalars?: (group: O) => Record<string, number>
  /** Whether PyTorch's state dict lists the step count. */
  readonly countsSteps: boolean
  /** Every scalar of this update in float64, in the order of the kernel's `row`; may advance `scalars`. */
  readonly row: (group: O, scalars: StateScalars) => readonly number[]
  /** Checks options against each other. */
  readonly checkGroup?: (where: string, group: O) => void
  /** float64 twin of the kernel. */
  readonly reference: ReferenceKernels
}

/** A number option within bounds. */
export function numberOption(value: number, bounds: Bounds = { min: 0 }): OptionSpec<number> {
  return { default: value, check: (where, name, given) => checkNumber(where, name, given, bounds) }
}

/** A yes-or-no option. */
export function flag(value = false): OptionSpec<boolean> {
  return { default: value, check: checkBoolean }
}

/** A pair of decay rates in [0, 1). */
export function betasOption(first: number, second: number): OptionSpec<[number, number]> {
  return {
    default: [first, second],
    check(where, name, given) {
      if (!Array.isArray(given) || given.length !== 2) throw typeError(where, `${name} to be a pair of numbers`, given)
      const [a, b] = given.map((beta, i) => checkNumber(where, `${name}[${i}]`, beta, { min: 0, below: 1 }))
      return [a, b]
    },
  }
}
