/**
 * All that a run is made of, as plain data and back: model, optimizer, schedule, streams, place, history, callbacks. Not
 * here: when it is written (checkpoints.ts), its bytes (models/checkpoint.ts).
 */

import { AnnealError, phrase } from '../base/errors.js'
import { type Check, isMap, isText } from '../base/form.js'
import type { Place } from '../engine/engine.js'
import type { Model } from '../engine/options.js'
import type { StateDict } from '../nn/index.js'
import type { OptimizerStateDict } from '../optim/state_dict.js'
import { defaultGenerator, type Generator } from '../streams/index.js'
import { metricNames } from './fit_metrics.js'
import type { FitOptions } from './fit_options.js'
import type { History } from './history.js'
import type { RatesState } from './rates.js'

/** What must be equal in the run that goes on, by name: shapes, classes, options. */
export type Configuration = Readonly<Record<string, string>>

export const isConfiguration: Check = isMap(isText)

type TrainedOptions = Pick<FitOptions, 'optimizer' | 'scheduler'>
type TaskOptions = Omit<FitOptions, keyof TrainedOptions>

export interface RunState {
  readonly configuration: Configuration
  readonly model: StateDict
  readonly modes: readonly boolean[]
  readonly trained: readonly boolean[]
  readonly optimizer: OptimizerStateDict
  readonly scheduler: object | null
  readonly streams: readonly Uint8Array[]
  /** Null between two epochs. */
  readonly place: Place | null
  /** The curves so far; the rates are apart. */
  readonly history: Omit<History, 'lr'>
  readonly rates: RatesState
  readonly callbacks: readonly unknown[]
  /** Whether a callback has ended the run. */
  readonly stopped: boolean
  /** The best values that the callbacks' checkpoints have seen; null where they monitor nothing. */
  readonly best: readonly (number | null)[]
}

/** The generators whose states go into a checkpoint: the global one, then those that the loaders draw from besides. */
export function streamsOf({ train, test }: FitOptions): Generator[] {
  return [...new Set([defaultGenerator, ...train.streams, ...(test?.streams ?? [])])]
}

const nameOf = (value: object | null | undefined) => value?.constructor.name ?? 'none'
const optionsOf = (value: object) => JSON.stringify((value as { options?: object }).options ?? {})

function loaderConfiguration(name: string, loader: FitOptions['test']): Configuration {
  if (!loader) return { [name]: 'none' }
  const { dataset, batchSize, shuffle, dropLast, sampler, generator } = loader
  return {
    [name]: `${dataset.length} samples`,
    [`${name}.sampler`]: sampler ? `${nameOf(sampler)} of ${sampler.length}` : 'none',
    [`${name}.batchSize`]: String(batchSize),
    [`${name}.shuffle`]: String(shuffle),
    [`${name}.dropLast`]: String(dropLast),
    [`${name}.sampleWeight`]: loader.weighted ? 'given' : 'none',
    [`${name}.generator`]: generator ? 'its own' : 'the global one',
  }
}

/** Which callbacks keep state; those that only watch may come and go behind them. */
function stateful(callbacks: NonNullable<FitOptions['callbacks']>): string {
  const last = callbacks.findLastIndex(({ stateDict }) => stateDict)
  return callbacks
    .slice(0, last + 1)
    .map(({ stateDict }) => (stateDict ? 'with state' : 'without'))
    .join(' ')
}

/** What a run of these options computes, as far as that does not depend on what it trains. */
export function taskConfiguration(options: TaskOptions): Configuration {
  const { loss, stepSchedulerEvery, clipGradNorm, accumulate = 1, metrics = [] } = options
  return {
    loss: `${nameOf(loss)} ${optionsOf(loss)}`,
    stepSchedulerEvery: String(stepSchedulerEvery),
    clipGradNorm: String(clipGradNorm),
    accumulate: String(accumulate),
    metrics: metricNames(metrics).join(' '),
    ...loaderConfiguration('train', options.train),
    ...loaderConfiguration('test', options.test),
  }
}

/** Names, shapes and classes of what a run trains, and by what. */
export function trainedConfiguration(model: Model, { optimizer, scheduler }: TrainedOptions): Configuration {
  const parameters = optimizer.paramGroups.map(({ params }) => params.map(({ shape }) => `[${shape}]`).join(' '))
  return {
    ...Object.fromEntries(model.namedState().map(([key, { dtype, shape }]) => [key, `${dtype} [${shape}]`])),
    model: model.modules().map(nameOf).join(' '),
    optimizer: nameOf(optimizer),
    'optimizer.paramGroups': parameters.join(' | '),
    scheduler: nameOf(scheduler),
  }
}

/** What a run of these options is, whatever has become of its weights, rates and counts. */
export function configurationOf(model: Model, options: FitOptions): Configuration {
  return {
    ...trainedConfiguration(model, options),
    ...taskConfiguration(options),
    callbacks: stateful(options.callbacks ?? []),
    onEpochEnd: options.onEpochEnd ? 'given' : 'none',
  }
}

/** Throws ERR_STATE with the first difference between two that should be one, ERR_FILE_FORMAT for what is no configuration. */
export function checkConfiguration(where: string, present: Configuration, saved: unknown, owner: string): void {
  if (!isConfiguration(saved)) throw new AnnealError('ERR_FILE_FORMAT', phrase(owner, 'a configuration', saved))
  const was = saved as Configuration
  for (const name of new Set([...Object.keys(was), ...Object.keys(present)])) {
    if (present[name] === was[name]) continue
    const [expected, received] = [was, present].map(({ [name]: value }) => value ?? 'none')
    throw new AnnealError('ERR_STATE', phrase(where, `${name} to be ${expected}, as in ${owner},`, received))
  }
}

/** What a run itself keeps of its state; the rest is the model's, the optimizer's and the callbacks'. */
export type OwnState = Pick<RunState, 'configuration' | 'place' | 'history' | 'rates' | 'stopped' | 'best'>

/** The state of a run whose weights and counts are those of its last update. Tensors share the model's memory. */
export function captureRun(model: Model, options: FitOptions, own: OwnState): RunState {
  return {
    ...own,
    model: model.stateDict(),
    modes: model.modules().map(({ training }) => training),
    trained: model.parameters().map(({ requiresGrad }) => requiresGrad),
    optimizer: options.optimizer.stateDict(),
    scheduler: options.scheduler?.stateDict() ?? null,
    streams: streamsOf(options).map(stream => stream.getState()),
    callbacks: (options.callbacks ?? []).map(callback => callback.stateDict?.() ?? null),
  }
}

/** Puts everything in its place but what the run itself and its callbacks keep. Throws what those do whose state it is. */
export function restoreRun(model: Model, options: FitOptions, state: RunState): void {
  model.loadStateDict(state.model)
  options.optimizer.loadStateDict(state.optimizer)
  if (state.scheduler) options.scheduler?.loadStateDict(state.scheduler as never)
  for (const [i, stream] of streamsOf(options).entries()) stream.setState(state.streams[i])
  for (const [i, module] of model.modules().entries()) module.training = state.modes[i]
  for (const [i, parameter] of model.parameters().entries()) parameter.requiresGrad = state.trained[i]
}
