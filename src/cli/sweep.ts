/** `anneal sweep`: many runs on a table over lists of settings, on all cores, best first. */

import { writeFile } from 'node:fs/promises'
import { type Command, InvalidArgumentError } from 'commander'
import { data, random, sweep as runAll, type SweepResult } from '../index.js'
import { interruptible } from './interrupts.js'
import { integer, number } from './options.js'
import { prepare } from './tabular/prepared.js'
import { makeModel, makeOptimizer, makeSchedule, optimizerNames, scheduleNames } from './tabular/recipe.js'
import { addDataOptions, addEpochOptions, type Settings, widths } from './tabular/settings.js'

/** The settings that a sweep varies. */
interface Grid {
  hidden: string
  dropout: number
  optimizer: string
  lr: number
  scheduler: string
  batchSize: number
}

interface Options extends Pick<Settings, 'target' | 'task' | 'ignore' | 'val' | 'columns' | 'epochs' | 'seed'> {
  readonly hidden: string[]
  readonly dropout: number[]
  readonly optimizer: string[]
  readonly lr: number[]
  readonly scheduler: string[]
  readonly batch: number[]
  readonly seeds: number
  readonly threads?: number
  readonly plot?: string
  readonly quiet?: boolean
  readonly json?: boolean
}

/** A list, each entry read by `read`. */
const list =
  <T>(read: (text: string) => T, separator = ',') =>
  (text: string) =>
    text.split(separator).map(read)

/** One of these names. */
function oneOf(names: readonly string[]): (text: string) => string {
  return text => {
    if (names.includes(text)) return text
    throw new InvalidArgumentError(`Expected some of ${names.join(', ')}.`)
  }
}

/** Widths as text, which tables of results show. */
function layers(text: string): string {
  widths(text)
  return text
}

async function runsOf(path: string, options: Options, signal: AbortSignal): Promise<SweepResult<Grid>> {
  const { hidden, dropout, optimizer, lr, scheduler, batch, seeds, seed, epochs, threads, quiet } = options
  const table = await data.readTable(path, { columns: options.columns })
  const { train, test, loss, width } = prepare(table, { ...options, batch: batch[0] })
  const runs = Array.from({ length: seeds }, (_, i) => seed + i)
  const all = [hidden, dropout, optimizer, lr, scheduler, batch, runs].reduce((count, { length }) => count * length, 1)
  let done = 0
  return runAll<Grid & { seed: number }>({
    makeModel: params => makeModel(width.input, width.output, { ...params, hidden: widths(params.hidden) }),
    makeOptimizer: (model, params) => makeOptimizer(model, params, params.lr),
    makeScheduler: (made, { scheduler: name, lr: rate, batchSize }) =>
      makeSchedule(name, made, rate, train.withBatchSize(batchSize).length * epochs)!,
    grid: { hidden, dropout, optimizer, lr, scheduler, batchSize: batch, seed: runs },
    ...{ train, test, loss, epochs, threads, signal },
    onRun: () => {
      if (!quiet) process.stderr.write(`${++done} of ${all} runs\n`)
    },
  })
}

async function sweep(path: string, options: Options): Promise<void> {
  random.manualSeed(options.seed)
  const result = await interruptible(signal => runsOf(path, options, signal))
  if (options.plot !== undefined) await writeFile(options.plot, (await result.chart()).svg)
  if (options.json) console.log(JSON.stringify(result.rows))
  else console.log(options.seeds > 1 ? result.settingsTable() : result.table())
}

const help = `
Every combination is a run; the loss on the validation rows ranks them. Several seeds give means and deviations.

Examples:
  anneal sweep iris.csv --target species --lr 0.001,0.01,0.1 --hidden 32/64,32/none
  anneal sweep iris.csv --target species --optimizer adamw,sgd,lion --seeds 5 --plot sweep.svg`

export function define(command: Command): void {
  addEpochOptions(addDataOptions(command), { patience: false })
    .option('--hidden <widths>', 'lists of widths, separated by /', list(layers, '/'), ['64,32'])
    .option('--dropout <p>', 'after each hidden layer', list(number({ min: 0, below: 1 })), [0.1])
    .option('--optimizer <names>', optimizerNames.join(', '), list(oneOf(optimizerNames)), ['adamw'])
    .option('--lr <rates>', 'highest learning rates', list(number({ above: 0 })), [0.001, 0.01, 0.1])
    .option('--scheduler <names>', scheduleNames.join(', '), list(oneOf(scheduleNames)), ['onecycle'])
    .option('--batch <rows>', 'rows per update', list(integer(1, 1e9)), [32])
    .option('--seeds <n>', 'runs of each setting, from --seed on', integer(1, 1000), 1)
    .option('--plot <file>', 'the curves as SVG')
    .option('--quiet', 'no progress')
    .option('--json', 'the runs, best first, as one JSON array')
    .addHelpText('after', help)
    .action(sweep)
}
