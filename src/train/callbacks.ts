/** Ready-made callbacks of `fit`. A callback sees each epoch's event and may end the training. */

import {
  checkBoolean,
  checkFunction,
  checkInt,
  checkNumber,
  checkOneOf,
  checkOptions,
  suggesting,
} from '../base/check.js'
import { AnnealError, describe, phrase, typeError } from '../base/errors.js'
import type { Model } from '../engine/options.js'
import type { StateDict } from '../nn/index.js'
import { tensor } from '../tensor/index.js'
import type { CheckpointSettings } from './checkpoints.js'
import type { FitOptions } from './fit_options.js'
import { checkFigure, directionOf, type EpochEvent, type Figure, figureOf, type ProgressEvent } from './history.js'

/**
 * What `fit` calls, one after the other. Hooks may be async: each is awaited, and its rejection rejects the fit; `fit.sync`
 * refuses them. One that keeps state (`stateDict`) serves one run at a time.
 */
export interface Callback {
  /**
   * It only looks at the events, and may edit learning rates: it neither reads nor changes weights. Small epochs then go on
   * many at a time; it is told of each of them, in order, a few times a second, and `seconds` is their mean.
   */
  readonly watchOnly?: boolean
  /** @internal What `callbacks.checkpoint` asks of the run. */
  readonly checkpoint?: CheckpointSettings
  /** @internal Asks for every step's values to be finite. */
  readonly checksFinite?: boolean
  /** Its counters as plain data, tensors among them, for checkpoints. */
  stateDict?(): object
  /** Goes on from such data; called after `onStart` in a run that is resumed. */
  loadStateDict?(state: object): void
  /** Before the first epoch. */
  onStart?(model: Model, options: FitOptions): void
  /** After each epoch; `false` ends the training. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a hook may return nothing.
  onEpoch?(event: EpochEvent, model: Model): boolean | void | Promise<boolean | void>
  /** After the last epoch, also when ended early; not after an abort. */
  onFinish?(model: Model): void
  /** A few times a second, and once at the end; no `false` ends the training here. */
  onProgress?(event: ProgressEvent): void
  /** When everything is over, however it ended: `error` is what the run failed with, an abort among them. */
  onEnd?(error?: unknown): void
}

const hooks = ['onStart', 'onEpoch', 'onFinish', 'onProgress', 'onEnd'] as const

/** Refuses what `fit` would never call. */
export function checkCallback(where: string, name: string, callback: unknown): void {
  if (typeof callback !== 'object' || callback === null) throw typeError(where, `${name} to be a callback`, callback)
  const given = hooks.filter(hook => (callback as Callback)[hook] !== undefined)
  for (const hook of given) checkFunction(where, `${name}.${hook}`, (callback as Callback)[hook] as () => void)
  if (given.length > 0 || (callback as Callback).checkpoint) return
  const odd = Object.keys(callback)[0] ?? ''
  throw suggesting(typeError(where, `${name} to have ${hooks.join(', ')} or several of them`, callback), odd, hooks)
}

/** Options of `earlyStopping`. */
export interface EarlyStoppingOptions {
  /** What must improve: a loss, an accuracy, or a metric: `test.f1`. Default testLoss. */
  monitor?: Figure
  /** Whether it must fall or rise. Default: losses and errors fall, accuracies and other metrics rise. */
  mode?: 'min' | 'max'
  /** Epochs without improvement before the training ends. Default 5. */
  patience?: number
  /** Smallest change that counts as an improvement. Default 0. */
  minDelta?: number
  /** Put back the weights of the best epoch at the end, however the run ended. Default false. */
  restoreBest?: boolean
}

/** A model's state that nothing changes any more. */
function copyState(model: Model): StateDict {
  return Object.fromEntries(
    Object.entries(model.stateDict()).map(([key, t]) => [key, tensor(t.values, { shape: t.shape, dtype: t.dtype })]),
  )
}

/**
 * Ends the training when a metric stops improving.
 *
 * ```ts
 * await fit(model, { ...options, callbacks: [callbacks.earlyStopping({ monitor: 'testLoss', patience: 3, restoreBest: true })] })
 * ```
 * Throws ERR_STATE where the monitored metric is absent, as testLoss without a test loader.
 */
export function earlyStopping(options: EarlyStoppingOptions = {}): Callback {
  checkOptions('earlyStopping', options, ['monitor', 'mode', 'patience', 'minDelta', 'restoreBest'])
  const monitor = checkFigure('earlyStopping', 'monitor', options.monitor ?? 'testLoss')
  if (options.mode !== undefined) checkOneOf('earlyStopping', 'mode', options.mode, ['min', 'max'])
  const patience = checkInt('earlyStopping', 'patience', options.patience ?? 5, { min: 0 })
  const minDelta = checkNumber('earlyStopping', 'minDelta', options.minDelta ?? 0, { min: 0 })
  const restoreBest = checkBoolean('earlyStopping', 'restoreBest', options.restoreBest ?? false)
  const sign = options.mode === undefined ? directionOf(monitor) : options.mode === 'min' ? 1 : -1
  let [best, waited] = [Infinity, 0]
  let weights: StateDict | null = null
  let model: Model | null = null
  const restore = () => {
    if (weights) model?.loadStateDict(weights)
    weights = null
  }
  return {
    stateDict: () => ({ best, waited, weights }),
    loadStateDict(state: object) {
      const given = state as { best: number; waited: number; weights: StateDict | null }
      const fits =
        typeof given.best === 'number' && typeof given.waited === 'number' && typeof given.weights === 'object'
      if (!fits)
        throw new AnnealError('ERR_STATE', phrase('earlyStopping', 'what its stateDict gives', describe(state)))
      ;({ best, waited, weights } = given)
    },
    onStart(started) {
      model = started
      best = Infinity
      waited = 0
      weights = null
    },
    onEpoch(event, trained) {
      const value = figureOf(event, monitor)
      if (value === undefined)
        throw new AnnealError('ERR_STATE', `earlyStopping: expected ${monitor} to be measured but it is absent`)
      if (sign * value < best - minDelta) {
        best = sign * value
        waited = 0
        if (restoreBest) weights = copyState(trained)
        return true
      }
      waited++
      return waited < patience
    },
    onFinish: restore,
    // where the run failed or was aborted
    onEnd: restore,
  }
}

/**
 * Fails the run with ERR_NONFINITE at the first step whose loss, gradient or updated tensor is NaN or infinite; the message
 * names the step and where it came up first, a layer's output for a loss, and the row of the data, if they hold one.
 * Weights and state stay as they were before that step. A plan goes on at full speed: a chunk in which something came up is
 * done again in the explicit loop. Off unless asked for, as in PyTorch.
 *
 * ```ts
 * await fit(model, { ...options, callbacks: [callbacks.failOnNaN()] })
 * // failOnNaN: expected finite values but received NaN in the output of fc2 (Linear) in step 17
 * ```
 * Source: torch.autograd.detect_anomaly; Lightning's detect_anomaly.
 */
export function failOnNaN(): Callback {
  return {
    watchOnly: true,
    checksFinite: true,
    // a backend that does not look itself
    onEpoch({ epoch, trainLoss }) {
      if (Number.isFinite(trainLoss)) return true
      throw new AnnealError(
        'ERR_NONFINITE',
        `failOnNaN: expected a finite training loss but received ${trainLoss} in epoch ${epoch}`,
      )
    },
  }
}
