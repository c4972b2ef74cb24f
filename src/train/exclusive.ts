/** Who may use a model, an optimizer and random streams: one run at a time. Not here: what the run does. */

import { AnnealError } from '../base/errors.js'
import { defaultGenerator, type Generator } from '../random/index.js'
import type { Steps } from './drive.js'
import type { FitOptions, Model } from './options.js'

/** Models and optimizers in use by a run; another one would mix up their state. */
const busy = new WeakSet<object>()

type Used = Pick<FitOptions, 'train' | 'test' | 'optimizer'>

/** The streams that the order of batches is drawn from: each loader's own, else the default one. */
export function generatorsOf({ train, test }: Pick<FitOptions, 'train' | 'test'>): Generator[] {
  const loaders = test ? [train, test] : [train]
  return [...new Set(loaders.map(({ generator }) => generator ?? defaultGenerator))]
}

/** Runs `steps` as the only one who may draw from these streams. */
function* asHolder<T>(generators: Generator[], steps: () => Steps<T>): Steps<T> {
  const owner = {}
  const held: Generator[] = []
  try {
    for (const generator of generators) {
      generator.acquire(owner)
      held.push(generator)
    }
    const drawing = <R>(fn: () => R) => held.reduceRight((inner, g) => () => g.drawAs(owner, inner), fn)()
    const running = steps()
    let next = drawing(() => running.next())
    while (!next.done) {
      let settled: unknown
      try {
        settled = yield next.value
      } catch (error) {
        next = drawing(() => running.throw(error))
        continue
      }
      next = drawing(() => running.next(settled))
    }
    return next.value
  } finally {
    for (const generator of held) generator.release(owner)
  }
}

/** Runs `steps` with model and optimizer marked as busy; leaves the model in training mode and without gradients. */
export function* exclusively<T>(where: string, model: Model, options: Used, steps: () => Steps<T>): Steps<T> {
  const { optimizer } = options
  for (const used of [model, optimizer]) {
    if (busy.has(used))
      throw new AnnealError('ERR_BUSY', `${where}: expected a model and an optimizer that no fit is using`)
  }
  busy.add(model).add(optimizer)
  try {
    return yield* asHolder(generatorsOf(options), steps)
  } finally {
    busy.delete(model)
    busy.delete(optimizer)
    model.train()
    optimizer.zeroGrad()
  }
}
