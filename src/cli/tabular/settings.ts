/** What a training run on a table is told: options of `train`, `lr-find` and `sweep`, and what is saved beside a model. */

import { type Command, InvalidArgumentError, Option } from 'commander'
import { type ColumnType, columnTypes } from '../../data/column.js'
import { integer, number } from '../options.js'
import { optimizerNames, scheduleNames } from './recipe.js'
import { type TaskKind, taskKinds } from './task.js'

/** All that decides what a run computes; equal settings, data and versions give equal bits. */
export interface Settings {
  readonly target: string
  readonly task?: TaskKind
  readonly hidden: readonly number[]
  readonly dropout: number
  readonly optimizer: string
  readonly lr: number | 'auto'
  readonly weightDecay?: number
  readonly scheduler: string
  readonly epochs: number
  readonly batch: number
  readonly val: number
  readonly patience?: number
  readonly seed: number
  readonly ignore: readonly string[]
  readonly columns: Readonly<Record<string, ColumnType>>
}

/** The settings among parsed options, in the order of the options. */
export function settingsIn(options: Settings): Settings {
  const { target, task, hidden, dropout, optimizer, lr, weightDecay, scheduler } = options
  const { epochs, batch, val, patience, seed, ignore, columns } = options
  const about = { target, task, hidden, dropout, optimizer, lr, weightDecay, scheduler }
  return { ...about, epochs, batch, val, patience, seed, ignore, columns }
}

const positive = number({ above: 0 })

/** Widths of hidden layers: `64,32`, or `none`. */
export function widths(text: string): number[] {
  return text === 'none' ? [] : text.split(',').map(integer(1, 1e6))
}

function rate(text: string): number | 'auto' {
  return text === 'auto' ? text : positive(text)
}

const names = (text: string, before: readonly string[] = []) => [...before, ...text.split(',')]

/** Types of columns: `zip=text,rooms=number`. */
function typesOf(text: string, before: Record<string, ColumnType>): Record<string, ColumnType> {
  const entries = text.split(',').map(part => {
    const at = part.lastIndexOf('=')
    const type = part.slice(at + 1) as ColumnType
    if (at > 0 && columnTypes.includes(type)) return [part.slice(0, at), type]
    throw new InvalidArgumentError(`Expected NAME=TYPE, of the types ${columnTypes.join(', ')}.`)
  })
  return { ...before, ...Object.fromEntries(entries) }
}

/** Options that say what is learned, and from what. */
export function addDataOptions(command: Command): Command {
  return command
    .argument('<data>', 'a table: CSV, TSV, JSON lines, Parquet, Arrow')
    .requiredOption('--target <column>', 'the column to predict')
    .addOption(new Option('--task <kind>', 'default: told from the target').choices(taskKinds))
    .option('--ignore <columns>', 'columns to leave out', names, [])
    .option('--columns <types>', 'types of columns, NAME=TYPE, instead of what the data tell', typesOf, {})
    .option('--val <share>', 'share of the rows to validate on, 0 for none', number({ min: 0, below: 1 }), 0.2)
    .option('--seed <n>', 'of weights, order and split', integer(0, 2 ** 32 - 1), 0)
}

/** Options of the model and its training; `rates`: also those of the learning rate. */
export function addModelOptions(command: Command, { rates = true } = {}): Command {
  command
    .option('--hidden <widths>', 'hidden layers, or none', widths, [64, 32])
    .option('--dropout <p>', 'after each hidden layer', number({ min: 0, below: 1 }), 0.1)
    .addOption(new Option('--optimizer <name>', 'the optimizer').choices(optimizerNames).default('adamw'))
    .option('--weight-decay <rate>', "default: the optimizer's", number({ min: 0 }))
    .option('--batch <rows>', 'rows per update', integer(1, 1e9), 32)
  if (!rates) return command
  return command
    .option('--lr <rate>', 'the highest learning rate, or auto: found by a range test', rate, 0.01)
    .addOption(new Option('--scheduler <name>', 'how the rate moves').choices(scheduleNames).default('onecycle'))
}

/** Options of how long it is trained. */
export function addEpochOptions(command: Command, { patience = true } = {}): Command {
  command
    .option('--epochs <n>', 'passes over the training rows', integer(1, 1e9), 50)
    .option('--threads <n>', 'at most; default: physical cores', integer(1, 1024))
  if (!patience) return command
  const meaning = 'end after so many without a better validation loss, and keep the best'
  return command.option('--patience <epochs>', meaning, integer(1, 1e9))
}
