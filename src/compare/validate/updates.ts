/**
 * The optimizers: a few updates from an empty state, against the same updates of the rule's float64 twin. Those of
 * TensorFlow.js are driven through its public API, which lets nobody set their state.
 */

import type { ParamGroup } from '../../optim/index.js'
import * as optimizers from '../../optim/index.js'
import { packScalars, slotsUnder, type UpdateRule } from '../../optim/rule.js'
import { Tensor } from '../../tensor/index.js'
import type { Backend } from '../backend.js'
import { twins } from '../eager.js'
import { counterparts } from '../tfjs/optimizers.js'
import { Draw } from './draw.js'
import { isOurs, judge, noVerdict, smallestOf, statedTerms, type Truth, tfjsFactor, type Verdict } from './judge.js'
import type { Case, Subject } from './subject.js'

type OptimizerClass = typeof optimizers.SGD

/** Values for options by name; an option that is not here keeps its default. */
const drawn: Readonly<Record<string, (draw: Draw) => unknown>> = {
  lr: draw => 10 ** -draw.integer(0, 3),
  momentum: draw => (draw.chance(30) ? 0 : draw.uniform()),
  dampening: draw => (draw.chance(50) ? 0 : draw.uniform() / 2),
  // Small, so that it does not cancel a gradient: what is left of both is divided by its own size in adaptive updates.
  weightDecay: draw => (draw.chance(50) ? 0 : draw.uniform() * 1e-4),
  nesterov: draw => draw.chance(50),
  maximize: draw => draw.chance(30),
  amsgrad: draw => draw.chance(30),
  centered: draw => draw.chance(30),
  betas: draw => [draw.uniform() * 0.95, 0.9 + 0.099 * draw.uniform()],
  alpha: draw => 0.9 + 0.09 * draw.uniform(),
  rho: draw => 0.8 + 0.19 * draw.uniform(),
}

/** Options of a class; `common` ones are those that TensorFlow.js computes the same with. */
function drawOptions({ name, options }: UpdateRule, draw: Draw, common: boolean): Record<string, unknown> {
  const values = Object.fromEntries(
    Object.keys(options).flatMap(option => (drawn[option] ? [[option, drawn[option](draw)]] : [])),
  )
  const wanted = Object.entries(counterparts[name]?.wanted ?? {}).filter(([option]) => option in options)
  if (common) Object.assign(values, Object.fromEntries(wanted))
  if (values.momentum === 0 || values.dampening) delete values.nesterov
  return values
}

interface Updates {
  readonly shape: number[]
  readonly start: Float32Array
  readonly gradients: readonly Float32Array[]
}

/** Parameters after the updates of a rule, in float64, and the way that each went to get there. */
function inFloat64(rule: UpdateRule, group: ParamGroup, start: Float64Array, gradients: readonly Float64Array[]) {
  const p = Float64Array.from(start)
  const way = start.map(Math.abs)
  const tensors = slotsUnder(rule, group).map(({ key, init }) => [key, new Float64Array(p.length).fill(init)])
  const state: Record<string, Float64Array> = Object.fromEntries(tensors)
  const scalars = { step: 0, ...rule.scalars?.(group) }
  for (const g of gradients) {
    const before = Float64Array.from(p)
    scalars.step++
    twins[rule.kernel]({ p, g, ...state, scalars: packScalars(rule, group, scalars), n: p.length })
    for (let i = 0; i < p.length; i++) way[i] += Math.abs(p[i] - before[i])
  }
  return { p, way }
}

const absolute = (values: Float32Array) => Float64Array.from(values, Math.abs)

class UpdateCase implements Case {
  #truth: Truth | undefined

  constructor(
    private readonly Optimizer: OptimizerClass,
    private readonly options: Record<string, unknown>,
    private readonly updates: Updates,
    private readonly common: boolean,
  ) {}

  check(backend: Backend): Verdict | null {
    if (!isOurs(backend) && !this.common) return null
    const { shape, start, gradients } = this.updates
    const p = new Tensor(shape, 'float32', Float32Array.from(start))
    p.requiresGrad = true
    const optimizer = new this.Optimizer([p], this.options)
    const updater = backend.updater(optimizer)
    for (const g of gradients) {
      p.grad = new Tensor(shape, 'float32', g)
      updater.load()
      updater.step()
    }
    updater.read()
    updater.dispose()
    const [group] = optimizer.paramGroups
    const verdict = noVerdict()
    judge(p.values, this.#inFloat64(group), this.#terms(backend, group), smallestOf(backend), verdict)
    return verdict
  }

  /** Every update may add its kernel's terms. */
  #terms(backend: Backend, group: ParamGroup): number {
    const { kernel, name } = this.Optimizer.rule
    const stated = this.updates.gradients.length * (statedTerms(kernel, {}) + 1)
    return isOurs(backend) ? stated : tfjsFactor * stated + (counterparts[name].extraTerms?.(group) ?? 0)
  }

  /**
   * The magnitude: descending with a negative rate from absolute values adds up what the updates subtract. Where the rate
   * is no factor of the step, at least the way that was gone.
   */
  #inFloat64(group: ParamGroup): Truth {
    const { rule } = this.Optimizer
    const { start, gradients } = this.updates
    if (this.#truth) return this.#truth
    const wide = (values: Float32Array) => Float64Array.from(values)
    const { p: want, way } = inFloat64(rule, group, wide(start), gradients.map(wide))
    const away = inFloat64(rule, { ...group, lr: -group.lr, maximize: false }, absolute(start), gradients.map(absolute))
    this.#truth = { name: 'p', want, magnitude: way.map((sum, i) => Math.max(sum, away.p[i])) }
    return this.#truth
  }
}

function drawUpdates(draw: Draw): Updates {
  const shape = draw.chance(50) ? [draw.integer(1, 70)] : [draw.integer(1, 9), draw.integer(1, 9)]
  const size = shape.reduce((a, b) => a * b)
  const gradients = Array.from({ length: draw.integer(1, 4) }, () => draw.nonzero(size))
  return { shape, start: draw.floats(size), gradients }
}

function subjectOf(Optimizer: OptimizerClass): Subject {
  const { rule } = Optimizer
  return {
    name: rule.name,
    has: backend => isOurs(backend) || rule.name in counterparts,
    draw(seed) {
      const draw = new Draw(seed)
      const common = draw.chance(50)
      return new UpdateCase(Optimizer, drawOptions(rule, draw, common), drawUpdates(draw), common)
    },
  }
}

/** Whether an optimizer's step is one call of its rule's kernel, so that the kernel's twin alone says what is true. */
function isOneKernel(entry: object): entry is OptimizerClass {
  if (!('rule' in entry) || !('prototype' in entry)) return false
  const { rule, prototype } = entry as OptimizerClass
  return prototype.step === optimizers.Optimizer.prototype.step && !('emit' in rule)
}

/** Those are compared; on TensorFlow.js the ones it has. */
export const updateSubjects: readonly Subject[] = Object.values(optimizers).filter(isOneKernel).map(subjectOf)
