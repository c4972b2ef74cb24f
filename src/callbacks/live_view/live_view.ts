/** `callbacks.liveView`: a page on this machine that shows runs while they go on. Not here: the server (server.ts), the page. */

import { spawn } from 'node:child_process'
import { checkBoolean, checkInt, checkOptions } from '../../base/check.js'
import { typeError } from '../../base/errors.js'
import type { Callback } from '../../train/callbacks.js'
import { scalarsOf } from '../scalars.js'
import { type Board, boardOn, type LiveRun } from './board.js'

/** Options of `liveView`. */
export interface LiveViewOptions {
  /** Default 0: any free port. Views on the same port share one page, with their runs side by side. */
  port?: number
  /** What the page calls the run. Default: `run 1`, `run 2`, … */
  name?: string
  /** Open the page in the browser. Default false; the address is written to the terminal in any case. */
  open?: boolean
  /** Keep the process, and with it the page, when everything else is done. Default false. */
  keepOpen?: boolean
}

/** A callback that shows its run on a page. */
export interface LiveView extends Callback {
  /** The page's address, which holds the token without which it shows nothing. Known when a run has started. */
  url(): Promise<string>
  /** Ends the page. */
  close(): Promise<void>
}

/**
 * Shows losses, accuracies, rates, throughput and the time left on a page that only this machine can open, with buttons
 * that end the training or halve the rate. It only watches and costs the run nothing. The page survives being
 * reloaded and may be opened at any time while the process lives. Halving edits the groups' `lr`, as a hand would:
 * schedules that go on from the present rate keep it, those that compute each rate anew (OneCycleLR) overwrite it. Needs
 * the optional package uplot; nothing leaves the machine.
 *
 * ```ts
 * await fit(model, { ...options, callbacks: [callbacks.liveView()] })
 * ```
 * Throws `TypeError`/`RangeError` for bad options and `AnnealError` `ERR_MISSING_PACKAGE`; `url()` rejects where the port
 * is taken, while the training goes on.
 */
export function liveView(options: LiveViewOptions = {}): LiveView {
  const where = 'liveView'
  checkOptions(where, options, ['port', 'name', 'open', 'keepOpen'])
  const port = checkInt(where, 'port', options.port ?? 0, { min: 0, max: 65_535 })
  const open = checkBoolean(where, 'open', options.open ?? false)
  const keepOpen = checkBoolean(where, 'keepOpen', options.keepOpen ?? false)
  if (options.name !== undefined && typeof options.name !== 'string')
    throw typeError(where, 'name to be a string', options.name)
  const board = boardOn(port)
  let run: LiveRun
  return {
    watchOnly: true,
    onStart(_, { epochs, optimizer }) {
      run = board.add(options.name, epochs, factor => {
        for (const group of optimizer.paramGroups) group.lr *= factor
      })
      announce(board, open)
      if (keepOpen) board.keepOpen()
    },
    onEpoch(event) {
      run.epoch(event.epoch, scalarsOf(event))
      return run.goesOn()
    },
    onProgress(event) {
      run.progress(event)
    },
    onEnd(error) {
      run.end(error)
    },
    url: () => board.url(),
    close: () => board.close(),
  }
}

/** Says once where the page is. A port that is taken is reported, but is no reason to end a training. */
function announce(board: Board, open: boolean): void {
  if (board.announced) return
  board.announced = true
  board.url().then(
    url => {
      process.stderr.write(`live view: ${url}\n`)
      if (open) openBrowser(url)
    },
    error => process.stderr.write(`live view: ${error.message}\n`),
  )
}

/** A machine without a browser is no error: the address has been written. */
export function openBrowser(url: string): void {
  const [command, ...args] = { darwin: ['open'], win32: ['cmd', '/c', 'start', ''] }[process.platform as string] ?? [
    'xdg-open',
  ]
  spawn(command, [...args, url], { detached: true, stdio: 'ignore' })
    .on('error', () => {})
    .unref()
}
