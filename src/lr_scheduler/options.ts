/**
 * The options of a schedule as a table: check, default and key in the state dict, each stated once. Not here: what a
 * schedule does with them.
 */

import { type Bounds, checkBoolean, checkInt, checkNumber, checkOneOf, checkOptions } from '../base/check.js'
import { rangeError, typeError } from '../base/errors.js'
import { isCallable } from '../base/kinds.js'
import { initialOf, type ParamName, type ScheduledGroup } from './schedulable.js'

/** Options that every schedule takes. */
export interface CommonOptions {
  /** The hyper-parameter to drive: any numeric option of the groups, `beta1`, `beta2`. Default 'lr'. */
  param?: ParamName
  /** Indices of the parameter groups to drive. Default all. */
  groups?: number[] | null
}

/** Options of a schedule that counts updates. */
export interface CountedOptions extends CommonOptions {
  /** The count to go on from; at -1 the schedule starts. Default -1. */
  lastEpoch?: number
}

/** One option: its check, its default (none: required) and its place in the state dict. */
export interface Option<T> {
  readonly check: (where: string, name: string, value: unknown) => T
  readonly default?: T
  /** PyTorch's key in the state dict; null: configuration that is not part of it. Default: the name in snake_case. */
  readonly key?: string | null
  /** An array must have one entry per parameter group. */
  readonly perGroup?: boolean
  /** The entry of a group that is added later. Default: the value that it comes with, where it then stays. */
  readonly joins?: (group: ScheduledGroup, param: ParamName) => unknown
  /** How the state dict shows the value, where it is not the value itself. */
  readonly save?: (value: T, groups: number) => unknown
  /** The value from what `save` wrote; `present` is the value before loading. */
  readonly load?: (saved: unknown, present: T) => unknown
}

export type OptionTable<O> = { readonly [K in keyof O]-?: Option<Required<O>[K]> }

/** Everything about a schedule that is not code. */
export interface ScheduleSpec<O> {
  /** The name of the exported class, PyTorch's where it has one. */
  readonly name: string
  /** Every option with its check and default. */
  readonly options: OptionTable<O>
  /** What its state may be in a state dict, where that is more than its type. */
  readonly state?: StateTable
}

/** Checks of entries of a state dict, by key. */
export type StateTable = Readonly<Record<string, Option<unknown>['check']>>

type Rest<T> = Partial<Omit<Option<T>, 'check'>>

/** A finite number within bounds; `rest` gives the default and more. */
export function number(bounds: Bounds, rest: Rest<number> = {}): Option<number> {
  return { check: (where, name, value) => checkNumber(where, name, value, bounds), ...rest }
}

export function integer(bounds: Bounds, rest: Rest<number> = {}): Option<number> {
  return { check: (where, name, value) => checkInt(where, name, value, bounds), ...rest }
}

export function flag(value: boolean, rest: Rest<boolean> = {}): Option<boolean> {
  return { check: checkBoolean, default: value, ...rest }
}

/** One of a set of names; the first is the default. */
export function choice<T extends string>(allowed: readonly T[], rest: Rest<T> = {}): Option<T> {
  return { check: (where, name, value) => checkOneOf(where, name, value, allowed), default: allowed[0], ...rest }
}

/** A number for all groups, or an array with one per group. */
export function perGroup(bounds: Bounds, rest: Rest<number | number[]> = {}): Option<number | number[]> {
  const check = (where: string, name: string, value: unknown) =>
    Array.isArray(value)
      ? Array.from(value, (entry, i) => checkNumber(where, `${name}[${i}]`, entry, bounds))
      : checkNumber(where, name, value, bounds)
  return { check, perGroup: true, key: null, ...rest }
}

/** An option that may be left out: null then. */
export function optional<T>({ check, ...rest }: Option<T>): Option<T | null> {
  return {
    ...(rest as object),
    check: (where, name, value) => (value === null ? null : check(where, name, value)),
    default: null,
  }
}

/** A function for all groups, or an array with one per group; the state dict shows null for each, as in PyTorch. */
export function functions<F extends (...args: never[]) => number>(key: string): Option<F | F[]> {
  const check = (where: string, name: string, value: unknown) => {
    for (const fn of Array.isArray(value) ? Array.from(value) : [value]) {
      if (!isCallable(fn)) throw typeError(where, `${name} to be a function or an array of functions`, fn)
    }
    return value as F | F[]
  }
  return {
    check,
    perGroup: true,
    joins: () => () => 1,
    key,
    save: (_, n) => new Array(n).fill(null),
    load: (_, present) => present,
  }
}

/** Whole numbers of at least 0. */
export function integers(rest: Rest<number[]>): Option<number[]> {
  const check = (where: string, name: string, value: unknown) => {
    if (!Array.isArray(value)) throw typeError(where, `${name} to be an array of integers`, value)
    return Array.from(value, (entry, i) => checkInt(where, `${name}[${i}]`, entry, { min: 0 }))
  }
  return { check, ...rest }
}

export const commonOptions: OptionTable<CommonOptions> = {
  param: {
    check(where, name, value) {
      if (typeof value !== 'string' || value === '')
        throw typeError(where, `${name} to be the name of an option`, value)
      return value
    },
    default: 'lr',
    key: null,
  },
  groups: optional(integers({ key: null })),
}

/** The options of every schedule that counts updates, for the table of one that adds its own. */
export const countedOptions: OptionTable<CountedOptions> = {
  ...commonOptions,
  lastEpoch: integer({ min: -1 }, { default: -1, key: null }),
}

/** The count of a schedule that replays its steps to get there: no more of them than can be meant. */
export const replayedLastEpoch = integer({ min: -1, max: 1e7 }, { default: -1, key: null })

/** PyTorch's key of an option: `totalIters` is `total_iters`, `tMax` is `T_max`. */
export function stateKey(name: string, { key }: { key?: string | null }): string | null {
  if (key !== undefined) return key
  return name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
}

/** The rows of the table. */
export function entriesOf<O>({ options }: ScheduleSpec<O>): [string, Option<unknown>][] {
  return Object.entries(options as Record<string, Option<unknown>>)
}

/** Checks the options given and fills in the defaults. */
export function fillIn<O>(spec: ScheduleSpec<O>, given: object, groups: number): Required<O> {
  const { name: where, options } = spec
  checkOptions(where, given, Object.keys(options))
  const filled: Record<string, unknown> = {}
  for (const [name, option] of entriesOf(spec)) {
    const value = (given as Record<string, unknown>)[name]
    filled[name] = value === undefined && 'default' in option ? option.default : option.check(where, name, value)
    if (option.perGroup) checkPerGroup(where, name, filled[name], groups)
  }
  return filled as Required<O>
}

function checkPerGroup(where: string, name: string, value: unknown, groups: number): void {
  if (Array.isArray(value) && value.length !== groups) {
    throw rangeError(where, `${name} to have one entry per parameter group (${groups})`, value)
  }
}

/** The options with an entry for group `i`, added later, in each list that has one per group. */
export function joined<O>(
  spec: ScheduleSpec<O>,
  options: Required<O>,
  i: number,
  group: ScheduledGroup,
  param: ParamName,
) {
  const extended: Record<string, unknown> = { ...options }
  for (const [name, { perGroup, joins = initialOf }] of entriesOf(spec)) {
    const list = extended[name]
    if (perGroup && Array.isArray(list) && list.length <= i) extended[name] = withEntry(list, i, joins(group, param))
  }
  return extended as Required<O>
}

/** A copy of a list with another entry at `i`. */
export function withEntry<T>(list: readonly T[], i: number, entry: T): T[] {
  const copy = [...list]
  copy[i] = entry
  return copy
}

/** The entry of group `i` in an option that is given for all groups or per group. */
export function entryOf<T>(value: T | T[], i: number): T {
  return Array.isArray(value) ? value[i] : value
}
