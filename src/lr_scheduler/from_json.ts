/** fromJSON: schedules from what their `toJSON` wrote. Not here: which options and state there are. */

import { AnnealError, phrase, typeError } from '../base/errors.js'
import type { LRScheduler, SchedulerJSON } from './lr_scheduler.js'
import { fromPlain } from './plain.js'
import { checkSchedulable, type Schedulable, type ScheduledGroup } from './schedulable.js'
import * as schedules from './schedules.js'

const where = 'lrScheduler.fromJSON'

/**
 * The schedule that `toJSON` wrote, on an optimizer with as many parameter groups: it goes on where it stood, and the
 * hyper-parameters it owns have the values they had.
 *
 * Throws TypeError for what is no such object, AnnealError `ERR_STATE` for an unknown class or a state that does not
 * fit; RangeError or TypeError for bad options. The optimizer is left as it was then.
 *
 * ```ts
 * const text = JSON.stringify(scheduler)
 * const again = lrScheduler.fromJSON(optimizer, JSON.parse(text))
 * ```
 */
export function fromJSON(optimizer: Schedulable, json: SchedulerJSON): LRScheduler {
  const { paramGroups } = checkSchedulable(where, optimizer)
  checkJSON(json, paramGroups.length)
  const before = paramGroups.map(group => ({ ...group }))
  try {
    const scheduler = rebuilt(optimizer, json)
    for (const [g, values] of json.groups.entries()) writeGroup(paramGroups[g], scheduler.ownKeys(), values)
    return scheduler
  } catch (error) {
    for (const [g, group] of paramGroups.entries()) {
      for (const key of Object.keys(group)) if (!(key in before[g])) delete group[key]
      Object.assign(group, before[g])
    }
    throw error
  }
}

/** A class of a schedule that can be made; the abstract ones have no spec. */
interface Revivable {
  readonly spec: { readonly name: string }
  revive(optimizer: Schedulable, options: object): LRScheduler
}

function rebuilt(optimizer: Schedulable, json: SchedulerJSON): LRScheduler {
  const known = (Object.values(schedules) as unknown as Revivable[]).find(
    entry => Object.hasOwn(entry, 'spec') && entry.spec.name === json.scheduler,
  )
  if (!known) throw new AnnealError('ERR_STATE', phrase(where, 'the name of a schedule', json.scheduler))
  const options = Object.entries(json.options).map(([key, value]) => [key, revived(optimizer, value)])
  const scheduler = known.revive(optimizer, Object.fromEntries(options))
  scheduler.loadStateDict(fromPlain(json.state) as SchedulerJSON['state'])
  return scheduler
}

/** Only what the schedule owns is taken over, and only numbers, or betas. */
function writeGroup(group: ScheduledGroup, keys: readonly string[], values: Record<string, unknown>): void {
  for (const key of keys) {
    const value = fromPlain(values?.[key])
    if (value === undefined) continue
    const entries = Array.isArray(value) ? value : [value]
    if (entries.some(entry => typeof entry !== 'number')) {
      throw new AnnealError('ERR_STATE', phrase(where, `${key} of a group to be a number`, value))
    }
    group[key] = value
  }
}

function revived(optimizer: Schedulable, value: unknown): unknown {
  if (Array.isArray(value)) return value.map(entry => revived(optimizer, entry))
  return isJSON(value) ? rebuilt(optimizer, value) : fromPlain(value)
}

const isRecord = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)

function isJSON(value: unknown): value is SchedulerJSON {
  const { scheduler, options, state } = (value ?? {}) as SchedulerJSON
  return typeof scheduler === 'string' && isRecord(options) && isRecord(state)
}

function checkJSON(json: unknown, groups: number): void {
  if (!isJSON(json) || !Array.isArray(json.groups)) throw typeError(where, 'what toJSON gives', json)
  if (json.groups.length !== groups) {
    throw new AnnealError('ERR_STATE', phrase(where, `${json.groups.length} parameter groups`, groups))
  }
}
