/**
 * The optimizers: a few updates from an empty state, against the same updates of the rule's float64 twin. Those of
 * TensorFlow.js are driven through its public API, which lets nobody set their state.
 */

import type { ParamGroup } from '../../optim/index.js'
import * as optimizers from '../../optim/index.js'
import type { UpdateRule } from '../../optim/rule.js'
import { Tensor } from '../../tensor/index.js'
import type { Backend } from '../backend.js'
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
  weightDecay: draw => (draw.chance(50) ? 0 : draw.uniform() / 10),
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
  if (values.momentum === 0 || values.dampening) values.nesterov = undefined
  return values
}

interface Updates {
  readonly shape: number[]
  readonly start: Float32Array
  readonly gradients: readonly Float32Array[]
}

/** Parameters after the updates of a rule, in float64. */
function inFloat64(rule: UpdateRule, group: ParamGroup, start: Float64Array, gradients: readonly Float64Array[]) {
  const p = Float64Array.from(start)
  const slots = rule.slots(group).map(slot => slot && new Float64Array(p.length).fill(slot.init ?? 0))
  const scalars = { step: 0, ...rule.scalars?.(group) }
  const update = rule.reference[rule.kernel] as (...args: unknown[]) => void
  for (const g of gradients) {
    scalars.step++
    update(p, g, ...slots, Float64Array.from(rule.row(group, scalars)), p.length)
  }
  return p
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
    judge(p.data, this.#inFloat64(group), this.#terms(backend, group), smallestOf(backend), verdict)
    return verdict
  }

  /** Every update may add its kernel's terms. */
  #terms(backend: Backend, group: ParamGroup): number {
    const { kernel, name } = this.Optimizer.rule
    const stated = this.updates.gradients.length * (statedTerms(kernel, {}) + 1)
    return isOurs(backend) ? stated : tfjsFactor * stated + (counterparts[name].extraTerms?.(group) ?? 0)
  }

  /** Descending with a negative rate from absolute values adds up what the updates subtract: the magnitude. */
  #inFloat64(group: ParamGroup): Truth {
    const { rule } = this.Optimizer
    const { start, gradients } = this.updates
    const away = { ...group, lr: -group.lr, maximize: false }
    this.#truth ??= {
      name: 'p',
      want: inFloat64(
        rule,
        group,
        Float64Array.from(start),
        gradients.map(g => Float64Array.from(g)),
      ),
      magnitude: inFloat64(rule, away, absolute(start), gradients.map(absolute)),
    }
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

/** Optimizers that TensorFlow.js has, and AdamW, which is Adam with a decay of its own. */
export const updateSubjects: readonly Subject[] = Object.values(optimizers)
  .filter(entry => 'rule' in entry && (entry.rule.name in counterparts || entry.rule.name === 'AdamW'))
  .map(entry => subjectOf(entry as OptimizerClass))
