/** Who may use a model, an optimizer and random streams: one run at a time. Not here: what the run does. */

import type { Steps } from '../base/drive.js'
import { AnnealError } from '../base/errors.js'
import { defaultGenerator, type Generator } from '../streams/index.js'
import type { Model, TrainingOptions } from './options.js'

/** Models, optimizers and callbacks in use by a run; another one would mix up their state. */
const busy = new WeakSet<object>()

type Used = Pick<TrainingOptions, 'train' | 'test' | 'optimizer'>

/** The streams that a run draws from: each loader's, and the default one for layers. */
export function generatorsOf(model: Model, { train, test }: Pick<TrainingOptions, 'train' | 'test'>): Generator[] {
  const streams = (test ? [train, test] : [train]).flatMap(loader => loader.streams)
  if (model.modules().some(({ drawsRandomNumbers }) => drawsRandomNumbers)) streams.push(defaultGenerator)
  return [...new Set(streams)]
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
    return yield* wrapped(steps(), drawing)
  } finally {
    for (const generator of held) generator.release(owner)
  }
}

/** Runs `steps` as the only user of model, optimizer and streams. Throws ERR_BUSY while another run uses one of them. */
export function exclusively<T>(where: string, model: Model, options: Used, steps: () => Steps<T>): Steps<T> {
  const used = [model, options.optimizer]
  return asOnlyUser(`${where}: expected a model and an optimizer`, used, () => {
    return asHolder(generatorsOf(model, options), steps)
  })
}

/** Runs `steps` as the only user of some objects. Throws ERR_BUSY while another run uses one of them. */
export function* asOnlyUser<T>(expected: string, objects: readonly object[], steps: () => Steps<T>): Steps<T> {
  if (objects.some(used => busy.has(used))) throw new AnnealError('ERR_BUSY', `${expected} that no other run is using`)
  for (const used of objects) busy.add(used)
  try {
    return yield* steps()
  } finally {
    for (const used of objects) busy.delete(used)
  }
}

/** Runs `steps` with a stream of their own in the place of the default one. */
export function* onStream<T>(generator: Generator, steps: Steps<T>): Steps<T> {
  const inPlace = <R>(fn: () => R) => defaultGenerator.replacedBy(generator, fn)
  return yield* wrapped(steps, inPlace)
}

/** Passes through what `steps` yields, each stretch of it run inside of `within`. */
function* wrapped<T>(steps: Steps<T>, within: <R>(fn: () => R) => R): Steps<T> {
  let next = within(() => steps.next())
  while (!next.done) {
    let settled: unknown
    try {
      settled = yield next.value
    } catch (error) {
      next = within(() => steps.throw(error))
      continue
    }
    next = within(() => steps.next(settled))
  }
  return next.value
}
