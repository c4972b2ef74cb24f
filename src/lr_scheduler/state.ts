/**
 * State dicts of schedules: options and state under PyTorch's keys, checked whole before anything is taken over.
 * Not here: which state a schedule keeps.
 */

import { AnnealError, describe, typeError } from '../base/errors.js'
import { entriesOf, type ScheduleSpec, stateKey } from './options.js'

/** A schedule's state under PyTorch's keys: numbers, strings, booleans, null, arrays and objects. */
export type SchedulerStateDict = Record<string, unknown>

/** A deep copy of plain data. */
export function copyOf<T>(value: T): T {
  if (Array.isArray(value)) return value.map(copyOf) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, copyOf(entry)])) as T
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
    const value = option.load ? option.load(saved, values[name as keyof O]) : copyOf(saved)
    loaded[name] = checked(() => option.check(`${spec.name}.loadStateDict`, key, value))
  }
  return loaded as Required<O>
}

/** The state of the dict, of the same form as the present one. */
export function loadState<S extends object>(where: string, present: S, dict: SchedulerStateDict): S {
  const loaded: SchedulerStateDict = {}
  for (const [key, value] of Object.entries(present)) {
    const saved = entry(where, dict, key)
    if (!sameForm(value, saved)) throw stateError(where, `${key} to be like ${formOf(value)}`, saved)
    loaded[key] = copyOf(saved)
  }
  return loaded as S
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
    throw new AnnealError('ERR_STATE', (error as Error).message, { cause: error })
  }
}

function formOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : describe(value)
}

/** Lists of numbers, one per group, keep their length. NaN is never a state. */
function sameForm(present: unknown, saved: unknown): boolean {
  if (typeof saved !== typeof present || saved === null || Number.isNaN(saved)) return false
  if (Array.isArray(present)) {
    if (
      !Array.isArray(saved) ||
      (present.length !== saved.length && (typeof present[0] !== 'object' || saved.length === 0))
    )
      return false
    return saved.every(value => sameForm(present[0], value))
  }
  if (typeof present !== 'object' || present === null) return true
  return Object.entries(present).every(([key, value]) => sameForm(value, (saved as SchedulerStateDict)[key]))
}
