/** A whole run on a table: model, rate, training, scores, files. Not here: the command line (cli/train.ts), pictures. */

import { writeFile } from 'node:fs/promises'
import { callbacks, type data, fit, type History, io, lrFind, type nn, predict, random } from '../../index.js'
import { interruptible } from '../interrupts.js'
import { inputsOf, typesFor } from './columns.js'
import { beginFolder, checkSameRun, filesOf, readSettings, type SavedSettings, writeSettings } from './model_folder.js'
import { foldScale, type Prepared } from './prepared.js'
import { makeModel, makeOptimizer, makeSchedule } from './recipe.js'
import { type Scores, scoresFor } from './scores.js'
import type { Settings } from './settings.js'

/** Seconds between two checkpoints, besides those at the end and at Ctrl-C. */
const CHECKPOINT_SECONDS = 10

export interface TableRun {
  readonly folder: string
  readonly settings: Settings
  readonly prepared: Prepared
  readonly data: SavedSettings['data']
  readonly types: data.Table['types']
  readonly resume: boolean
  readonly threads?: number
  /** Those that show the run. */
  readonly watchers: readonly callbacks.Callback[]
}

export interface TrainedTable {
  readonly model: nn.Sequential
  readonly history: History
  readonly lr: number
  /** Of the validation rows; null without any. */
  readonly scores: Scores | null
  /** The model's outputs for the validation rows. */
  readonly outputs: ArrayLike<number> | null
}

/** The model of a run, seeded: equal for equal settings. */
export function seededModel({ width }: Prepared, settings: Settings): nn.Sequential {
  random.manualSeed(settings.seed)
  return makeModel(width.input, width.output, settings)
}

/** The rate of a run: the one asked for, or a range test's valley. */
export async function rateOf(model: nn.Sequential, settings: Settings, { train, loss }: Prepared, signal: AbortSignal) {
  if (settings.lr !== 'auto') return settings.lr
  const { suggestions } = await lrFind(model, { train, loss, optimizer: makeOptimizer(model, settings, 1e-3), signal })
  return suggestions.valley
}

/** The settings that this run goes on with; null where it begins. */
async function settingsBefore({ folder, settings, data, resume }: TableRun): Promise<SavedSettings | null> {
  const saved = resume ? await readSettings(folder) : null
  if (saved) checkSameRun(folder, saved, settings, data.sha256)
  return saved
}

function callbacksOf({ folder, settings, watchers, prepared }: TableRun): callbacks.Callback[] {
  const { patience } = settings
  const { checkpoints } = filesOf(folder)
  const monitor = prepared.test ? 'testLoss' : 'trainLoss'
  return [
    ...(patience === undefined ? [] : [callbacks.earlyStopping({ monitor, patience, restoreBest: true })]),
    callbacks.checkpoint({
      ...{ dir: checkpoints, everyEpochs: Number.MAX_SAFE_INTEGER },
      ...{ everySeconds: CHECKPOINT_SECONDS, onAbort: true },
    }),
    ...watchers,
  ]
}

async function trainModel(run: TableRun, model: nn.Sequential, signal: AbortSignal) {
  const { folder, settings, prepared, data, types, threads } = run
  const before = await settingsBefore(run)
  const lr = before?.lr ?? (await rateOf(model, settings, prepared, signal))
  if (!before) await beginFolder(folder)
  const read = typesFor(prepared.inputs, types)
  await writeSettings(folder, { settings, task: prepared.task, lr, types: read, data })
  const optimizer = makeOptimizer(model, settings, lr)
  const { train, test, loss } = prepared
  const history = await fit(model, {
    ...{ train, test, loss, optimizer, epochs: settings.epochs, threads, signal },
    scheduler: makeSchedule(settings.scheduler, optimizer, lr, train.length * settings.epochs),
    callbacks: callbacksOf(run),
    resume: filesOf(folder).checkpoints,
  })
  return { history, lr }
}

/** Trains, or goes on; rejects with ERR_ABORTED at Ctrl-C, when the run was saved as it stands. Writes model and history. */
export async function trainTable(run: TableRun): Promise<TrainedTable> {
  const { folder, settings, prepared } = run
  const model = seededModel(prepared, settings)
  const { history, lr } = await interruptible(signal => trainModel(run, model, signal))
  if (prepared.scale) foldScale(model, prepared.scale)
  const { preparation, labels, rows } = prepared
  const outputs = rows.test && (await predict(model, preparation.transform(inputsOf(rows.test, prepared.inputs))))
  const scores = outputs && scoresFor(rows.test!, settings.target, labels, outputs)
  const files = filesOf(folder)
  await io.save(files.model, model, { preprocessing: preparation, ...(labels && { labels }) })
  await writeFile(files.history, `${JSON.stringify({ ...history, ...(scores && { scores }) })}\n`)
  return { model, history, lr, scores, outputs: outputs?.data ?? null }
}
