/**
 * Training that ends at the first value which is not finite, with its name, and leaves everything as it was before that
 * step. Not here: how a plan finds out that there is one (attempt.ts).
 */

import type { Loss } from '../nn/index.js'
import type { Optimizer } from '../optim/index.js'
import type { Tensor } from '../tensor/index.js'
import type { Model } from './options.js'
import { keepState } from './state.js'
import { namedModules, WatchedLayers } from './watched_layers.js'

/** Some value is not finite; `what` names the first, if it is known. */
export class NotFinite extends Error {
  constructor(readonly what: string | null = null) {
    super(what ?? 'a value that is not finite')
  }
}

const oddIn = ({ values }: Tensor) => values.find(value => !Number.isFinite(value))

/** Whether weights, buffers and state all are. */
export function allFinite(model: Model, optimizer: Optimizer): boolean {
  return namedState(model, optimizer).every(([, t]) => oddIn(t) === undefined)
}

/** Parameters and buffers, then the optimizer's tensors. */
function namedState(model: Model, { state, paramGroups }: Optimizer): [string, Tensor][] {
  const weights: [string, Tensor][] = [...model.namedParameters(), ...model.namedBuffers()]
  const names = new Map(weights.map(([name, t]) => [t, name]))
  const others = paramGroups.flatMap(({ params }) => params).filter(p => !names.has(p))
  weights.push(...others.map((p): [string, Tensor] => ['a parameter of no layer', p]))
  const tensors = [...state].flatMap(([p, own]) => {
    return Object.entries(own.tensors).map(([key, t]): [string, Tensor] => [`${names.get(p) ?? 'parameter'}.${key}`, t])
  })
  return [...weights, ...tensors]
}

/** Looks at every step of a training. */
export class FiniteChecks {
  /** Puts everything back to before the update that is under way. */
  #restore: (() => void) | null = null

  constructor(
    private readonly model: Model,
    private readonly optimizer: Optimizer,
  ) {}

  /** Runs one forward and backward pass. Throws NotFinite with its first layer's output, loss or gradient that is not. */
  pass<T extends { readonly value: Tensor }>(run: () => T, hasLoss: (result: T) => boolean): T {
    this.#restore ??= keepState(this.model, { optimizer: this.optimizer })
    const names = namedModules(this.model)
    let output: string | null = null
    const layers = new WatchedLayers((module, y) => {
      const { name } = module.constructor
      output ??= told(`the output of ${names.get(module) ? `${names.get(module)} (${name})` : name}`, y)
    })
    const result = layers.during(this.model, run)
    const loss = hasLoss(result) ? told('the loss', result.value) : null
    if (loss) this.#fail(output ?? loss)
    for (const [name, { grad }] of this.model.namedParameters().reverse()) {
      const odd = grad && told(`the gradient of ${name}`, grad)
      if (odd) this.#fail(odd)
    }
    return result
  }

  /** Runs the update. Throws NotFinite with the first tensor that is not finite after it. */
  update(run: () => void): void {
    run()
    for (const [name, t] of namedState(this.model, this.optimizer)) {
      const odd = told(`${name} after the update`, t)
      if (odd) this.#fail(odd)
    }
    this.#restore = null
  }

  #fail(what: string): never {
    this.#restore?.()
    throw new NotFinite(what)
  }
}

function told(name: string, t: Tensor): string | null {
  const odd = oddIn(t)
  return odd === undefined ? null : `${odd} in ${name}`
}

/** Whether a batch has a loss: some label is not ignored. */
export function hasLoss({ classifies, ignoreIndex }: Loss, target: Tensor | undefined): boolean {
  return !classifies || target === undefined || target.size === 0 || target.values.some(label => label !== ignoreIndex)
}
