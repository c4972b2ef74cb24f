/**
 * Optimizer: parameter groups, state and state dicts around an update rule. Not here: any formula (one file per rule).
 */

import { checkOptions } from '../base/check.js'
import { AnnealError, phrase, rangeError, shapeError, typeError } from '../base/errors.js'
import type { Buf } from '../emitters/emitter.js'
import { shapeText } from '../ops/spec.js'
import { noGrad, Tensor } from '../tensor/index.js'
import { currentEmitter } from '../tensor/tape.js'
import { busyError } from '../tensor/tensor.js'
import { emitUpdate, type StateScalars, type UpdateRule } from './rule.js'
import { type OptimizerStateDict, readStateDict, writeStateDict } from './state_dict.js'

/** A group of parameters with every option of the optimizer filled in; edit `lr` and the others at any time. */
export interface ParamGroup {
  params: Tensor[]
  lr: number
  /** The rate that schedules start from; set by a scheduler. */
  initialLr?: number
  // biome-ignore lint/suspicious/noExplicitAny: every optimizer has options of its own.
  [option: string]: any
}

/** Parameters, or groups of them with options that differ from the optimizer's. */
export type Params = Iterable<Tensor> | Iterable<{ params: Iterable<Tensor>; [option: string]: unknown }>

/** What an optimizer remembers of one parameter. */
export interface ParamState {
  scalars: StateScalars
  /** State tensors by PyTorch's key. */
  tensors: Record<string, Tensor>
  /** What an optimizer without a rule for its update remembers besides; replaced, never changed. */
  readonly memory?: object
}

/** Base of every optimizer. */
export class Optimizer {
  readonly paramGroups: ParamGroup[] = []
  /** @internal */
  readonly rule: UpdateRule
  /** @internal */
  readonly state = new Map<Tensor, ParamState>()
  readonly #defaults: Record<string, unknown>

  constructor(rule: UpdateRule, params: Params, options: object = {}) {
    this.rule = rule
    checkOptions(rule.name, options, Object.keys(rule.options))
    this.#defaults = filledIn(rule, options as Record<string, unknown>, {})
    for (const group of asGroups(rule.name, params)) this.addParamGroup(group)
    if (this.paramGroups.length === 0) throw rangeError(rule.name, 'at least one parameter', 'none')
  }

  /** Adds a group; options not given are the optimizer's. Source: torch.optim.Optimizer.add_param_group. */
  addParamGroup(group: { params: Iterable<Tensor>; [option: string]: unknown }): void {
    const { params, initialLr, ...options } = group
    checkOptions(this.rule.name, options, Object.keys(this.rule.options))
    const tensors = checkParams(this.rule.name, params, this.paramGroups)
    const filled = filledIn(this.rule, options, this.#defaults)
    this.rule.checkGroup?.(this.rule.name, filled)
    for (const { shape } of tensors) this.rule.checkParam?.(this.rule.name, shape)
    const added = { params: tensors, ...filled, ...(initialLr === undefined ? {} : { initialLr }) } as ParamGroup
    this.paramGroups.push(added)
    if (this.rule.hasStateFromStart) for (const p of tensors) this.slotsOf(added, p, this.stateOf(added, p))
  }

  /**
   * Updates every parameter that has a gradient. With a closure: runs it first and returns its loss.
   * Gradients and rates are checked before anything is written.
   */
  step(closure?: () => Tensor): Tensor | undefined {
    const loss = closure?.()
    for (const group of this.paramGroups) checkUpdate(this.rule.name, group)
    noGrad(() => {
      for (const group of this.paramGroups) {
        for (const p of group.params) if (p.grad) this.#update(group, p, p.grad)
      }
    })
    return loss
  }

  /** Drops the gradients of all parameters: `grad` becomes null. */
  zeroGrad(): void {
    for (const { params } of this.paramGroups) for (const p of params) p.grad = null
  }

  /** State and options in PyTorch's layout and key names; state tensors share memory with the optimizer. */
  stateDict(): OptimizerStateDict {
    return writeStateDict(this)
  }

  /** Takes over a state dict of as many groups and parameters. Checked whole before anything is written. */
  loadStateDict(dict: OptimizerStateDict): void {
    readStateDict(this, dict)
  }

  /** @internal The state of a parameter, made on its first update. */
  stateOf(group: ParamGroup, p: Tensor): ParamState {
    let state = this.state.get(p)
    if (!state) {
      state = { scalars: { step: 0, ...this.rule.scalars?.(group) }, tensors: {} }
      this.state.set(p, state)
    }
    return state
  }

  /** @internal The state tensors the kernel takes, in its order, made where missing. */
  slotsOf(group: ParamGroup, p: Tensor, state: ParamState): (Tensor | null)[] {
    return this.rule.slots(group).map(slot => {
      if (!slot) return null
      state.tensors[slot.key] ??= new Tensor(p.shape, 'float32', new Float32Array(p.size).fill(slot.init ?? 0))
      return state.tensors[slot.key]
    })
  }

  #update(group: ParamGroup, p: Tensor, grad: Tensor): void {
    const state = this.stateOf(group, p)
    state.scalars.step++
    this.emitUpdate(group, p, grad, state, Float64Array.from(this.rule.row(group, state.scalars)))
  }

  /** @internal One parameter's update with these scalars, through the current emitter. */
  emitUpdate(group: ParamGroup, p: Tensor, grad: Tensor, state: ParamState, row: Buf): void {
    const slots = this.slotsOf(group, p, state).map(t => t?.buf ?? null)
    emitUpdate(this.rule, currentEmitter(), { p: p.buf, g: grad.buf, slots, row, shape: p.shape }, group)
  }
}

function asGroups(where: string, params: Params): { params: Iterable<Tensor> }[] {
  const items = typeof params === 'object' && params !== null && Symbol.iterator in params ? [...params] : null
  if (!items || params instanceof Tensor)
    throw typeError(where, 'params to be an array of Tensors or of groups', params)
  if (items.length === 0) return []
  const groups = items.filter(item => !(item instanceof Tensor))
  if (groups.length === 0) return [{ params: items as Tensor[] }]
  for (const group of items) {
    if (group instanceof Tensor || typeof group !== 'object' || group === null || !('params' in group)) {
      throw typeError(where, 'params to be all Tensors or all groups { params, ... }', group)
    }
  }
  return groups as { params: Iterable<Tensor> }[]
}

function checkParams(where: string, params: unknown, groups: readonly ParamGroup[]): Tensor[] {
  const list = params instanceof Tensor ? [params] : [...(params as Iterable<unknown>)]
  const known = new Set(groups.flatMap(group => group.params))
  for (const p of list) {
    if (!(p instanceof Tensor)) throw typeError(where, 'params to be Tensors', p)
    if (p.node)
      throw new AnnealError('ERR_GRAD', `${where}: expected params to be leaf tensors but received the result of an op`)
    if (p.dtype !== 'float32') throw new AnnealError('ERR_DTYPE', phrase(where, 'params to be float32', p.dtype))
    if (known.has(p)) throw rangeError(where, 'each parameter to appear once', 'one that appears twice')
    known.add(p)
  }
  return list as Tensor[]
}

function filledIn(
  rule: UpdateRule,
  given: Record<string, unknown>,
  defaults: Record<string, unknown>,
): Record<string, unknown> {
  const filled: Record<string, unknown> = {}
  for (const [name, spec] of Object.entries(rule.options)) {
    const value = given[name] ?? defaults[name] ?? spec.default
    filled[name] = spec.check(rule.name, name, value)
  }
  return filled
}

/** @internal A rate that was edited may be anything. */
export function checkRate(where: string, { lr }: ParamGroup): void {
  if (!Number.isFinite(lr)) throw rangeError(where, 'lr to be a finite number', lr)
}

/** @internal Refuses what would corrupt the model: a rate that is no number, a gradient or buffer of another size. */
export function checkUpdate(where: string, group: ParamGroup): void {
  checkRate(where, group)
  for (const p of group.params) {
    if (!p.grad) continue
    if (p.busy) throw busyError(where)
    if (p.buf.length !== p.size) {
      throw new AnnealError(
        'ERR_DETACHED',
        phrase(where, `a parameter's buffer to hold ${p.size} elements`, String(p.buf.length)),
      )
    }
    if (p.grad.dtype !== 'float32' || p.grad.buf.length !== p.size || shapeText(p.grad.shape) !== shapeText(p.shape)) {
      throw shapeError(where, `a gradient of shape ${shapeText(p.shape)}`, `${p.grad.dtype} ${shapeText(p.grad.shape)}`)
    }
  }
}
