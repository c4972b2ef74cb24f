/** An optimizer's state in PyTorch's layout: `{ state: { 0: { momentum_buffer } }, param_groups: [{ lr, params }] }`. */

import { AnnealError, phrase, typeError } from '../base/errors.js'
import { shapeText } from '../ops/spec.js'
import { Tensor } from '../tensor/index.js'
import type { Optimizer, ParamGroup, ParamState } from './optimizer.js'

/** What a dict holds of one parameter; LBFGS has lists. */
export type SavedState = Record<string, Tensor | number | readonly (Tensor | number)[]>

/** PyTorch's layout and key names. Parameters are numbered in the order of the groups. */
export interface OptimizerStateDict {
  state: Record<number, SavedState>
  param_groups: Record<string, unknown>[]
}

const snakeCase = (name: string) => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
const camelCase = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

function copyOf(value: unknown): unknown {
  return Array.isArray(value) ? [...value] : value
}

function writeState({ rule }: Optimizer, { scalars, tensors }: ParamState): Record<string, Tensor | number> {
  const { step, ...rest } = scalars
  return { ...(rule.countsSteps ? { step } : {}), ...rest, ...tensors }
}

export function writeStateDict(optimizer: Optimizer): OptimizerStateDict {
  const all = optimizer.paramGroups.flatMap(group => group.params)
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

function bad(expected: string, received: unknown): AnnealError {
  return new AnnealError('ERR_STATE', phrase('loadStateDict', expected, received))
}

function readGroup(optimizer: Optimizer, group: ParamGroup, saved: Record<string, unknown>): Record<string, unknown> {
  const { params, ...options } = saved
  if (!Array.isArray(params) || params.length !== group.params.length) {
    throw bad(`a group of ${group.params.length} parameters`, Array.isArray(params) ? `${params.length}` : params)
  }
  const read: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(options)) {
    const name = camelCase(key)
    const spec = optimizer.rule.options[name]
    read[name] = spec ? spec.check('loadStateDict', name, copyOf(value)) : value
  }
  return read
}

function readState(optimizer: Optimizer, group: ParamGroup, p: Tensor, saved: Record<string, unknown>): ParamState {
  const keys = optimizer.rule.slots(group).flatMap(slot => (slot ? [slot.key] : []))
  const state: ParamState = { scalars: { step: 0, ...optimizer.rule.scalars?.(group) }, tensors: {} }
  for (const [key, value] of Object.entries(saved)) {
    if (keys.includes(key) && value !== null) {
      if (!(value instanceof Tensor) || shapeText(value.shape) !== shapeText(p.shape) || value.data.length !== p.size) {
        throw bad(
          `${key} to be a Tensor of shape ${shapeText(p.shape)}`,
          value instanceof Tensor ? shapeText(value.shape) : value,
        )
      }
      state.tensors[key] = new Tensor(p.shape, 'float32', Float32Array.from(value.data))
    } else if (key in state.scalars) {
      // PyTorch keeps counts in tensors of one element.
      const plain = value instanceof Tensor && value.size === 1 ? value.item() : value
      if (typeof plain !== 'number') throw bad(`${key} to be a number`, plain)
      state.scalars[key] = plain
    } else if (value !== null) {
      throw bad(`state keys among ${['step', ...keys].join(', ')}`, key)
    }
  }
  // SGD's dict holds no count: a momentum buffer means that it has been started.
  if (!optimizer.rule.countsSteps && Object.keys(state.tensors).length > 0) state.scalars.step = 1
  return state
}

export function readStateDict(optimizer: Optimizer, dict: OptimizerStateDict): void {
  if (
    typeof dict !== 'object' ||
    dict === null ||
    !Array.isArray(dict.param_groups) ||
    typeof dict.state !== 'object' ||
    dict.state === null
  ) {
    throw typeError('loadStateDict', 'a state dict { state, param_groups }', dict)
  }
  const { paramGroups } = optimizer
  if (dict.param_groups.length !== paramGroups.length)
    throw bad(`${paramGroups.length} parameter groups`, `${dict.param_groups.length}`)
  const options = paramGroups.map((group, i) => readGroup(optimizer, group, dict.param_groups[i]))
  const states: [Tensor, ParamState][] = []
  paramGroups.forEach((group, g) => {
    const merged = { ...group, ...options[g] } as ParamGroup
    group.params.forEach((p, i) => {
      const saved = dict.state[(dict.param_groups[g].params as number[])[i]]
      if (saved) states.push([p, readState(optimizer, merged, p, saved)])
    })
  })
  for (const [g, group] of paramGroups.entries()) Object.assign(group, options[g])
  optimizer.state.clear()
  for (const [p, state] of states) optimizer.state.set(p, state)
}
