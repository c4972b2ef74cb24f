/**
 * `fit`: a run from its options or from the newest checkpoint, as the only user of what it trains. Not here: its epochs
 * (fit_run.ts).
 */

import { bothWays, type Steps } from '../base/drive.js'
import { AnnealError } from '../base/errors.js'
import { chooseEngine } from '../engine/choose.js'
import type { Engine } from '../engine/engine.js'
import { asOnlyUser, exclusively } from '../engine/exclusive.js'
import { checkPlace, type Model } from '../engine/options.js'
import { dropGradients, keepState, startTraining } from '../engine/state.js'
import { readNewest } from './checkpoint_folder.js'
import { checkpointDisk } from './checkpoints.js'
import { checkFit, type FitOptions, wantsCheckpoints } from './fit_options.js'
import { FitRun } from './fit_run.js'
import type { History } from './history.js'
import { asRunState } from './run_form.js'
import { checkConfiguration, configurationOf, type RunState, restoreRun } from './run_state.js'

/** Puts model, optimizer, schedule and streams where the newest checkpoint has them, or none; null where there is none. */
function* takeUp(model: Model, options: FitOptions): Steps<RunState | null> {
  const { resume } = options
  if (resume === undefined) return null
  const read = yield* readNewest(checkpointDisk.disk, resume)
  if (read === null) return null
  checkConfiguration('fit', configurationOf(model, options), read.configuration, `the run in ${resume}`)
  const state = asRunState(resume, model, options, read)
  const { scheduler } = options
  const [restore, schedule] = [keepState(model, options), scheduler?.stateDict()]
  try {
    restoreRun(model, options, state)
  } catch (error) {
    restore()
    if (schedule) scheduler!.loadStateDict(schedule)
    if (error instanceof AnnealError) throw error
    throw new AnnealError('ERR_FILE_FORMAT', `${resume}, newest checkpoint: ${(error as Error).message}`, {
      cause: error,
    })
  }
  return state
}

/** @internal The steps of a fit; they leave the model in the mode it trained in and without gradients. */
export function fitSteps(model: Model, options: FitOptions, makeEngine: () => Engine): Steps<History> {
  checkFit(model, options)
  const stateful = (options.callbacks ?? []).filter(callback => callback.stateDict)
  const run = function* (): Steps<History> {
    try {
      const configuration = wantsCheckpoints(options) ? configurationOf(model, options) : {}
      const resumed = yield* takeUp(model, options)
      startTraining(model)
      return yield* new FitRun(model, options, makeEngine(), configuration, resumed).steps()
    } finally {
      dropGradients(model, options.optimizer)
    }
  }
  return exclusively('fit', model, options, () => {
    return asOnlyUser('fit: expected callbacks that keep state', stateful, run)
  })
}

/**
 * Trains `model` for some epochs and returns its curves.
 *
 * ```ts
 * const history = await fit(model, { train, test, loss: new nn.CrossEntropyLoss(), optimizer, scheduler, epochs: 20 })
 * ```
 * The same numbers, bit for bit, as the explicit loop (zeroGrad, forward, loss, backward, step, scheduler.step).
 * Rejects with TypeError, RangeError or AnnealError for bad options, ERR_BUSY while another fit uses the model, the
 * optimizer or a tensor of theirs, ERR_DETACHED where memory was transferred away, ERR_ABORTED (with `history` so far)
 * when `signal` aborts; whatever a run fails with has the `history` so far. Afterwards the model is in the mode it trained
 * in and has no gradients; a schedule-free optimizer leaves its average in it. `fit.sync` is the same without leaving the
 * thread.
 *
 * While it runs, callbacks (their awaits included) see and may change the model. All others may read it: `predict`,
 * `evaluate`, forward without gradients, `data`, `detach()`, `stateDict()` and `clone()` see one set of weights and buffers,
 * as they were at the start or the end of an epoch (of a schedule-free optimizer, the average); a call of `predict` or
 * `evaluate` keeps to one set. Writing to the model, gradients through it and the optimizer's state are ERR_BUSY to them;
 * what they write to `data`, a copy, is lost, and so is what is written to memory that was taken before the fit. The
 * random numbers that others draw meanwhile: see `random`.
 */
export const fit = bothWays('fit', (place, model: Model, options: FitOptions) =>
  fitSteps(model, options, () => {
    checkPlace('fit', place, options.train, options.test)
    return chooseEngine(model, options, place)
  }),
)
