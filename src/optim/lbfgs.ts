/**
 * L-BFGS: a quasi-Newton method that evaluates the loss several times per step, by a closure. It has no kernel and no
 * row of scalars, so that it runs on the eager engine. Not here: the direction (lbfgs_memory.ts) and the line search (strong_wolfe.ts).
 */

import { checkFunction, checkInt, checkOneOf } from '../base/check.js'
import { rangeError, typeError } from '../base/errors.js'
import type { Floats } from '../emitters/emitter.js'
import { Tensor, writableData } from '../tensor/index.js'
import { aim, dot, type Evaluation, fresh, largest, type Memory, read, written } from './lbfgs_memory.js'
import { Optimizer, type ParamGroup, type ParamState, type Params } from './optimizer.js'
import { numberOption, type UpdateRule } from './rule.js'
import { badState, type OptimizerStateDict, type SavedState } from './state_dict.js'
import { type Point, strongWolfe } from './strong_wolfe.js'

/** Options of `LBFGS`. */
export interface LBFGSOptions {
  /** Factor of the step; with a line search where it starts. Default 1. */
  lr?: number
  /** Iterations per step. Default 20. */
  maxIter?: number
  /** Evaluations of the loss per step. Default 1.25·maxIter. */
  maxEval?: number | null
  /** A gradient without a larger element ends the step. Default 1e-7. */
  toleranceGrad?: number
  /** A smaller change of loss or parameters ends the step. Default 1e-9. */
  toleranceChange?: number
  /** Pairs of steps and gradient changes that are kept. Default 100. */
  historySize?: number
  /** Search along each direction, or take `lr` of it. Default null. */
  lineSearchFn?: 'strong_wolfe' | null
}

type Group = ParamGroup & Required<LBFGSOptions> & { maxEval: number }

/** The loss as a function of all parameters in one row. */
interface Objective {
  /** At the parameters as they are. */
  evaluate(): Evaluation
  /** `t` along `d` from here; the parameters stay. */
  tryStep(t: number, d: Floats): Evaluation
  /** Goes there. */
  move(t: number, d: Floats): void
}

const integer = (value: number) => ({
  default: value,
  check: (where: string, name: string, given: unknown) => checkInt(where, name, given, { min: 1 }),
})

const rule: UpdateRule<Required<LBFGSOptions>> = {
  name: 'LBFGS',
  evaluatesLoss: true,
  kernel: '',
  options: {
    lr: numberOption(1),
    maxIter: integer(20),
    maxEval: integer(25),
    toleranceGrad: numberOption(1e-7, {}),
    toleranceChange: numberOption(1e-9, {}),
    historySize: integer(100),
    lineSearchFn: {
      default: null,
      check: (where, name, value) =>
        value === null ? null : checkOneOf(where, name, value, ['strong_wolfe'] as const),
    },
  },
  slots: [],
  countsSteps: false,
  updateScalars: () => ({}),
  reference: {},
}

interface Step {
  readonly now: Evaluation
  readonly t: number
  readonly evaluations: number
}

function searchedStep(
  f: Objective,
  { d, t }: Memory,
  now: Evaluation,
  slope: number,
  group: Group,
  left: number,
): Step {
  const at = (t: number): Point => {
    const there = f.tryStep(t, d)
    return { t, ...there, slope: dot(there.gradient, d) }
  }
  const search = { at, start: { ...now, t: 0, slope }, size: largest(d), tolerance: group.toleranceChange }
  const { point, evaluations } = strongWolfe({ ...search, maxEvaluations: left }, t)
  f.move(point.t, d)
  return { now: point, t: point.t, evaluations }
}

/** A step of this length; the last one of all is not evaluated. */
function plainStep(f: Objective, { d, t }: Memory, now: Evaluation, isLast: boolean): Step {
  f.move(t, d)
  return isLast ? { now, t, evaluations: 0 } : { now: f.evaluate(), t, evaluations: 1 }
}

function isDone({ d }: Memory, { now, t }: Step, before: number, { toleranceGrad, toleranceChange }: Group): boolean {
  if (largest(now.gradient) <= toleranceGrad) return true
  return largest(d) * Math.abs(t) <= toleranceChange || Math.abs(now.loss - before) < toleranceChange
}

/** Iterates from here as often as the options allow. Returns what is known afterwards. */
function minimise(f: Objective, known: Memory, group: Group): Memory {
  let now = f.evaluate()
  let [memory, evaluations] = [{ ...known, funcEvals: known.funcEvals + 1 }, 1]
  if (largest(now.gradient) <= group.toleranceGrad) return memory
  for (let i = 1; i <= group.maxIter; i++) {
    memory = aim(memory, now, group)
    const slope = dot(now.gradient, memory.d)
    if (slope > -group.toleranceChange) break
    const step = group.lineSearchFn
      ? searchedStep(f, memory, now, slope, group, group.maxEval - evaluations)
      : plainStep(f, memory, now, i === group.maxIter)
    evaluations += step.evaluations
    memory = { ...memory, t: step.t, funcEvals: memory.funcEvals + step.evaluations }
    if (evaluations >= group.maxEval || isDone(memory, step, now.loss, group)) break
    now = step.now
  }
  return memory
}

/** PyTorch's default for `maxEval` follows `maxIter`. */
function withMaxEval(options: LBFGSOptions): LBFGSOptions {
  if (typeof options !== 'object' || options === null) return options
  return { ...options, maxEval: options.maxEval ?? Math.floor(((options.maxIter ?? 20) * 5) / 4) }
}

/**
 * L-BFGS: goes along `-H·g`, with `H` the inverse curvature seen in the last `historySize` steps; with
 * `lineSearchFn: 'strong_wolfe'` as far as the strong Wolfe conditions ask.
 *
 * ```ts
 * const optimizer = new optim.LBFGS(model.parameters(), { lineSearchFn: 'strong_wolfe' })
 * optimizer.step(() => {
 *   optimizer.zeroGrad()
 *   const value = loss.forward(model.forward(x), y)
 *   value.backward()
 *   return value
 * })
 * ```
 * `step` returns the first loss. `fit` brings the closure of each batch, on the eager engine; full batches suit it best.
 * Throws TypeError without a closure, RangeError for an option out of range or a second group.
 * Source: Nocedal and Wright (2006), algorithms 7.4 and 3.5; torch.optim.LBFGS.
 */
export class LBFGS extends Optimizer {
  constructor(params: Params, options: LBFGSOptions = {}) {
    super(rule, params, withMaxEval(options))
  }

  override addParamGroup(group: { params: Iterable<Tensor>; [option: string]: unknown }): void {
    if (this.paramGroups.length > 0) throw rangeError('LBFGS', 'one group of parameters', 'a second one')
    super.addParamGroup(group)
  }

  override step(closure?: () => Tensor): Tensor {
    const [group] = this.paramGroups as [Group]
    const call = checkFunction('LBFGS', 'closure', closure as () => Tensor)
    let first: Tensor | undefined
    const evaluate = () => {
      const loss = call()
      if (!(loss instanceof Tensor)) throw typeError('LBFGS', 'closure to return a Tensor', loss)
      first ??= loss
      this.check()
      return { loss: loss.item(), gradient: flatGradient(group.params) }
    }
    const memory = minimise(objective(group.params, evaluate), this.#memory ?? fresh, group)
    this.#remember(memory)
    return first!
  }

  override stateDict(): OptimizerStateDict {
    const dict = super.stateDict()
    return this.#memory ? { ...dict, state: { 0: written(this.#memory) } } : dict
  }

  /** @internal The memory is one for all parameters; PyTorch keeps it with the first. */
  override readState({ params }: ParamGroup, p: Tensor, saved: SavedState): ParamState {
    if (p !== params[0]) throw badState('the state of LBFGS under its first parameter', 'another')
    const size = params.reduce((sum, { size }) => sum + size, 0)
    const memory = read(saved, size)
    return { scalars: { step: memory.funcEvals }, tensors: {}, memory }
  }

  #remember(memory: Memory): void {
    this.state.set(this.paramGroups[0].params[0], { scalars: { step: memory.funcEvals }, tensors: {}, memory })
  }

  get #memory(): Memory | undefined {
    return this.state.get(this.paramGroups[0].params[0])?.memory as Memory | undefined
  }
}

/** The gradients of all parameters in one row, zero where there is none. Its type is that of the parameters' values. */
function flatGradient(params: readonly Tensor[]): Floats {
  const size = params.reduce((sum, p) => sum + p.size, 0)
  const flat = new (params[0].values.constructor as Float32ArrayConstructor)(size) as Floats
  let at = 0
  for (const { grad, size: count } of params) {
    if (grad) flat.set(grad.values, at)
    at += count
  }
  return flat
}

function objective(params: readonly Tensor[], evaluate: () => Evaluation): Objective {
  const move = (t: number, d: Floats) => {
    let at = 0
    for (const p of params) {
      const values = writableData('LBFGS', p)
      for (let i = 0; i < values.length; i++) values[i] += t * d[at++]
    }
  }
  const tryStep = (t: number, d: Floats) => {
    const before = params.map(p => p.values.slice())
    move(t, d)
    try {
      return evaluate()
    } finally {
      params.forEach((p, i) => {
        writableData('LBFGS', p).set(before[i])
      })
    }
  }
  return { evaluate, tryStep, move }
}
