/** `anneal view`: finished runs side by side on a page of this machine, the live view's. */

import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { AnnealError, describe, phrase } from '../base/errors.js'
import { boardOn } from '../callbacks/live_view/board.js'
import { openBrowser } from '../callbacks/live_view/live_view.js'
import { scalarsOf } from '../callbacks/scalars.js'
import type { History } from '../index.js'
import { interruptible } from './interrupts.js'
import { integer } from './options.js'
import { filesOf } from './tabular/model_folder.js'

interface Options {
  readonly port: number
  readonly open: boolean
}

/** A run that was saved. */
interface SavedRun {
  readonly name: string
  readonly history: History
}

/** The folders with a history: this one, and those in it. */
function foldersIn(folder: string): string[] {
  const inner = readdirSync(folder, { withFileTypes: true }).filter(entry => entry.isDirectory())
  const all = [folder, ...inner.map(({ name }) => join(folder, name)).sort()]
  return all.filter(path => existsSync(filesOf(path).history))
}

function readRun(folder: string): SavedRun {
  const file = filesOf(folder).history
  const history = JSON.parse(readFileSync(file, 'utf8')) as History
  if (Array.isArray(history?.trainLoss) && Array.isArray(history.lr))
    return { name: basename(resolve(folder)), history }
  throw new AnnealError('ERR_FILE_FORMAT', phrase(file, 'the history of a run', describe(history)))
}

/** The figures of an epoch, as its event had them; what was not finite is null in JSON. */
function figuresAt({ trainLoss, testLoss, trainAcc, testAcc, lr }: History, epoch: number) {
  const value = (curve: readonly (number | null)[]) => curve[epoch - 1] ?? Number.NaN
  const last = Math.ceil((lr.length * epoch) / trainLoss.length) - 1
  return scalarsOf({
    ...{ epoch, trainLoss: value(trainLoss), lr: lr[last], seconds: 0 },
    ...(testLoss && { testLoss: value(testLoss) }),
    ...(trainAcc && { trainAcc: value(trainAcc) }),
    ...(testAcc && { testAcc: value(testAcc) }),
  })
}

async function view(folders: string[], { port, open }: Options): Promise<void> {
  const runs = (folders.length ? folders : ['.']).flatMap(foldersIn).map(readRun)
  if (runs.length === 0)
    throw new AnnealError('ERR_EMPTY', phrase('view', 'folders with a run that anneal train saved', 'none'))
  const board = boardOn(port)
  for (const { name, history } of runs) {
    const run = board.add(name, history.trainLoss.length, () => {})
    for (let epoch = 1; epoch <= history.trainLoss.length; epoch++) run.epoch(epoch, figuresAt(history, epoch))
    run.end(undefined)
  }
  const url = await board.url()
  board.keepOpen()
  console.log(`${runs.length} run(s): ${url}\nCtrl-C ends the page`)
  if (open) openBrowser(url)
  await interruptible(async signal => signal.aborted || once(signal, 'abort'))
  await board.close()
}

const help = `
The page is for this machine only, and its address holds a token. Runs that go on: anneal train --live.

Examples:
  anneal view model/
  anneal view runs/ --no-open        all runs in the folders of runs/`

export function define(command: Command): void {
  command
    .argument('[folders...]', 'folders of runs, or of such folders; default: this one')
    .option('--port <n>', '0: any free one', integer(0, 65_535), 0)
    .option('--no-open', 'do not open the browser')
    .addHelpText('after', help)
    .action(view)
}
