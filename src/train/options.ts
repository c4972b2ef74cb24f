/** The options of `fit`, checked. */

import { checkFunction, checkInt, checkNumber, checkOneOf, checkOptions } from '../base/check.js'
import { AnnealError, rangeError, typeError } from '../base/errors.js'
import { DataLoader } from '../data/index.js'
import type { LRScheduler } from '../lr_scheduler/index.js'
import type { Loss, Module } from '../nn/index.js'
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
  /** At most this many threads. */
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

function checkLoader(name: string, loader: unknown): void {
  if (!(loader instanceof DataLoader)) throw typeError('fit', `${name} to be a DataLoader`, loader)
  if (loader.length === 0)
    throw new AnnealError('ERR_EMPTY', `fit: expected ${name} to have at least one batch but received none`)
}

function checkModel(model: unknown): void {
  if (typeof (model as Model | null)?.forward !== 'function' || typeof (model as Model).parameters !== 'function') {
    throw typeError('fit', 'model to be a Module', model)
  }
}

function checkCallbacks({ callbacks = [], onEpochEnd, onProgress }: FitOptions): void {
  if (!Array.isArray(callbacks)) throw typeError('fit', 'callbacks to be an array', callbacks)
  if (onEpochEnd !== undefined) checkFunction('fit', 'onEpochEnd', onEpochEnd)
  if (onProgress !== undefined) checkFunction('fit', 'onProgress', onProgress)
}

function checkNumbers({
  epochs,
  accumulate = 1,
  clipGradNorm,
  threads,
  stepSchedulerEvery = 'batch',
}: FitOptions): void {
  checkInt('fit', 'epochs', epochs, { min: 0 })
  checkInt('fit', 'accumulate', accumulate, { min: 1 })
  if (clipGradNorm !== undefined) checkNumber('fit', 'clipGradNorm', clipGradNorm, { above: 0, max: Infinity })
  if (threads !== undefined) checkInt('fit', 'threads', threads, { min: 1, max: 1024 })
  checkOneOf('fit', 'stepSchedulerEvery', stepSchedulerEvery, ['batch', 'epoch'])
}

/** Throws TypeError, RangeError or AnnealError for anything that `fit` cannot use. */
export function checkFit(model: Model, options: FitOptions): void {
  checkModel(model)
  checkOptions('fit', options, known)
  checkLoader('train', options.train)
  if (options.test !== undefined) checkLoader('test', options.test)
  if (typeof options.loss?.forward !== 'function') throw typeError('fit', 'loss to be a loss', options.loss)
  if (!(options.optimizer instanceof Optimizer))
    throw typeError('fit', 'optimizer to be an Optimizer', options.optimizer)
  if (options.scheduler !== undefined && typeof options.scheduler?.step !== 'function') {
    throw typeError('fit', 'scheduler to be a scheduler', options.scheduler)
  }
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal)) {
    throw typeError('fit', 'signal to be an AbortSignal', options.signal)
  }
  if (options.backend !== undefined && typeof options.backend?.engine !== 'function') {
    throw typeError('fit', 'backend to be one of backends', options.backend)
  }
  checkNumbers(options)
  checkCallbacks(options)
  const parameters = new Set(model.parameters())
  if (!options.optimizer.paramGroups.some(group => group.params.some(p => parameters.has(p)))) {
    throw rangeError('fit', "the optimizer to hold the model's parameters", 'parameters of another model')
  }
}

/** How often the scheduler steps, if there is one. */
export function schedulerCadence({
  scheduler,
  stepSchedulerEvery = 'batch',
}: FitOptions): 'batch' | 'epoch' | 'plateau' | 'never' {
  if (!scheduler) return 'never'
  return scheduler.needsMetric ? 'plateau' : stepSchedulerEvery
}
