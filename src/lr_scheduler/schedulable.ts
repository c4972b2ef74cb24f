/**
 * What a schedule needs of an optimizer: groups of plain options. Not here: optimizers, and how a schedule moves. The
 * hyper-parameter that a schedule drives is named by `param`; `beta1` and `beta2` are the two entries of `betas`.
 */

import { rangeError, typeError } from '../base/errors.js'

/** A parameter group: plain options, read and written in place. */
export interface ScheduledGroup {
  /** The learning rate. */
  lr: number
  /** The rate that schedules start from; set by the first schedule. */
  initialLr?: number
  /** Of SGD and its kin. */
  momentum?: number
  /** Decay rates of the running means, of Adam and its kin. */
  betas?: [number, number]
  [option: string]: unknown
}

/** Anything with parameter groups; every optimizer is one. */
export interface Schedulable {
  /** The groups, written in place. */
  readonly paramGroups: ScheduledGroup[]
}

/** The hyper-parameter that a schedule drives: a numeric option of the parameter groups. */
export type ParamName = 'lr' | 'momentum' | 'weightDecay' | 'beta1' | 'beta2' | (string & {})

export function readParam(group: ScheduledGroup, param: ParamName): number {
  if (param === 'beta1') return group.betas?.[0] as number
  if (param === 'beta2') return group.betas?.[1] as number
  return group[param] as number
}

/** Writes a value; betas are replaced, never changed in place, so that a kept reference stays what it was. */
export function writeParam(group: ScheduledGroup, param: ParamName, value: number): void {
  if (param === 'beta1') group.betas = [value, group.betas![1]]
  else if (param === 'beta2') group.betas = [group.betas![0], value]
  else group[param] = value
}

/** The group's key that holds a hyper-parameter. */
export function groupKey(param: ParamName): string {
  return param === 'beta1' || param === 'beta2' ? 'betas' : param
}

/** A companion key of a hyper-parameter in the group: `initial` of `lr` is `initialLr`. */
export function companionKey(prefix: string, param: ParamName): string {
  return param === 'lr' ? `${prefix}Lr` : `${prefix}${param[0].toUpperCase()}${param.slice(1)}`
}

/** Whether a key of a group is a companion, and not a hyper-parameter itself. */
export function isCompanion(key: string): boolean {
  return /^(?:initial|max|min|base|swa)[A-Z]/.test(key)
}

/** The initial value of a group's hyper-parameter, remembered in the group at first use. */
export function initialOf(group: ScheduledGroup, param: ParamName): number {
  const key = companionKey('initial', param)
  group[key] ??= readParam(group, param)
  return group[key] as number
}

/** The momentum that is cycled against the rate: beta1 where there are betas. */
export function momentumParam(where: string, { paramGroups }: Schedulable): ParamName {
  const param = paramGroups[0].betas === undefined ? 'momentum' : 'beta1'
  for (const group of paramGroups) {
    if (typeof readParam(group, param) !== 'number') {
      throw rangeError(where, 'an optimizer with momentum or betas when cycleMomentum is true', 'neither')
    }
  }
  return param
}

/** An object with at least one parameter group that has a numeric lr. Returns it. */
export function checkSchedulable(where: string, optimizer: unknown): Schedulable {
  const groups = (optimizer as Schedulable | null | undefined)?.paramGroups
  if (!Array.isArray(groups) || groups.length === 0 || groups.some(group => typeof group?.lr !== 'number')) {
    throw typeError(where, 'optimizer to be an Optimizer', optimizer)
  }
  return optimizer as Schedulable
}
