/**
 * `fit`: a run from its options or from the newest checkpoint, as the only user of what it trains. Not here: its epochs
 * (fit_run.ts).
 */

import { bothWays, type Steps } from '../base/drive.js'
import { AnnealError } from '../base/errors.js'
import { agree } from '../distributed/agree.js'
import type { World } from '../distributed/world.js'
import { chooseEngine } from '../engine/choose.js'
import type { Dispatch } from '../engine/chunks.js'
import type { Engine } from '../engine/engine.js'
import { asOnlyUser, exclusively } from '../engine/exclusive.js'
import { checkPlace, checkWaiting, type Model, sharedBy } from '../engine/options.js'
import { agreeOnStreams } from '../engine/ranks.js'
import { dropGradients, keepState, startTraining } from '../engine/state.js'
import { readNewest } from './checkpoint_folder.js'
import { checkpointDisk } from './checkpoints.js'
import { checkFit, type FitOptions, wantsCheckpoints } from './fit_options.js'
import { FitRun } from './fit_run.js'
import type { History } from './history.js'
import { asRunState } from './run_form.js'
import { checkConfiguration, configurationOf, type RunState, restoreRun, streamsOf } from './run_state.js'

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

/** Throws ERR_RANKS_DIFFER where ranks were told to train other things, or found other checkpoints. */
async function agreeOnTraining(
  world: World,
  model: Model,
  options: FitOptions,
  resumed: RunState | null,
): Promise<void> {
  const told = { ...configurationOf(model, options), epochs: options.epochs }
  await agree(world, 'training', JSON.stringify(told))
  await agree(world, 'newest checkpoint', resumed ? `${resumed.rates.ends.at(-1) ?? 0} updates` : 'none')
  await agreeOnStreams(world, streamsOf(options))
}

/** Runs `steps` as the only user of the world: a rank that ends meanwhile ends the job. */
function* holding<T>(world: World, steps: () => Steps<T>): Steps<T> {
  const letGo = world.hold('fit')
  try {
    return yield* steps()
  } finally {
    letGo()
  }
}

/** @internal The steps of a fit; they leave the model in the mode it trained in and without gradients. */
export function fitSteps(
  model: Model,
  options: FitOptions,
  makeEngine: () => Engine,
  place: Dispatch = 'away',
): Steps<History> {
  checkFit(model, options)
  checkPlace('fit', place, options.train, options.test)
  checkWaiting('fit', place, options)
  const stateful = (options.callbacks ?? []).filter(callback => callback.stateDict)
  const run = function* (): Steps<History> {
    try {
      const configuration = wantsCheckpoints(options) ? configurationOf(model, options) : {}
      const resumed = yield* takeUp(model, options)
      const world = sharedBy(options)
      if (world) yield agreeOnTraining(world, model, options, resumed)
      startTraining(model)
      return yield* new FitRun(model, options, makeEngine(), configuration, resumed).steps()
    } finally {
      dropGradients(model, options.optimizer)
    }
  }
  const world = sharedBy(options)
  return exclusively('fit', model, options, () => {
    return asOnlyUser('fit: expected callbacks that keep state', stateful, () => (world ? holding(world, run) : run()))
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
 *
 * With `world` all ranks of a job call `fit` with the same model, data and options, and each ends with the bits of one
 * process. Callbacks are called on every rank; those that only watch, `onEpochEnd`, `onProgress` and writers of checkpoints on
 * rank 0, and all stop where one says so. ERR_RANKS_DIFFER names the rank that would train something else,
 * ERR_RANK_STALLED one that does not answer; ERR_STATE where the model is none for a plan.
 */
export const fit = bothWays('fit', (place, model: Model, options: FitOptions) =>
  fitSteps(model, options, () => chooseEngine(model, options, place), place),
)
