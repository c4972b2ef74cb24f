/** The options of `fit`, checked. */

import { checkFunction, checkInt, checkOneOf, checkOptions } from '../base/check.js'
import { rangeError, typeError } from '../base/errors.js'
import { checkTraining, type Model, type TrainingOptions } from '../engine/options.js'
import { LRScheduler, ReduceLROnPlateau } from '../lr_scheduler/index.js'
import { type Callback, checkCallback } from './callbacks.js'
import { checkMetrics, type FitMetrics, metricNames } from './fit_metrics.js'
import { checkFigure, directionOf, type EpochEvent, type Figure, type ProgressEvent } from './history.js'

/** Options of `fit`. */
export interface FitOptions extends TrainingOptions {
  /** Moves the learning rate, or another hyper-parameter. */
  scheduler?: LRScheduler
  /**
   * When the scheduler steps. Default `batch`. A plateau steps per epoch; within a schedule that counts updates, as after a
   * warm-up, the rest goes on counting them, unless `epoch` is asked for.
   */
  stepSchedulerEvery?: 'batch' | 'epoch'
  /** Passes over the training data. */
  epochs: number
  /**
   * What is computed of all predictions of an epoch, into `history.metrics`: names (`['accuracy', 'rocAuc', 'r2']`), or
   * functions of targets and outputs. The training's predictions are those made while training, as for `trainAcc`.
   */
  metrics?: FitMetrics
  /** What a plateau is fed. Default: the test loss, without a test loader the training loss. */
  monitor?: Figure
  /** Early stopping and its kin, called in this order. */
  callbacks?: readonly Callback[]
  /** Goes on from the newest whole checkpoint in this folder; from the beginning where there is none. */
  resume?: string
  /** Awaited after each epoch; `false` ends the training. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a callback may return nothing.
  onEpochEnd?: (event: EpochEvent) => boolean | void | Promise<boolean | void>
  /** Called a few times a second; a promise is awaited. */
  onProgress?: (event: ProgressEvent) => void
}

/** Every option by name; the compiler refuses a list that lacks one. */
const known: Readonly<Record<keyof FitOptions, true>> = {
  train: true,
  test: true,
  loss: true,
  optimizer: true,
  scheduler: true,
  stepSchedulerEvery: true,
  epochs: true,
  metrics: true,
  monitor: true,
  clipGradNorm: true,
  accumulate: true,
  callbacks: true,
  resume: true,
  onEpochEnd: true,
  onProgress: true,
  signal: true,
  threads: true,
  backend: true,
  world: true,
}

/** Throws TypeError, RangeError or AnnealError for anything that `fit` cannot use. */
export function checkFit(model: Model, options: FitOptions): void {
  const where = 'fit'
  checkOptions(where, options, Object.keys(known))
  const { stepSchedulerEvery = 'batch', epochs, callbacks = [], onEpochEnd, onProgress } = options
  checkTraining(where, model, options)
  checkInt(where, 'epochs', epochs, { min: 0 })
  checkOneOf(where, 'stepSchedulerEvery', stepSchedulerEvery, ['batch', 'epoch'])
  checkScheduler(where, options)
  if (options.metrics !== undefined) checkMetrics(where, options.metrics, options.loss)
  checkMonitor(options)
  if (!Array.isArray(callbacks)) throw typeError(where, 'callbacks to be an array', callbacks)
  // not forEach, which leaves holes out
  for (const [i, callback] of callbacks.entries()) checkCallback(where, `callbacks[${i}]`, callback)
  checkResume(where, options)
  if (onEpochEnd !== undefined) checkFunction(where, 'onEpochEnd', onEpochEnd)
  if (onProgress !== undefined) checkFunction(where, 'onProgress', onProgress)
}

/** Whether a run writes or reads checkpoints. */
export function wantsCheckpoints({ resume, callbacks = [] }: FitOptions): boolean {
  return resume !== undefined || callbacks.some(callback => callback?.checkpoint)
}

/** Checkpoints hold our own optimizer's state, which another library's run does not keep. */
function checkResume(where: string, options: FitOptions): void {
  const { resume, backend, metrics, callbacks = [] } = options
  if (resume !== undefined && (typeof resume !== 'string' || resume === ''))
    throw typeError(where, 'resume to be a folder', resume)
  if (wantsCheckpoints(options) && backend) throw rangeError(where, 'no backend with checkpoints', backend.name)
  const midway = callbacks.some(
    ({ checkpoint: asked }) => asked && (asked.onAbort || Math.min(asked.everySteps, asked.everySeconds) < Infinity),
  )
  if (metrics && midway)
    throw rangeError(where, 'checkpoints at ends of epochs only (everyEpochs) with metrics', 'others')
}

/** A schedule of this optimizer, which steps as often as is asked for. */
function checkScheduler(where: string, { scheduler, optimizer, stepSchedulerEvery }: FitOptions): void {
  if (scheduler === undefined) return
  if (!(scheduler instanceof LRScheduler)) throw typeError(where, 'scheduler to be a scheduler', scheduler)
  if (scheduler.optimizer !== optimizer)
    throw rangeError(where, 'a schedule of this optimizer', 'a schedule of another one')
  if (stepSchedulerEvery === 'batch' && !scheduler.countsUpdates)
    throw rangeError(where, "stepSchedulerEvery to be 'epoch' for a plateau", stepSchedulerEvery)
}

/** What a plateau is fed. */
export function monitored({ monitor, test }: FitOptions): Figure {
  return monitor ?? (test ? 'testLoss' : 'trainLoss')
}

/** Refuses what will not be measured, and a plateau that waits for the other direction. */
function checkMonitor(options: FitOptions): void {
  const { metrics, test, loss, scheduler } = options
  const where = 'fit'
  const figure = checkFigure(where, 'monitor', monitored(options))
  const names = metricNames(metrics ?? [])
  const isMetric = figure.includes('.')
  if (isMetric && !names.includes(figure.slice(figure.indexOf('.') + 1)))
    throw rangeError(where, 'monitor to be one of metrics', figure)
  if (figure.startsWith('test') && !test) throw rangeError(where, 'monitor to be measured: a test loader', figure)
  if (figure.endsWith('Acc') && !loss.classifies)
    throw rangeError(where, 'monitor to be measured: a classifier', figure)
  // Which way a metric of one's own goes, only its author knows.
  const known = !isMetric || Array.isArray(metrics)
  const mode = directionOf(figure) === 1 ? 'min' : 'max'
  const plateau = plateausIn(scheduler).find(part => part.mode !== mode)
  if (known && plateau) throw rangeError(where, `a plateau of mode '${mode}' for monitor ${figure}`, plateau.mode)
}

function plateausIn(scheduler: unknown): ReduceLROnPlateau[] {
  if (scheduler instanceof ReduceLROnPlateau) return [scheduler]
  const { schedulers } = (scheduler ?? {}) as { schedulers?: readonly unknown[] }
  return (schedulers ?? []).flatMap(plateausIn)
}

/**
 * When the scheduler steps, if there is one: `plateau` is once per epoch, with the metric; `both` is per update what counts
 * updates, and per epoch the plateaus within.
 */
export function schedulerCadence({
  scheduler,
  stepSchedulerEvery = 'batch',
}: FitOptions): 'batch' | 'epoch' | 'plateau' | 'both' | 'never' {
  if (!scheduler) return 'never'
  if (!scheduler.needsMetric) return stepSchedulerEvery
  return scheduler.countsUpdates && stepSchedulerEvery === 'batch' ? 'both' : 'plateau'
}
