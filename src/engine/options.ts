/** What every training is told, checked. Not here: what only `fit` takes (train/fit_options.ts). */

import { checkInt, checkNumber } from '../base/check.js'
import { AnnealError, phrase, rangeError, typeError } from '../base/errors.js'
import type { Signal } from '../base/platform_types.js'
import { DataLoader, StreamTable } from '../data/index.js'
import { World } from '../distributed/world.js'
import type { Loss, Module } from '../nn/index.js'
import type { LossOptions } from '../ops/reduced_loss.js'
import { Optimizer } from '../optim/index.js'
import type { Tensor } from '../tensor/index.js'
import type { Dispatch } from './chunks.js'
import type { TrainingBackend } from './engine.js'

/** A model of one input or several. */
export type Model = Module & { forward(...inputs: Tensor[]): Tensor }

/** What an engine needs to know of a training. */
export interface TrainingOptions {
  /** Batches to train on. */
  train: DataLoader
  /** Batches to evaluate on after each epoch. */
  test?: DataLoader
  /** What is made small. */
  loss: Loss
  /** Updates the model's parameters. */
  optimizer: Optimizer
  /** Largest total norm of the gradients. */
  clipGradNorm?: number
  /** Batches per update; their mean gradient is used. Default 1. */
  accumulate?: number
  /** Asks for the predictions of every batch: what `fit` makes of them is its business. */
  metrics?: object
  /** Aborts after the current batch. */
  signal?: Signal
  /** At most this many threads. Default: the physical cores that the process may use; small nets take one. */
  threads?: number
  /** Shares the work with the other processes of a job (`await distributed.init()`), with the bits of one process. */
  world?: World
  /** Trains on another backend, to compare: `backends.reference`, or one of `await backends.tfjs(kind)`. Default: native. */
  backend?: TrainingBackend
}

function checkLoader(where: string, name: string, loader: unknown): void {
  if (!(loader instanceof DataLoader)) throw typeError(where, `${name} to be a DataLoader`, loader)
  if (loader.length === 0)
    throw new AnnealError('ERR_EMPTY', `${where}: expected ${name} to have at least one batch but received none`)
}

/** Refuses streams where the thread is not to be left: they are waited for. */
export function checkPlace(where: string, dispatch: Dispatch, ...loaders: readonly (DataLoader | undefined)[]): void {
  if (dispatch !== 'here' || !loaders.some(loader => loader?.dataset instanceof StreamTable)) return
  throw new AnnealError(
    'ERR_STATE',
    phrase(`${where}.sync`, 'data in memory', `a stream, which is waited for: ${where} without sync takes it`),
  )
}

/** The world of a training that several processes share. */
export function sharedBy({ world }: Pick<TrainingOptions, 'world'>): World | undefined {
  return world && world.size > 1 ? world : undefined
}

/** Refuses other ranks where the thread is not to be left: they are waited for. */
export function checkWaiting(where: string, dispatch: Dispatch, options: Pick<TrainingOptions, 'world'>): void {
  const world = sharedBy(options)
  if (dispatch !== 'here' || !world) return
  const received = `a world of ${world.size} ranks, which are waited for: ${where} without sync takes it`
  throw new AnnealError('ERR_STATE', phrase(`${where}.sync`, 'one process', received))
}

/** Throws TypeError for what is no model. */
export function checkModel(where: string, model: unknown): void {
  if (typeof (model as Model | null)?.forward !== 'function' || typeof (model as Model).parameters !== 'function') {
    throw typeError(where, 'model to be a Module', model)
  }
}

/** Refuses what is no loss, or gives several numbers per batch. */
export function checkLoss(where: string, loss: Loss): void {
  if (typeof loss?.forward !== 'function') throw typeError(where, 'loss to be a loss', loss)
  const { reduction } = (loss as { options?: LossOptions }).options ?? {}
  if (reduction === 'none') throw rangeError(where, "loss to have reduction 'mean' or 'sum'", reduction)
}

/** Refuses a loss that cannot weigh samples where they have weights. */
export function checkWeighing(where: string, loss: Loss, { weighted }: Pick<DataLoader, 'weighted'>): void {
  if (!weighted || loss.weighsSamples) return
  throw rangeError(where, 'a loss that weighs samples, as they have weights,', loss.constructor.name)
}

/** Throws TypeError or RangeError for a loss or an optimizer that does not fit the model. */
export function checkTrainer(
  where: string,
  model: Model,
  { loss, optimizer }: Pick<TrainingOptions, 'loss' | 'optimizer'>,
): void {
  checkLoss(where, loss)
  if (!(optimizer instanceof Optimizer)) throw typeError(where, 'optimizer to be an Optimizer', optimizer)
  optimizer.check()
  const parameters = new Set(model.parameters())
  if (!optimizer.paramGroups.some(group => group.params.some(p => parameters.has(p)))) {
    throw rangeError(where, "the optimizer to hold the model's parameters", 'parameters of another model')
  }
}

/** Throws TypeError, RangeError or AnnealError for anything that no engine can use. */
export function checkTraining(where: string, model: Model, options: TrainingOptions): void {
  const { train, test, accumulate = 1, clipGradNorm, threads, signal, backend, world } = options
  checkModel(where, model)
  checkLoader(where, 'train', train)
  if (test !== undefined) checkLoader(where, 'test', test)
  checkTrainer(where, model, options)
  for (const loader of [train, test]) if (loader) checkWeighing(where, options.loss, loader)
  checkInt(where, 'accumulate', accumulate, { min: 1 })
  if (clipGradNorm !== undefined) checkNumber(where, 'clipGradNorm', clipGradNorm, { above: 0, max: Infinity })
  if (threads !== undefined) checkInt(where, 'threads', threads, { min: 1, max: 1024 })
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw typeError(where, 'signal to be an AbortSignal', signal)
  if (backend !== undefined && typeof backend?.engine !== 'function')
    throw typeError(where, 'backend to be one of backends', backend)
  if (world !== undefined && !(world instanceof World))
    throw typeError(where, 'world to be what distributed.init() gives', world)
  if (world && backend) throw rangeError(where, 'no backend with a world', backend.name)
}
