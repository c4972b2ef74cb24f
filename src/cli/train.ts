/** `anneal train`: a model from a table, saved with all that predictions need. Not here: the run (tabular/train_table.ts). */

import type { Command } from 'commander'
import { AnnealError } from '../base/errors.js'
import { callbacks, data } from '../index.js'
import { formatNumber } from '../report/index.js'
import { Interrupted, shellCommand } from './interrupts.js'
import { filesOf, sha256Of } from './tabular/model_folder.js'
import { writePictures } from './tabular/pictures.js'
import { prepare } from './tabular/prepared.js'
import { scoresText } from './tabular/scores.js'
import { addDataOptions, addEpochOptions, addModelOptions, type Settings, settingsIn } from './tabular/settings.js'
import { showProgress } from './tabular/show_progress.js'
import { type TableRun, type TrainedTable, trainTable } from './tabular/train_table.js'

interface Options extends Settings {
  readonly out: string
  readonly resume?: boolean
  readonly threads?: number
  readonly live?: boolean
  readonly quiet?: boolean
  readonly json?: boolean
}

/** What was made of the table, for people. */
function dataLines({ prepared, settings, data: { file } }: TableRun): string[] {
  const { task, labels, inputs, rows, width } = prepared
  const { numbers, categories, left } = inputs
  const classes = labels ? `, ${labels.length} classes` : ''
  const leftOut = Object.entries(left).map(([name, reason]) => `${name} (${reason})`)
  return [
    `${file}: ${task} of ${settings.target}${classes}`,
    `inputs: ${numbers.length} of numbers, ${categories.length} of categories; ${width.input} in all`,
    ...(leftOut.length ? [`left out: ${leftOut.join(', ')}`] : []),
    `rows: ${rows.train.rows} to train on, ${rows.test?.rows ?? 0} to validate on`,
  ]
}

/** What came out, for people. */
function resultLines(run: TableRun, { history, scores }: TrainedTable, pictures: string[] | null): string[] {
  const { folder } = run
  const { engineReason } = history
  return [
    ...(engineReason ? [`trained step by step: ${engineReason}`] : []),
    scores
      ? `validation: ${scoresText(scores)}`
      : `training loss ${formatNumber(Number(history.trainLoss.at(-1)!.toPrecision(4)))}`,
    `saved in ${folder}: the model, its history${pictures ? ' and report.html' : ''}`,
    ...(pictures ? [] : ['no pictures; they need: npm install @observablehq/plot linkedom']),
    `next: ${shellCommand(['predict', folder, 'new.csv', '-o', 'out.csv'])}`,
  ]
}

function resultOf(run: TableRun, trained: TrainedTable, pictures: string[] | null) {
  const { folder, settings, prepared } = run
  const { history, lr, scores } = trained
  return {
    ...{ folder, task: prepared.task, labels: prepared.labels, inputs: prepared.inputs, settings, lr },
    rows: { train: prepared.rows.train.rows, validation: prepared.rows.test?.rows ?? 0 },
    ...{ epochs: history.trainLoss.length, updates: history.lr.length, engine: history.engine },
    ...{ trainLoss: history.trainLoss.at(-1), validationLoss: history.testLoss?.at(-1), scores, pictures },
  }
}

/** What to say when Ctrl-C ended the run. */
function interrupted(
  error: AnnealError & { history?: { trainLoss: unknown[]; lr: unknown[] } },
  run: TableRun,
  args: readonly string[],
) {
  if (!error.history?.lr.length) return new Interrupted('interrupted before the first update; nothing was saved')
  const again = shellCommand(args.includes('--resume') ? args : [...args, '--resume'])
  const { epochs } = run.settings
  const done = `interrupted after ${error.history.lr.length} updates, ${error.history.trainLoss.length} of ${epochs} epochs`
  return new Interrupted(`${done}; saved in ${filesOf(run.folder).checkpoints}\ngo on with: ${again}`)
}

async function runOf(path: string, options: Options): Promise<TableRun> {
  const settings = settingsIn(options)
  const table = await data.readTable(path, { columns: settings.columns })
  const prepared = prepare(table, settings)
  const watchers = [
    ...(options.quiet ? [] : [await showProgress(settings.target, settings.epochs, prepared.train.length)]),
    ...(options.live ? [callbacks.liveView({ name: options.out, open: process.stderr.isTTY })] : []),
  ]
  return {
    ...{ folder: options.out, settings, prepared, types: table.types, threads: options.threads, watchers },
    ...{ data: { file: path, sha256: await sha256Of(path) }, resume: options.resume ?? false },
  }
}

async function train(path: string, options: Options, command: Command): Promise<void> {
  const run = await runOf(path, options)
  if (!options.quiet) console.error(dataLines(run).join('\n'))
  let trained: TrainedTable
  try {
    trained = await trainTable(run)
  } catch (error) {
    const aborted = error instanceof AnnealError && error.code === 'ERR_ABORTED'
    throw aborted ? interrupted(error, run, command.parent!.args) : error
  }
  const pictures = await writePictures(run, trained)
  const lines = options.json
    ? JSON.stringify(resultOf(run, trained, pictures))
    : resultLines(run, trained, pictures).join('\n')
  console.log(lines)
}

const help = `
Numbers are scaled, missing ones filled in and marked, categories become columns of 0 and 1; what was learned of the
training rows for that is saved with the model. Text and few whole numbers are classes, other numbers a regression.
Ctrl-C finishes the step, saves a checkpoint and says how to go on; equal settings give equal bits, interrupted or not.

Examples:
  anneal train iris.csv --target species
  anneal train houses.csv --target price --ignore id --columns zip=text --out houses/
  anneal train digits.csv --target digit --hidden 128 --lr auto --patience 10 --live
  anneal train iris.csv --target species --resume        after Ctrl-C`

export function define(command: Command): void {
  addEpochOptions(addModelOptions(addDataOptions(command)))
    .option('--out <folder>', 'where the model goes; an earlier run there is replaced', 'model')
    .option('--resume', 'go on where the run in that folder was interrupted')
    .option('--live', 'show the run on a page (needs uplot)')
    .option('--quiet', 'no progress')
    .option('--json', 'the result as one JSON object')
    .addHelpText('after', help)
    .action(train)
}
