/** `anneal sweep`: many runs on a table over lists of settings, on all cores, best first. */

import { type Command, InvalidArgumentError } from 'commander'
import { AnnealError, data, random, sweep as runAll, type Shard, type SweepResult } from '../index.js'
import { Interrupted, interruptible, shellCommand } from './interrupts.js'
import { integer, number } from './options.js'
import { addResultOptions, type ResultOptions, showResult } from './sweep_result.js'
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

type DataSettings = Pick<Settings, 'target' | 'task' | 'ignore' | 'val' | 'columns' | 'epochs' | 'seed'>

interface Options extends DataSettings, ResultOptions {
  readonly hidden: string[]
  readonly dropout: number[]
  readonly optimizer: string[]
  readonly lr: number[]
  readonly scheduler: string[]
  readonly batch: number[]
  readonly seeds: number
  readonly threads?: number
  readonly dir?: string
  readonly shard?: Shard
  readonly quiet?: boolean
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

/** `3/8`: the fourth of eight. */
function shardIn(text: string): Shard {
  const [index, count] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).slice(1).map(Number)
  if (index < count) return { index, count }
  throw new InvalidArgumentError('Expected I/N with I from 0 to N - 1, such as 0/8.')
}

async function runsOf(path: string, options: Options, signal: AbortSignal): Promise<SweepResult<Grid>> {
  const { hidden, dropout, optimizer, lr, scheduler, batch, seeds, seed, epochs, threads, dir, shard } = options
  const table = await data.readTable(path, { columns: options.columns })
  const { train, test, loss, width } = prepare(table, { ...options, batch: batch[0] })
  const runs = Array.from({ length: seeds }, (_, i) => seed + i)
  const all = [hidden, dropout, optimizer, lr, scheduler, batch, runs].reduce((count, { length }) => count * length, 1)
  let done = 0
  const tell = (index: number) => {
    const said = dir === undefined ? `${++done} of ${all} runs` : `${++done} done: run ${index} of ${all}`
    process.stderr.write(`${said}\n`)
  }
  return runAll<Grid & { seed: number }>({
    makeModel: params => makeModel(width.input, width.output, { ...params, hidden: widths(params.hidden) }),
    makeOptimizer: (model, params) => makeOptimizer(model, params, params.lr),
    makeScheduler: (made, { scheduler: name, lr: rate, batchSize }) =>
      makeSchedule(name, made, rate, train.withBatchSize(batchSize).length * epochs)!,
    grid: { hidden, dropout, optimizer, lr, scheduler, batchSize: batch, seed: runs },
    ...{ train, test, loss, epochs, threads, signal, dir, shard },
    ...(!options.quiet && { onRun: ({ index }) => tell(index) }),
  })
}

async function sweep(path: string, options: Options, command: Command): Promise<void> {
  const { dir } = options
  random.manualSeed(options.seed)
  let result: SweepResult<Grid>
  try {
    result = await interruptible(signal => runsOf(path, options, signal))
  } catch (error) {
    if (dir === undefined || !(error instanceof AnnealError && error.code === 'ERR_ABORTED')) throw error
    throw new Interrupted(`${error.message}\ngo on with: ${shellCommand(command.parent!.args)}`)
  }
  await showResult(result, options)
  if (result.missing.length > 0) {
    const rest = `${result.missing.length} runs of other shards are not done yet`
    console.error(`${rest}; once they are: ${shellCommand(['sweep-merge', dir!])}`)
  }
}

const help = `
Every combination is a run; the loss on the validation rows ranks them. Several seeds give means and deviations.

With --dir each run leaves a file there; run again, a sweep does what is left. --shard divides the runs among machines that
share the folder: by itself in a Slurm array, --shard $JOB_COMPLETION_INDEX/8 in a Kubernetes Job (docs/distributed.md).

Examples:
  anneal sweep iris.csv --target species --lr 0.001,0.01,0.1 --hidden 32/64,32/none
  anneal sweep iris.csv --target species --optimizer adamw,sgd,lion --seeds 5 --plot sweep.svg
  anneal sweep iris.csv --target species --seeds 5 --dir study/ --shard 0/2`

export function define(command: Command): void {
  addEpochOptions(addDataOptions(command), { patience: false })
    .option('--hidden <widths>', 'lists of widths, separated by /', list(layers, '/'), ['64,32'])
    .option('--dropout <p>', 'after each hidden layer', list(number({ min: 0, below: 1 })), [0.1])
    .option('--optimizer <names>', optimizerNames.join(', '), list(oneOf(optimizerNames)), ['adamw'])
    .option('--lr <rates>', 'highest learning rates', list(number({ above: 0 })), [0.001, 0.01, 0.1])
    .option('--scheduler <names>', scheduleNames.join(', '), list(oneOf(scheduleNames)), ['onecycle'])
    .option('--batch <rows>', 'rows per update', list(integer(1, 1e9)), [32])
    .option('--seeds <n>', 'runs of each setting, from --seed on', integer(1, 1000), 1)
    .option('--dir <folder>', 'where each run leaves a file; runs that have one are not done again')
    .option('--shard <i/n>', 'the runs of part i of n, from 0; default in a Slurm array: its task', shardIn)
    .option('--quiet', 'no progress')
  addResultOptions(command).addHelpText('after', help).action(sweep)
}
