/** An optimizer's state in PyTorch's layout: `{ state: { 0: { momentum_buffer } }, param_groups: [{ lr, params }] }`. */

import { checkInt, checkNumber } from '../base/check.js'
import { AnnealError, phrase, typeError } from '../base/errors.js'
import { isPlainObject } from '../base/kinds.js'
import { isSameShape, shapeText } from '../ops/spec.js'
import { checkAttached, Tensor, tensorFrom } from '../tensor/index.js'
import { busyError } from '../tensor/tensor.js'
import type { Optimizer, ParamGroup, ParamState } from './optimizer.js'
import { checkRate, type Slot, type UpdateRule } from './rule.js'

/** What a dict holds of one parameter; LBFGS has lists. */
export type SavedState = Record<string, Tensor | number | readonly (Tensor | number)[]>

/** PyTorch's layout and key names. Parameters are numbered in the order of the groups. */
export interface OptimizerStateDict {
  /** A parameter's state by its position over all groups, for those that were updated. */
  state: Record<number, SavedState>
  /** The groups' options under PyTorch's keys, `params` as positions. */
  param_groups: Record<string, unknown>[]
}

const snakeCase = (name: string) => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
const camelCase = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

function copyOf(value: unknown): unknown {
  return Array.isArray(value) ? [...value] : value
}

function writeState({ rule }: Optimizer, { scalars, tensors }: ParamState): Record<string, Tensor | number> {
  const { step, ...rest } = scalars
  for (const [key, tensor] of Object.entries(tensors)) checkAttached(`${rule.name}.stateDict`, tensor, key)
  return { ...(rule.countsSteps ? { step } : {}), ...rest, ...tensors }
}

export function writeStateDict(optimizer: Optimizer): OptimizerStateDict {
  const all = optimizer.paramGroups.flatMap(group => group.params)
  if (all.some(p => p.busy)) throw busyError(`${optimizer.rule.name}.stateDict`)
  const state: OptimizerStateDict['state'] = {}
  all.forEach((p, i) => {
    const own = optimizer.state.get(p)
    const entries = own && writeState(optimizer, own)
    if (entries && Object.keys(entries).length > 0) state[i] = entries
  })
  let at = 0
  const groups = optimizer.paramGroups.map(({ params, ...options }) => {
    const named = Object.entries(options).map(([name, value]) => [snakeCase(name), copyOf(value)])
    return { ...Object.fromEntries(named), params: params.map(() => at++) }
  })
  return { state, param_groups: groups }
}

/** @internal A state dict that does not fit. */
export function badState(expected: string, received: unknown): AnnealError {
  return new AnnealError('ERR_STATE', phrase('loadStateDict', expected, received))
}

/** What is refused in a state dict is a matter of state, not of an argument. */
function asState<T>(check: () => T): T {
  try {
    return check()
  } catch (error) {
    if (error instanceof AnnealError) throw error
    throw new AnnealError('ERR_STATE', (error as Error).message, { cause: error })
  }
}

/** @internal A number; PyTorch keeps counts in tensors of one element. */
export function readNumber(key: string, value: unknown): number {
  const plain = typeof value === 'object' ? tensorFrom('loadStateDict', key, value) : value
  return checkNumber('loadStateDict', key, plain instanceof Tensor && plain.size === 1 ? plain.item() : plain)
}

const isPlain = (value: unknown): boolean =>
  value === null ||
  typeof value === 'string' ||
  typeof value === 'boolean' ||
  Number.isFinite(value) ||
  (Array.isArray(value) && Array.from(value).every(entry => !Array.isArray(entry) && isPlain(entry)))

/** An option by its own check; what schedules and other libraries keep in a group is plain, and of the type that it has. */
function readOption({ options, fixed }: UpdateRule, group: ParamGroup, name: string, value: unknown): unknown {
  if (name === 'lr') {
    const lr = readNumber('lr', value)
    checkRate('loadStateDict', { lr })
    return lr
  }
  // JSON has no infinity, which only lists of limits hold.
  if (options[name]) {
    const given = Array.isArray(value) ? Array.from(value, entry => (entry === null ? Infinity : entry)) : value
    return options[name].check('loadStateDict', name, given)
  }
  if (fixed && Object.hasOwn(fixed, name) && value !== fixed[name])
    throw badState(`${name} to be ${fixed[name]}`, value)
  const present = Object.hasOwn(group, name) ? typeof group[name] : name === 'initialLr' ? 'number' : null
  if (!isPlain(value) || (present !== null && present !== 'object' && typeof value !== present)) {
    throw badState(`${name} of a group to be ${present === null ? 'plain data' : `a ${present}`}`, value)
  }
  return copyOf(value)
}

function readGroup(rule: UpdateRule, group: ParamGroup, saved: unknown): ParamGroup & { ids: number[] } {
  if (!isPlainObject(saved)) throw badState('each of param_groups to be an object', saved)
  const { params, ...options } = saved
  if (!Array.isArray(params) || params.length !== group.params.length) {
    throw badState(`a group of ${group.params.length} parameters`, Array.isArray(params) ? `${params.length}` : params)
  }
  const read: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(options)) {
    const name = camelCase(key)
    if (key in Object.prototype || name in Object.prototype || name === 'params' || Object.hasOwn(read, name)) {
      throw badState('each option of a group once', key)
    }
    read[name] = readOption(rule, group, name, value)
  }
  const ids = Array.from(params, id => checkInt('loadStateDict', 'each of params', id, { min: 0 }))
  return { ...read, ids } as unknown as ParamGroup & { ids: number[] }
}

function readTensor({ key, min = -Infinity }: Slot<never>, p: Tensor, value: unknown): Tensor {
  const given = tensorFrom('loadStateDict', key, value)
  if (!isSameShape(given.shape, p.shape) || given.dtype !== 'float32') {
    throw badState(`${key} to be a Tensor of float32 ${shapeText(p.shape)}`, `${given.dtype} ${shapeText(given.shape)}`)
  }
  checkAttached('loadStateDict', given, key)
  const values = Float32Array.from(given.values)
  // A square that overflowed stops a parameter, as in PyTorch; an infinite step would spoil it.
  const bad = values.find(v => !(v >= min && (v < Infinity || min === 0) && v > -Infinity))
  if (bad !== undefined) throw badState(`values of ${key} ${min === 0 ? 'from 0' : 'that are finite'}`, bad)
  return new Tensor(p.shape, 'float32', values)
}

/** @internal The state of a parameter under these options. */
export function readState(rule: UpdateRule, group: ParamGroup, p: Tensor, saved: SavedState): ParamState {
  const state: ParamState = { scalars: { step: 0, ...rule.scalars?.(group) }, tensors: {} }
  for (const [key, value] of Object.entries(saved) as [string, unknown][]) {
    const slot = rule.slots.find(slot => slot.key === key)
    if (slot) {
      if (value !== null) state.tensors[key] = readTensor(slot as Slot<never>, p, value)
    } else if (Object.hasOwn(state.scalars, key)) {
      const number = readNumber(key, value)
      const bounds = key === 'step' ? { min: 0 } : rule.scalarBounds?.[key]
      state.scalars[key] = (key === 'step' ? checkInt : checkNumber)('loadStateDict', key, number, bounds)
    } else throw badState(`state keys among ${['step', ...rule.slots.map(slot => slot.key)].join(', ')}`, key)
  }
  checkComplete(rule, state, saved)
  // A dict without a count: a momentum buffer means that it has been started.
  if (!rule.countsSteps && Object.keys(state.tensors).length > 0) state.scalars.step = 1
  return state
}

/** Half a state would go on with moments of nothing, or with the corrections of a first step. */
function checkComplete({ slots, countsSteps }: UpdateRule, { tensors }: ParamState, saved: SavedState): void {
  const keys = [...(countsSteps ? ['step'] : []), ...slots.flatMap(({ key, when }) => (when ? [] : [key]))]
  const missing = keys.find(key => (key === 'step' ? !Object.hasOwn(saved, key) : !tensors[key]))
  if (missing !== undefined && Object.keys(saved).length > 0) throw badState(`the state to hold ${missing}`, 'none')
}

function checkDict(dict: unknown): asserts dict is OptimizerStateDict {
  const { state, param_groups } = (dict ?? {}) as OptimizerStateDict
  if (!isPlainObject(state) || !Array.isArray(param_groups)) {
    throw typeError('loadStateDict', 'a state dict { state, param_groups }', dict)
  }
}

/** State belongs to one parameter each. */
function checkIds(state: object, ids: readonly number[]): void {
  const known = new Set(ids.map(String))
  if (known.size < ids.length) throw badState('each of params to have a number of its own', 'one that appears twice')
  const unknown = Object.keys(state).find(id => !known.has(id))
  if (unknown !== undefined) throw badState('state of the parameters in param_groups', unknown)
}

export function readStateDict(optimizer: Optimizer, dict: OptimizerStateDict): void {
  checkDict(dict)
  const { paramGroups, rule } = optimizer
  if (paramGroups.some(({ params }) => params.some(p => p.busy))) throw busyError('loadStateDict')
  if (dict.param_groups.length !== paramGroups.length)
    throw badState(`${paramGroups.length} parameter groups`, `${dict.param_groups.length}`)
  const read = paramGroups.map((group, g) => asState(() => readGroup(rule, group, dict.param_groups[g])))
  const ids = read.flatMap(group => group.ids)
  checkIds(dict.state, ids)
  const states: [Tensor, ParamState][] = []
  paramGroups.forEach((group, g) => {
    const { ids, ...options } = read[g]
    group.params.forEach((p, i) => {
      const saved: unknown = Object.hasOwn(dict.state, ids[i]) ? dict.state[ids[i]] : undefined
      if (saved === undefined) return
      if (!isPlainObject(saved)) throw badState(`state[${ids[i]}] to be an object`, saved)
      states.push([p, asState(() => optimizer.readState({ ...group, ...options }, p, saved as SavedState))])
    })
  })
  paramGroups.forEach((group, g) => {
    const { ids: _, ...options } = read[g]
    Object.assign(group, options)
  })
  optimizer.state.clear()
  for (const [p, state] of states) optimizer.state.set(p, state)
}
