/** The options of `fit`, checked. */

import { checkFunction, checkInt, checkNumber, checkOneOf, checkOptions } from '../base/check.js'
import { AnnealError, rangeError, typeError } from '../base/errors.js'
import { DataLoader } from '../data/index.js'
import type { LRScheduler } from '../lr_scheduler/index.js'
import type { Loss, Module } from '../nn/index.js'
import type { LossOptions } from '../ops/reduced_loss.js'
import { Optimizer } from '../optim/index.js'
import type { Tensor } from '../tensor/index.js'
import type { Callback } from './callbacks.js'
import type { TrainingBackend } from './engine.js'
import type { EpochEvent, ProgressEvent } from './history.js'

/** A model of one input. */
export type Model = Module & { forward(x: Tensor): Tensor }

export interface FitOptions {
  /** Batches to train on. */
  train: DataLoader
  /** Batches to evaluate on after each epoch. */
  test?: DataLoader
  loss: Loss
  optimizer: Optimizer
  scheduler?: LRScheduler
  /** When the scheduler steps. Default `batch`; a ReduceLROnPlateau always steps per epoch, on the test or train loss. */
  stepSchedulerEvery?: 'batch' | 'epoch'
  epochs: number
  /** Largest total norm of the gradients. */
  clipGradNorm?: number
  /** Batches per update; their mean gradient is used. Default 1. */
  accumulate?: number
  callbacks?: readonly Callback[]
  /** Awaited after each epoch; `false` ends the training. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a callback may return nothing.
  onEpochEnd?: (event: EpochEvent) => boolean | void | Promise<boolean | void>
  /** Called a few times a second, not awaited. */
  onProgress?: (event: ProgressEvent) => void
  /** Aborts after the current batch. */
  signal?: AbortSignal
  /** At most this many threads. Default: the physical cores that the process may use; small nets take one. */
  threads?: number
  /** Trains on another backend, to compare: `backends.reference`, or one of `await backends.tfjs(kind)`. Default: native. */
  backend?: TrainingBackend
}

const known = [
  'train',
  'test',
  'loss',
  'optimizer',
  'scheduler',
  'stepSchedulerEvery',
  'epochs',
  'clipGradNorm',
  'accumulate',
  'callbacks',
  'onEpochEnd',
  'onProgress',
  'signal',
  'threads',
  'backend',
] satisfies (keyof FitOptions)[]

function checkLoader(where: string, name: string, loader: unknown): void {
  if (!(loader instanceof DataLoader)) throw typeError(where, `${name} to be a DataLoader`, loader)
  if (loader.length === 0)
    throw new AnnealError('ERR_EMPTY', `${where}: expected ${name} to have at least one batch but received none`)
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

function checkCallbacks(where: string, { callbacks = [], onEpochEnd, onProgress }: FitOptions): void {
  if (!Array.isArray(callbacks)) throw typeError(where, 'callbacks to be an array', callbacks)
  if (onEpochEnd !== undefined) checkFunction(where, 'onEpochEnd', onEpochEnd)
  if (onProgress !== undefined) checkFunction(where, 'onProgress', onProgress)
}

function checkNumbers(
  where: string,
  { epochs, accumulate = 1, clipGradNorm, threads, stepSchedulerEvery = 'batch' }: FitOptions,
): void {
  checkInt(where, 'epochs', epochs, { min: 0 })
  checkInt(where, 'accumulate', accumulate, { min: 1 })
  if (clipGradNorm !== undefined) checkNumber(where, 'clipGradNorm', clipGradNorm, { above: 0, max: Infinity })
  if (threads !== undefined) checkInt(where, 'threads', threads, { min: 1, max: 1024 })
  checkOneOf(where, 'stepSchedulerEvery', stepSchedulerEvery, ['batch', 'epoch'])
}

/** Throws TypeError or RangeError for a loss or an optimizer that does not fit the model. */
export function checkTrainer(
  where: string,
  model: Model,
  { loss, optimizer }: Pick<FitOptions, 'loss' | 'optimizer'>,
): void {
  checkLoss(where, loss)
  if (!(optimizer instanceof Optimizer)) throw typeError(where, 'optimizer to be an Optimizer', optimizer)
  const parameters = new Set(model.parameters())
  if (!optimizer.paramGroups.some(group => group.params.some(p => parameters.has(p)))) {
    throw rangeError(where, "the optimizer to hold the model's parameters", 'parameters of another model')
  }
}

/** Throws TypeError, RangeError or AnnealError for anything that `fit`, or what trains like it, cannot use. */
export function checkFit(model: Model, options: FitOptions, where = 'fit'): void {
  checkModel(where, model)
  checkOptions(where, options, known)
  checkLoader(where, 'train', options.train)
  if (options.test !== undefined) checkLoader(where, 'test', options.test)
  checkTrainer(where, model, options)
  if (options.scheduler !== undefined && typeof options.scheduler?.step !== 'function') {
    throw typeError(where, 'scheduler to be a scheduler', options.scheduler)
  }
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal)) {
    throw typeError(where, 'signal to be an AbortSignal', options.signal)
  }
  if (options.backend !== undefined && typeof options.backend?.engine !== 'function') {
    throw typeError(where, 'backend to be one of backends', options.backend)
  }
  checkNumbers(where, options)
  checkCallbacks(where, options)
}

/** How often the scheduler steps, if there is one. */
export function schedulerCadence({
  scheduler,
  stepSchedulerEvery = 'batch',
}: FitOptions): 'batch' | 'epoch' | 'plateau' | 'never' {
  if (!scheduler) return 'never'
  return scheduler.needsMetric ? 'plateau' : stepSchedulerEvery
}
