/**
 * The shape of an optimizer's definition: options, state and scalars in TypeScript, the arithmetic in one kernel.
 * Adding an optimizer is one file with a rule and its kernel. Not here: parameter groups or state dicts (optimizer.ts).
 */

import { type Bounds, checkBoolean, checkNumber } from '../base/check.js'
import { rangeError, typeError } from '../base/errors.js'
import type { Buf, Emitter, Twins } from '../emitters/emitter.js'
import { scalarFields, writeScalars } from '../native/kernels.gen.js'
import type { ScalarsOf, UpdateKernel } from '../native/types.js'

/** One option of an optimizer: its default and the check that every value must pass. */
export interface OptionSpec<T = unknown> {
  readonly default: T
  readonly check: (where: string, name: string, value: unknown) => T
}

/** A state tensor of a parameter, under PyTorch's key. */
export interface Slot<O> {
  readonly key: string
  /** Value of every element before the first update. Default 0. */
  readonly init?: (group: O) => number
  /** The options under which the update takes it. Default: all. */
  readonly when?: (group: O) => boolean
  /** The smallest value that an element may have. Default: none. */
  readonly min?: number
}

/**
 * Numbers that belong to a parameter's state; `step` counts the updates since its first state tensor was made and is
 * advanced before `updateScalars`.
 */
export type StateScalars = { step: number } & Record<string, number>

/** One parameter's update, to be emitted. */
export interface Update {
  readonly p: Buf
  readonly g: Buf
  /** State tensors by key; none that is absent. */
  readonly state: Readonly<Record<string, Buf>>
  /** What `updateScalars` gives, in the order in which kernels read it. */
  readonly scalars: Buf
  readonly shape: readonly number[]
}

// biome-ignore lint/suspicious/noExplicitAny: options differ per optimizer; the base class holds them all.
export interface UpdateRule<O = any, K extends UpdateKernel = any> {
  /** PyTorch's class name. */
  readonly name: string
  /** Whether a step evaluates the loss as often as it likes, by a closure: no plan can hold that, and no kernel makes it. */
  readonly evaluatesLoss?: boolean
  /** Called with p, g, the state tensors under their keys, scalars and n, unless the rule brings an `emit` of its own. */
  readonly kernel: K
  /** Emits an update that is more than one kernel call. */
  readonly emit?: (e: Emitter, update: Update, group: O) => void
  readonly options: { readonly [K in keyof O]-?: OptionSpec<O[K]> }
  /** PyTorch's options that another class of the same family has otherwise: a dict with other values is not for this one. */
  readonly fixed?: Readonly<Record<string, unknown>>
  /** Every state tensor there can be, named as the kernel's buffer. */
  readonly slots: readonly Slot<O>[]
  /** Scalars of a new parameter besides `step`, by PyTorch's key. */
  readonly scalars?: (group: O) => Record<string, number>
  /** What they may be in a state dict. Default: any finite number. */
  readonly scalarBounds?: Readonly<Record<string, Bounds>>
  /** Whether PyTorch's state dict lists the step count. */
  readonly countsSteps: boolean
  /** Whether PyTorch makes the state with the optimizer, not on the first update. */
  readonly hasStateFromStart?: boolean
  /** Every number of this update in float64, by the kernel's names; may advance the state's scalars. */
  readonly updateScalars: (group: O, state: StateScalars) => ScalarsOf<K>
  /** Whether the scalars of all updates but the first follow from the options alone. */
  readonly steady?: boolean
  /** Checks options against each other. */
  readonly checkGroup?: (where: string, group: O) => void
  /** Refuses parameters that the rule cannot update. */
  readonly checkParam?: (where: string, shape: readonly number[]) => void
  /** float64 twins of the kernels it brings. */
  readonly reference: Twins
}

/** The state tensors that an update under these options takes. */
export function slotsUnder<O>(rule: UpdateRule<O>, group: O): { key: string; init: number }[] {
  const taken: { key: string; init: number }[] = []
  for (const { key, init, when } of rule.slots)
    if (when === undefined || when(group)) taken.push({ key, init: init?.(group) ?? 0 })
  return taken
}

/** @internal A rate that was edited or scheduled may be anything finite: a cycle's last step goes below zero, as in PyTorch. */
export function checkRate(where: string, { lr }: { lr: unknown }): void {
  if (typeof lr !== 'number') throw typeError(where, 'lr to be a finite number', lr)
  if (!Number.isFinite(lr)) throw rangeError(where, 'lr to be a finite number', lr)
}

/** A number option within bounds. */
export function numberOption(value: number, bounds: Bounds = { min: 0 }): OptionSpec<number> {
  return { default: value, check: (where, name, given) => checkNumber(where, name, given, bounds) }
}

/** A yes-or-no option. */
export function flag(value = false): OptionSpec<boolean> {
  return { default: value, check: checkBoolean }
}

/** A pair of numbers, each checked as `check` says. */
export function pairOption(
  value: readonly [number, number],
  check: (where: string, name: string, value: unknown) => number,
): OptionSpec<[number, number]> {
  return {
    default: [...value],
    check(where, name, given) {
      if (!Array.isArray(given) || given.length !== 2) throw typeError(where, `${name} to be a pair of numbers`, given)
      const [a, b] = given.map((entry, i) => check(where, `${name}[${i}]`, entry))
      return [a, b]
    },
  }
}

/** A pair of decay rates in [0, 1). */
export function betasOption(first: number, second: number): OptionSpec<[number, number]> {
  return pairOption([first, second], (where, name, value) => checkNumber(where, name, value, { min: 0, below: 1 }))
}

/** Weight decay as the penalty that is added to the gradient, and as the share of p that goes first. */
export function decayParts(group: { lr: number; weightDecay: number; decoupledWeightDecay: boolean }): {
  weight_decay: number
  decay: number
} {
  const { lr, weightDecay, decoupledWeightDecay } = group
  return decoupledWeightDecay ? { weight_decay: 0, decay: lr * weightDecay } : { weight_decay: weightDecay, decay: 0 }
}

/** For float64 twins: the gradient, negated to ascend, plus the L2 penalty's part. */
export function direction(p: number, g: number, penalty: number, maximize: number): number {
  const d = maximize ? -g : g
  return penalty === 0 ? d : d + penalty * p // as in the kernels, an infinite p without penalty changes nothing
}

/** For float64 twins: `a + weight·(b - a)`, from the nearer end, as torch.lerp and the kernels have it. */
export function blended(a: number, b: number, weight: number): number {
  return Math.abs(weight) < 0.5 ? a + weight * (b - a) : b - (1 - weight) * (b - a)
}

/** Memory for the scalars of an update. */
export function newScalars({ kernel }: UpdateRule): Float64Array {
  return new Float64Array(scalarFields[kernel as UpdateKernel].length)
}

/** The scalars of an update as its kernel reads them. */
export function packScalars(
  rule: UpdateRule,
  group: unknown,
  state: StateScalars,
  packed = newScalars(rule),
): Float64Array {
  writeScalars[rule.kernel as UpdateKernel](packed, 0, rule.updateScalars(group, state) as never)
  return packed
}

/** Emits one parameter's update. */
export function emitUpdate(rule: UpdateRule, e: Emitter, update: Update, group: unknown): void {
  if (rule.emit) {
    rule.emit(e, update, group)
    return
  }
  const { p, g, scalars, state } = update
  const kernels = e.kernels as unknown as Record<UpdateKernel, (args: object) => void>
  kernels[rule.kernel as UpdateKernel](Object.assign({ p, g, scalars, n: p.length }, state))
}
