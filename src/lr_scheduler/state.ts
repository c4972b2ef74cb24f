/**
 * State dicts of schedules: options and state under PyTorch's keys, checked whole before anything is taken over.
 * Not here: which state a schedule keeps.
 */

import { checkNumber } from '../base/check.js'
import { AnnealError, describe, phrase, typeError } from '../base/errors.js'
import { entriesOf, integer, type ScheduleSpec, type StateTable, stateKey } from './options.js'

/** A schedule's state under PyTorch's keys: numbers, strings, booleans, null, arrays and objects. */
export type SchedulerStateDict = Record<string, unknown>

/** No state of a schedule is nested deeper. */
const DEPTH = 8

/** A deep copy of plain data. Throws ERR_STATE for what never ends. */
export function copyOf<T>(value: T, depth = DEPTH): T {
  if (typeof value !== 'object' || value === null) return value
  if (depth === 0)
    throw new AnnealError('ERR_STATE', phrase('state dict', `plain data of ${DEPTH} levels at most`, 'more'))
  if (Array.isArray(value)) return Array.from(value, entry => copyOf(entry, depth - 1)) as T
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, copyOf(entry, depth - 1)])) as T
}

/** The options that are part of the state dict, under its keys. */
export function saveOptions<O>(spec: ScheduleSpec<O>, values: Required<O>, groups: number): SchedulerStateDict {
  const saved: SchedulerStateDict = {}
  for (const [name, option] of entriesOf(spec)) {
    const key = stateKey(name, option)
    const value = values[name as keyof O]
    if (key !== null) saved[key] = option.save ? option.save(value, groups) : copyOf(value)
  }
  return saved
}

/** The options with those of the state dict in their place. */
export function loadOptions<O>(spec: ScheduleSpec<O>, values: Required<O>, dict: SchedulerStateDict): Required<O> {
  const loaded: Record<string, unknown> = { ...values }
  for (const [name, option] of entriesOf(spec)) {
    const key = stateKey(name, option)
    if (key === null) continue
    const saved = entry(spec.name, dict, key)
    loaded[name] = checked(() => {
      const value = option.load ? option.load(saved, values[name as keyof O]) : copyOf(saved)
      return option.check(`${spec.name}.loadStateDict`, key, value)
    })
  }
  return loaded as Required<O>
}

/** Counts of steps: -1 before the first. */
const counts: StateTable = { last_epoch: integer({ min: -1 }).check, _step_count: integer({ min: 0 }).check }

/**
 * The state of the dict, of the same form as the present one. Lists have one entry for each group that had joined when it
 * was written.
 */
export function loadState<S extends { _last_lr: number[] }>(
  spec: Pick<ScheduleSpec<object>, 'name' | 'state'>,
  present: S,
  dict: SchedulerStateDict,
  groups: number,
): S {
  const { name, state } = spec
  const checks: StateTable = { ...counts, ...state }
  const length = checkGroups(name, entry(name, dict, '_last_lr'), groups)
  const loaded: SchedulerStateDict = {}
  for (const [key, value] of Object.entries(present)) {
    const saved = entry(name, dict, key)
    const check = Object.hasOwn(checks, key) ? checks[key] : Array.isArray(value) ? numbers(length) : sameType(value)
    loaded[key] = checked(() => check(`${name}.loadStateDict`, key, saved))
  }
  return loaded as S
}

function checkGroups(where: string, saved: unknown, groups: number): number {
  if (Array.isArray(saved) && saved.length >= 1 && saved.length <= groups) return saved.length
  throw stateError(where, `_last_lr to have one entry per parameter group (${groups})`, saved)
}

/** Values of groups: any but NaN. */
const numbers =
  (length: number): StateTable[string] =>
  (where, name, value) => {
    if (!Array.isArray(value) || value.length !== length)
      throw typeError(where, `${name} to be an array of ${length}`, value)
    return Array.from(value, (entry, i) =>
      checkNumber(where, `${name}[${i}]`, entry, { min: -Infinity, max: Infinity }),
    )
  }

const sameType =
  (present: unknown): StateTable[string] =>
  (where, name, value) => {
    if (typeof value !== typeof present) throw typeError(where, `${name} to be a ${typeof present}`, value)
    return value
  }

export function stateError(where: string, expected: string, received: unknown): AnnealError {
  return new AnnealError('ERR_STATE', `${where}.loadStateDict: expected ${expected} but received ${describe(received)}`)
}

/** A plain object. Returns it. */
export function checkDict(where: string, dict: unknown): SchedulerStateDict {
  if (typeof dict !== 'object' || dict === null || Array.isArray(dict)) {
    throw typeError(`${where}.loadStateDict`, 'a state dict', dict)
  }
  return dict as SchedulerStateDict
}

function entry(where: string, dict: SchedulerStateDict, key: string): unknown {
  if (!Object.hasOwn(dict, key)) throw stateError(where, `the key ${key}`, `only ${Object.keys(dict).join(', ')}`)
  return dict[key]
}

/** A value in a state dict that is refused is a matter of state, not of an argument. */
function checked<T>(check: () => T): T {
  try {
    return check()
  } catch (error) {
    if (error instanceof AnnealError) throw error
    throw new AnnealError('ERR_STATE', (error as Error).message, { cause: error })
  }
}
