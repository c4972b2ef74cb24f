/** One run of a sweep: what it trains, and the training. Not here: which runs (sweep.ts), their files (stored_sweep.ts). */

import type { Steps } from '../base/drive.js'
import { chooseEngine } from '../engine/choose.js'
import type { Dispatch } from '../engine/chunks.js'
import { onStream } from '../engine/exclusive.js'
import type { Model } from '../engine/options.js'
import type { LRScheduler } from '../lr_scheduler/index.js'
import type { Optimizer } from '../optim/index.js'
import { fitSteps } from './fit.js'
import type { FitOptions } from './fit_options.js'
import type { History } from './history.js'
import { type RunParams, type SweepOptions, sharedOptions } from './sweep_options.js'

/** What a run trains, and by what. */
export interface Built {
  readonly model: Model
  readonly optimizer: Optimizer
  readonly scheduler?: LRScheduler
}

/** Makes all that is to be seeded: to be called on the stream of the run. */
export function build<P extends object>(options: SweepOptions<P>, params: RunParams<P>): Built {
  const model = options.makeModel(params)
  const optimizer = options.makeOptimizer(model, params)
  return { model, optimizer, scheduler: options.makeScheduler?.(optimizer, params) }
}

/** What a run trains, before its first update. */
export function builtRun<P extends object>(options: SweepOptions<P>, params: RunParams<P>): Steps<Built> {
  return onStream(
    params.seed,
    // biome-ignore lint/correctness/useYield: there is nothing to wait for.
    (function* () {
      return build(options, params)
    })(),
  )
}

/** What `fit` is told of a run. */
export function fitOptions<P extends object>(
  options: SweepOptions<P>,
  params: RunParams<P>,
  { optimizer, scheduler }: Built,
): FitOptions {
  return { ...sharedOptions(options, params), optimizer, scheduler }
}

/** Trains what was built. */
export function* train<P extends object>(
  options: SweepOptions<P>,
  params: RunParams<P>,
  built: Built,
  signal: AbortSignal,
  dispatch: Dispatch,
): Steps<History> {
  const callbacks = options.makeCallbacks?.(params)
  const given = { ...fitOptions(options, params, built), callbacks, signal }
  return yield* fitSteps(built.model, given, () => chooseEngine(built.model, given, dispatch))
}
