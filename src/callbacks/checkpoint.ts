/** The callback that has a run written down as it goes. Not here: when and what is written (train/checkpoints.ts). */

import { mkdirSync } from 'node:fs'
import { checkBoolean, checkInt, checkNumber, checkOptions } from '../base/check.js'
import { typeError } from '../base/errors.js'
import type { Callback } from '../train/callbacks.js'
import { checkFigure, type Figure } from '../train/history.js'

/** Options of `checkpoint`. */
export interface CheckpointOptions {
  /** The folder, of this run alone; made where it is not there. */
  dir: string
  /** Default 1. */
  everyEpochs?: number
  /** Also after every so many updates, in the middle of epochs. */
  everySteps?: number
  /** Also when so many seconds have gone by since the last one. */
  everySeconds?: number
  /** Also when the run's `signal` aborts it, after the update that is under way. Default false. */
  onAbort?: boolean
  /** Checkpoints left in the folder. Default 2. */
  keep?: number
  /** Also keep the model of the best epoch, as `best.safetensors`, which `io.load` reads. */
  best?: { monitor: Figure }
}

/**
 * Writes checkpoints of a run: weights, optimizer, schedule, random streams, place, history and the callbacks' counters.
 *
 * ```ts
 * const keep = callbacks.checkpoint({ dir: 'runs/a', everySteps: 500 })
 * await fit(model, { train, loss, optimizer, epochs: 20, callbacks: [keep], resume: 'runs/a' })
 * ```
 * Run again after whatever ended it, this program goes on from the newest checkpoint, and ends with the bits of a run that
 * was never interrupted. A file is there whole or not at all; one that cannot be written fails the run with the disk's
 * error (ENOSPC, EACCES, …) and leaves the one before. Throws TypeError or RangeError for options.
 * Source: PyTorch Lightning's ModelCheckpoint.
 */
export function checkpoint(options: CheckpointOptions): Callback {
  const where = 'checkpoint'
  checkOptions(where, options, ['dir', 'everyEpochs', 'everySteps', 'everySeconds', 'onAbort', 'keep', 'best'])
  const { dir, everyEpochs = 1, everySteps, everySeconds, onAbort = false, keep = 2, best } = options
  if (typeof dir !== 'string' || dir === '') throw typeError(where, 'dir to be a folder', dir)
  const monitor = best === undefined ? null : checkOptions(where, best, ['monitor']).monitor
  const settings = {
    dir,
    everyEpochs: checkInt(where, 'everyEpochs', everyEpochs, { min: 1 }),
    everySteps: everySteps === undefined ? Infinity : checkInt(where, 'everySteps', everySteps, { min: 1 }),
    everySeconds:
      everySeconds === undefined ? Infinity : checkNumber(where, 'everySeconds', everySeconds, { above: 0 }),
    onAbort: checkBoolean(where, 'onAbort', onAbort),
    keep: checkInt(where, 'keep', keep, { min: 1 }),
    monitor: monitor === null ? null : checkFigure(where, 'best.monitor', monitor),
  }
  return {
    watchOnly: true,
    checkpoint: settings,
    onStart() {
      mkdirSync(dir, { recursive: true })
    },
  }
}
