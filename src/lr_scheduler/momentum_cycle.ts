/**
 * Momentum that runs against the rate, as CyclicLR and OneCycleLR have it: options, limits and keys in the groups.
 * Not here: the course of the cycle.
 */

import { rangeError } from '../base/errors.js'
import { entryOf, flag, perGroup } from './options.js'
import {
  groupKey,
  momentumParam,
  type ParamName,
  type Schedulable,
  type ScheduledGroup,
  writeParam,
} from './schedulable.js'

/** Options of a schedule that cycles momentum. */
export interface MomentumOptions {
  /** Let momentum (beta1 where the optimizer has betas) run against the rate. Default true. */
  cycleMomentum?: boolean
  /** Momentum at the highest rate; an array has one per parameter group. */
  baseMomentum?: number | number[]
  /** Momentum at the lowest rate; an array has one per parameter group. */
  maxMomentum?: number | number[]
}

/** The momentum that a group has: with lists of limits, one that is added later keeps it. */
const momentumOf = (group: ScheduledGroup) => group.betas?.[0] ?? group.momentum

/** The rows of the option table. */
export function momentumOptions(base: number, max: number) {
  return {
    cycleMomentum: flag(true),
    baseMomentum: perGroup({}, { default: base, joins: momentumOf }),
    maxMomentum: perGroup({}, { default: max, joins: momentumOf }),
  }
}

/** The momentum that is cycled, or null. Throws RangeError where there is none, or where it is driven already. */
export function cycledParam(
  where: string,
  optimizer: Schedulable,
  cycle: boolean,
  driven: ParamName,
): ParamName | null {
  if (!cycle) return null
  const param = momentumParam(where, optimizer)
  if (param === driven) throw rangeError(where, `cycleMomentum to be false when param is '${driven}'`, true)
  return param
}

/** Writes the limits into a group and starts at the upper one. */
export function startMomentum(
  group: ScheduledGroup,
  i: number,
  options: Required<MomentumOptions>,
  param: ParamName,
): void {
  keepMomentum(group, i, options)
  writeParam(group, param, group.maxMomentum as number)
}

/** Writes the limits into a group, where PyTorch keeps them. */
export function keepMomentum(group: ScheduledGroup, i: number, options: Required<MomentumOptions>): void {
  group.baseMomentum = entryOf(options.baseMomentum, i)
  group.maxMomentum = entryOf(options.maxMomentum, i)
}

/** The groups' keys that a cycle of momentum writes. */
export function momentumKeys(param: ParamName | null): string[] {
  return param === null ? [] : [groupKey(param), 'baseMomentum', 'maxMomentum']
}
