/**
 * Optimizer: parameter groups, state and state dicts around an update rule. Not here: any formula (one file per rule).
 */

import { checkFunction, checkIterable, checkNumber, checkOptions } from '../base/check.js'
import { AnnealError, phrase, rangeError, shapeError, typeError } from '../base/errors.js'
import { isCallable, isIterable, isThenable } from '../base/kinds.js'
import type { Buf } from '../emitters/emitter.js'
import { noteWrite } from '../emitters/writes.js'
import { isSameShape, shapeText } from '../ops/spec.js'
import { checkAttached, checkTensor, Tensor } from '../tensor/index.js'
import { currentEmitter, withoutGradients } from '../tensor/tape.js'
import { busyError } from '../tensor/tensor.js'
import {
  checkRate,
  emitUpdate,
  newScalars,
  packScalars,
  type StateScalars,
  slotsUnder,
  type UpdateRule,
} from './rule.js'
import { type OptimizerStateDict, readState, readStateDict, type SavedState, writeStateDict } from './state_dict.js'

/** A group of parameters with every option of the optimizer filled in; edit `lr` and the others at any time. */
export interface ParamGroup {
  /** The parameters that it updates. */
  params: Tensor[]
  /** The learning rate, read before each update. */
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
  /** Of the update under way: each is over before the next one begins. */
  #scalars: Float64Array | null = null

  constructor(rule: UpdateRule, params: Params, options: object = {}) {
    checkRule(rule)
    this.rule = rule
    checkOptions(rule.name, options, Object.keys(rule.options))
    this.#defaults = filledIn(rule, options as Record<string, unknown>, {})
    for (const group of asGroups(rule.name, params)) this.addParamGroup(group)
    if (this.paramGroups.length === 0) throw rangeError(rule.name, 'at least one parameter', 'none')
  }

  /**
   * Adds a group; options not given are the optimizer's. A schedule takes it up at its next step, with the rate it comes
   * with. Source: torch.optim.Optimizer.add_param_group.
   */
  addParamGroup(group: { params: Iterable<Tensor>; [option: string]: unknown }): void {
    const { rule } = this
    checkOptions(rule.name, group, ['params', 'initialLr', ...Object.keys(rule.options)])
    const { params, initialLr, ...options } = group
    if (initialLr !== undefined) checkNumber(rule.name, 'initialLr', initialLr)
    const tensors = checkParams(rule.name, params, this.paramGroups)
    const filled = filledIn(rule, options, this.#defaults)
    rule.checkGroup?.(rule.name, filled)
    for (const { shape } of tensors) rule.checkParam?.(rule.name, shape)
    const added = { params: tensors, ...filled, ...(initialLr === undefined ? {} : { initialLr }) } as ParamGroup
    this.paramGroups.push(added)
    if (rule.hasStateFromStart) for (const p of tensors) this.stateOf(added, p)
  }

  /**
   * Updates every parameter that has a gradient. With a closure: runs it first and returns its loss.
   * Options, gradients and state are checked before anything is written.
   */
  step(closure?: () => Tensor): Tensor | undefined {
    if (closure !== undefined) checkFunction(this.rule.name, 'closure', closure)
    const loss = closure?.()
    if (isThenable(loss)) throw typeError(this.rule.name, 'closure to be synchronous', loss)
    this.check()
    withoutGradients(() => {
      for (const group of this.paramGroups) {
        for (const p of group.params) if (p.grad) this.#update(group, p, p.grad)
      }
    })
    return loss
  }

  /** @internal Refuses what would spoil the model at the next step: options, gradients and state may have been edited. */
  check(): void {
    for (const group of this.paramGroups) {
      checkGroup(this.rule, group)
      for (const p of group.params) {
        checkParameter(this.rule.name, p)
        const tensors = this.state.get(p)?.tensors
        for (const key in tensors) checkAttached(this.rule.name, tensors[key], key)
      }
    }
  }

  /** Drops the gradients of all parameters: `grad` becomes null. */
  zeroGrad(): void {
    for (const { params } of this.paramGroups) for (const p of params) p.grad = null
  }

  /**
   * Puts the weights to train with, or to evaluate with, in the place of the others. Only optimizers have it whose two
   * points differ.
   */
  switchTo?(mode: 'train' | 'eval'): void

  /**
   * State and options in PyTorch's layout and key names; state tensors share memory with the optimizer. Throws ERR_BUSY
   * while a fit trains its parameters, but in callbacks.
   */
  stateDict(): OptimizerStateDict {
    return writeStateDict(this)
  }

  /**
   * Takes over a state dict of as many groups and parameters, as it is, from JSON or from `structuredClone`. Checked whole
   * before anything is written: throws ERR_STATE for options, counts or moments that the optimizer could not have written.
   */
  loadStateDict(dict: OptimizerStateDict): void {
    readStateDict(this, dict)
  }

  /**
   * @internal The state of a parameter with all tensors that an update under these options takes, made where missing. A
   * count that PyTorch does not list starts with the state: SGD's first step with a momentum is the one that makes it.
   */
  stateOf(group: ParamGroup, p: Tensor): ParamState {
    let state = this.state.get(p)
    if (!state) {
      state = { scalars: { step: 0, ...this.rule.scalars?.(group) }, tensors: {} }
      this.state.set(p, state)
    }
    for (const slot of slotsUnder(this.rule, group)) {
      if (state.tensors[slot.key]) continue
      if (!this.rule.countsSteps) state.scalars.step = 0
      state.tensors[slot.key] = new Tensor(p.shape, 'float32', new Float32Array(p.size).fill(slot.init))
    }
    return state
  }

  /** @internal What a state dict holds of a parameter, checked. */
  readState(group: ParamGroup, p: Tensor, saved: SavedState): ParamState {
    return readState(this.rule, group, p, saved)
  }

  #update(group: ParamGroup, p: Tensor, grad: Tensor): void {
    const state = this.stateOf(group, p)
    state.scalars.step++
    this.#scalars ??= newScalars(this.rule)
    this.emitUpdate(group, p, grad, state, packScalars(this.rule, group, state.scalars, this.#scalars))
  }

  /** @internal One parameter's update with these scalars, through the current emitter. */
  emitUpdate(group: ParamGroup, p: Tensor, grad: Tensor, state: ParamState, scalars: Buf): void {
    const buffers: Record<string, Buf> = {}
    for (const { key } of slotsUnder(this.rule, group)) buffers[key] = state.tensors[key].buf
    noteWrite(p.buf)
    emitUpdate(this.rule, currentEmitter(), { p: p.buf, g: grad.buf, state: buffers, scalars, shape: p.shape }, group)
  }
}

function checkRule(rule: unknown): void {
  const { name, options, slots, updateScalars, checkGroup, checkParam, scalars } = (rule ?? {}) as UpdateRule
  const isObject = typeof options === 'object' && options !== null
  const fits = typeof name === 'string' && isObject && Array.isArray(slots) && typeof updateScalars === 'function'
  const checks = isObject ? Object.values(options).map(option => option?.check) : []
  const given = [checkGroup, checkParam, scalars].filter(part => part !== undefined)
  if (!fits || [...checks, ...given].some(part => !isCallable(part))) {
    throw typeError('Optimizer', 'rule to be an update rule', rule)
  }
}

/** Reads no further than to what is neither a tensor nor a group. */
function asGroups(where: string, params: unknown): { params: Iterable<Tensor> }[] {
  if (params instanceof Tensor || !isIterable(params)) {
    throw typeError(where, 'params to be an array of Tensors or of groups', params)
  }
  const tensors: Tensor[] = []
  const groups: { params: Iterable<Tensor> }[] = []
  for (const item of params) {
    const isGroup = typeof item === 'object' && item !== null && 'params' in item && !(item instanceof Tensor)
    if (item instanceof Tensor) tensors.push(item)
    else if (isGroup) groups.push(item as { params: Iterable<Tensor> })
    if ((!isGroup && !(item instanceof Tensor)) || (tensors.length > 0 && groups.length > 0)) {
      throw typeError(where, 'params to be all Tensors or all groups { params, ... }', item)
    }
  }
  return tensors.length > 0 ? [{ params: tensors }] : groups
}

function checkParams(where: string, params: unknown, groups: readonly ParamGroup[]): Tensor[] {
  const list = params instanceof Tensor ? [params] : checkIterable(where, 'params', params)
  const known = new Set(groups.flatMap(group => group.params))
  const checked: Tensor[] = []
  for (const item of list) {
    const p = checkTensor(where, 'each of params', item)
    if (p.node)
      throw new AnnealError('ERR_GRAD', `${where}: expected params to be leaf tensors but received the result of an op`)
    if (p.dtype !== 'float32') throw new AnnealError('ERR_DTYPE', phrase(where, 'params to be float32', p.dtype))
    if (known.has(p)) throw rangeError(where, 'each parameter to appear once', 'one that appears twice')
    known.add(p)
    checked.push(p)
  }
  return checked
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

/** @internal The options of a group, which may have been edited, as at construction; the rate as `checkRate` has it. */
export function checkGroup(rule: UpdateRule, group: ParamGroup): void {
  checkRate(rule.name, group)
  for (const name in rule.options) if (name !== 'lr') rule.options[name].check(rule.name, name, group[name])
  rule.checkGroup?.(rule.name, group)
  if (!Array.isArray(group.params)) throw typeError(rule.name, 'params of a group to be an array', group.params)
}

/** A parameter that is free and whole, with a gradient of its shape if it has one. */
function checkParameter(where: string, p: unknown): void {
  const { busy, grad, size, shape } = checkTensor(where, 'each of params', p)
  if (!grad) return
  if (busy) throw busyError(where)
  checkAttached(where, p as Tensor, 'a parameter')
  if (!(grad instanceof Tensor)) throw typeError(where, 'a gradient to be a Tensor', grad)
  if (grad.dtype !== 'float32' || grad.buf.length !== size || !isSameShape(grad.shape, shape)) {
    throw shapeError(where, `a gradient of shape ${shapeText(shape)}`, `${grad.dtype} ${shapeText(grad.shape)}`)
  }
}

const { zeroGrad: ownZeroGrad } = Optimizer.prototype
/** Steps that apply the rule and do nothing else that outlives them. */
const ruleSteps = new WeakSet<Optimizer['step']>([Optimizer.prototype.step])

/** @internal Declares the `step` of a class of ours to be the rule's. */
export function stepsByRule({ prototype: { step } }: { prototype: Optimizer }): void {
  ruleSteps.add(step)
}

/** @internal Which of its methods somebody has replaced, on a class or on the object, so that the rule alone is not all. */
export function replacedMethod({ step, zeroGrad }: Optimizer): 'step' | 'zeroGrad' | null {
  if (!ruleSteps.has(step)) return 'step'
  return zeroGrad === ownZeroGrad ? null : 'zeroGrad'
}
