/**
 * Who may use a model, an optimizer and random streams: one run at a time. It asks for all that it will hold before it
 * holds any. Not here: what the run does, or what others see meanwhile (runs/).
 */

import { type Steps, stretches } from '../base/drive.js'
import { AnnealError } from '../base/errors.js'
import { native } from '../native/random.js'
import type { Optimizer } from '../optim/index.js'
import { Hold } from '../runs/hold.js'
import { Place } from '../runs/place.js'
import { currentPlace, Scope } from '../runs/scope.js'
import { defaultGenerator, type Generator } from '../streams/index.js'
import { checkAttached, type Tensor } from '../tensor/index.js'
import type { Model, TrainingOptions } from './options.js'

/** Models, optimizers and callbacks in use by a run; another one would mix up their state. */
const busy = new Set<object>()
/** What the runs that train these models hold. */
const holds = new Map<Model, Hold>()

type Used = Pick<TrainingOptions, 'train' | 'test' | 'optimizer'>

/** The streams that a run draws from: each loader's, and the default one for layers. */
export function generatorsOf(model: Model, { train, test }: Pick<TrainingOptions, 'train' | 'test'>): Generator[] {
  const streams = (test ? [train, test] : [train]).flatMap(loader => loader.streams)
  if (model.modules().some(({ drawsRandomNumbers }) => drawsRandomNumbers)) streams.push(defaultGenerator)
  return [...new Set(streams)]
}

/** What the run holds that trains this model, if one does. */
export function heldBy(model: Model): Hold | undefined {
  return holds.get(model)
}

/** The same within that run. */
export function holdOf(model: Model): Hold {
  return holds.get(model)!
}

/** Takes all tensors that a run on `model` writes; those that came to be in a callback, too. */
export function claimTensors(where: string, hold: Hold, model: Model, optimizer: Optimizer): void {
  const weights = model.parametersAndBuffers()
  for (const { params } of optimizer.paramGroups) weights.push(...params)
  for (const t of weights) checkAttached(where, t, 'a parameter or buffer')
  if (!hold.claim(weights, stateOf(where, optimizer)))
    throw usedError(`${where}: expected parameters, buffers and state`)
}

/** Takes the tensors of the optimizer's state, some of which recording has made. */
export function claimState(where: string, hold: Hold, optimizer: Optimizer): void {
  if (!hold.claim([], stateOf(where, optimizer))) throw usedError(`${where}: expected parameters, buffers and state`)
}

function stateOf(where: string, { state }: Optimizer): Tensor[] {
  const found: Tensor[] = []
  for (const { tensors } of state.values()) for (const key in tensors) found.push(tensors[key])
  for (const t of found) checkAttached(where, t, "a tensor of the optimizer's state")
  return found
}

function usedError(expected: string): AnnealError {
  const instead = 'await that run first, or take a copy (clone() of a model)'
  return new AnnealError('ERR_BUSY', `${expected} that no other run is using; ${instead}`)
}

/** Runs `steps` in `scope`, as the only one who may draw from these streams. */
function* asHolder<T>(scope: Scope, streams: readonly Generator[], steps: Steps<T>): Steps<T> {
  const held: Generator[] = []
  try {
    for (const stream of streams) {
      if (stream === defaultGenerator) continue // its engine was taken over
      stream.acquire(scope)
      held.push(stream)
    }
    return yield* stretches(steps, stretch => scope.runAwaited(stretch))
  } finally {
    for (const stream of held) stream.release(scope)
  }
}

/** Runs `steps` as the only user of model, optimizer and streams. Throws ERR_BUSY while another run uses one of them. */
export function exclusively<T>(where: string, model: Model, options: Used, steps: () => Steps<T>): Steps<T> {
  const used = [model, options.optimizer]
  return asOnlyUser(`${where}: expected a model and an optimizer`, used, () => holding(where, model, options, steps))
}

/** Runs `steps` as the only user of some objects. Throws ERR_BUSY while another run uses one of them. */
export function* asOnlyUser<T>(expected: string, objects: readonly object[], steps: () => Steps<T>): Steps<T> {
  if (objects.some(used => busy.has(used))) throw usedError(expected)
  for (const used of objects) busy.add(used)
  try {
    return yield* steps()
  } finally {
    for (const used of objects) busy.delete(used)
  }
}

/** Runs `steps` with all tensors of the model and the optimizer in its hands, and the streams. */
function* holding<T>(where: string, model: Model, options: Used, steps: () => Steps<T>): Steps<T> {
  const streams = generatorsOf(model, options)
  const around = currentPlace()
  const place = streams.includes(defaultGenerator) ? around.take() : around
  const hold = new Hold(new Scope(place))
  try {
    claimTensors(where, hold, model, options.optimizer)
    holds.set(model, hold)
    return yield* asHolder(hold.scope, streams, steps())
  } finally {
    hold.release()
    holds.delete(model)
    hold.scope.end()
    around.putBack(place)
  }
}

/** Runs `steps` with a stream of their own in the place of the default one. */
export function* onStream<T>(seed: number, steps: Steps<T>): Steps<T> {
  const engine = native.create()
  native.seed(engine, seed)
  const scope = new Scope(new Place(engine))
  return yield* stretches(steps, stretch => scope.run(stretch))
}
