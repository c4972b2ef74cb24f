/** A run's figures as event files that TensorBoard shows. Not here: the format (event_file.ts). */

import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { checkInt, checkOptions } from '../base/check.js'
import { typeError } from '../base/errors.js'
import type { Callback } from '../train/callbacks.js'
import { histogramOf, summaryEvent, type Value, versionEvent } from './event_file.js'
import { scalarsOf } from './scalars.js'

/** Options of `tensorBoard`. */
export interface TensorBoardOptions {
  /** The folder of this run; made if it is not there. TensorBoard compares the folders below its own `--logdir`. */
  logDir: string
  /** Write histograms of all parameters every so many epochs. Default 0: none, and the run is only watched. */
  histogramEvery?: number
}

/** Files that this process has begun: part of their names. */
let files = 0

/**
 * Writes what TensorBoard shows, a step per epoch: `loss/train`, `loss/test`, `accuracy/train`, `accuracy/test`,
 * `lr` (`lr/0`, `lr/1`, … with several groups), and on request histograms of the parameters under their names. Without
 * histograms it only watches and costs the run nothing. A second run of the same object begins a file of its own.
 *
 * ```ts
 * await fit(model, { ...options, callbacks: [callbacks.tensorBoard({ logDir: 'runs/first' })] })
 * // tensorboard --logdir runs
 * ```
 * Throws `TypeError`/`RangeError` for bad options; the run fails with the system's error where it cannot write. Source:
 * Keras's callback of this name, torch.utils.tensorboard.
 */
export function tensorBoard(options: TensorBoardOptions): Callback {
  const where = 'tensorBoard'
  checkOptions(where, options, ['logDir', 'histogramEvery'])
  const { logDir } = options
  if (typeof logDir !== 'string') throw typeError(where, 'logDir to be a string', logDir)
  const every = checkInt(where, 'histogramEvery', options.histogramEvery ?? 0, { min: 0 })
  let path = ''
  return {
    watchOnly: every === 0,
    onStart() {
      mkdirSync(logDir, { recursive: true })
      const time = Date.now() / 1000
      path = join(logDir, `events.out.tfevents.${Math.floor(time)}.${hostname()}.${process.pid}.${files++}`)
      writeFileSync(path, versionEvent(time))
    },
    onEpoch(event, model) {
      const values: Value[] = scalarsOf(event).map(([tag, scalar]) => ({ tag, scalar }))
      if (every && event.epoch % every === 0) {
        for (const [tag, parameter] of model.namedParameters()) {
          const histogram = histogramOf(parameter.values)
          if (histogram) values.push({ tag, histogram })
        }
      }
      // At once, so that a file is whole whatever becomes of the process.
      appendFileSync(path, summaryEvent(Date.now() / 1000, event.epoch, values))
      return true
    },
  }
}
