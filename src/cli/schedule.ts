/** `anneal schedule`: the rates of a schedule, as numbers and as a picture. Its options come from the schedules' own. */

import { writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { lrScheduler, optim, report, tensor } from '../index.js'
import { flagOf, integer, number } from './options.js'

interface Schedule {
  readonly spec: lrScheduler.ScheduleSpec<Record<string, unknown>>
  new (optimizer: optim.Optimizer, options: object): lrScheduler.LRScheduler
}

/** What is not an option of a command line: functions, other schedules, places to go on from. */
const unsaid = ['param', 'groups', 'lastEpoch', 'lrLambda', 'schedulers', 'schedule', 'scaleFn']

/** Schedules that are made of numbers and words alone. */
const schedules = Object.values(lrScheduler as unknown as Record<string, Schedule>).filter(value => {
  if (!Object.hasOwn(value, 'spec')) return false
  const { options } = value.spec
  return !['lrLambda', 'schedulers'].some(name => name in options) && value.spec.name !== 'ReduceLROnPlateau'
})

const nameOf = ({ spec }: Schedule) => spec.name.replace(/LR$/, '').toLowerCase()

/** Options of the command itself: a schedule's own one of that name is called `its`. */
const taken = ['lr', 'steps', 'plot', 'json']
const optionOf = (name: string) => (taken.includes(name) ? `its${name[0].toUpperCase()}${name.slice(1)}` : name)

/** Options that count all updates, which need not be said twice. */
const lengths = ['totalSteps', 'tMax', 'totalIters']

/** A number, true or false, a list of numbers, or a word. */
function readValue(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true'
  const numbers = text.split(',').map(Number)
  if (text.trim() === '' || numbers.some(Number.isNaN)) return text
  return numbers.length > 1 ? numbers : numbers[0]
}

interface Options extends Record<string, unknown> {
  readonly lr: number
  readonly steps: number
  readonly plot?: string
  readonly json?: boolean
}

/** The rates of the first updates. */
function ratesOf(Class: Schedule, said: Options): number[] {
  const { lr, steps } = said
  const optimizer = new optim.SGD([tensor([0], { requiresGrad: true })], { lr, momentum: 0.9 })
  const { options } = Class.spec
  const unset = lengths.filter(name => {
    const option = (options as Record<string, { default?: unknown } | undefined>)[name]
    return option && (option.default === undefined || option.default === null)
  })
  const filled = Object.fromEntries(unset.map(name => [name, steps]))
  const all = Object.keys(options).map(name => [name, said[optionOf(name)]])
  const given = Object.fromEntries(all.filter(([, value]) => value !== undefined))
  return new Class(optimizer, { ...filled, ...given }).preview(steps).map(([rate]) => rate)
}

/** About ten of the rates, the first and the last among them. */
function rowsOf(rates: readonly number[]): report.Row[] {
  const every = Math.max(1, Math.round((rates.length - 1) / 10))
  const shown = rates.map((lr, i) => ({ update: i + 1, lr }))
  return shown.filter(({ update }) => (update - 1) % every === 0 || update === rates.length)
}

async function schedule(Class: Schedule, options: Options): Promise<void> {
  const rates = ratesOf(Class, options)
  if (options.plot !== undefined) {
    const series = [{ name: Class.spec.name, values: rates, step: true }]
    const labels = { title: Class.spec.name, xLabel: 'update', yLabel: 'learning rate' }
    await writeFile(options.plot, (await report.lineChart({ ...labels, series })).svg)
  }
  console.log(options.json ? JSON.stringify(rates) : report.textTable(rowsOf(rates)))
}

const help = `
Options that count all updates, as --total-steps and --t-max, are --steps where they are not given.

Examples:
  anneal schedule onecycle --max-lr 0.1 --steps 1000 --plot onecycle.svg
  anneal schedule cosineannealing --lr 0.1 --eta-min 1e-4 --json`

export function define(command: Command): void {
  command.addHelpText('after', help)
  for (const Class of schedules) {
    const one = command
      .command(nameOf(Class))
      .description(`lrScheduler.${Class.spec.name}`)
      .option('--lr <rate>', "the optimizer's rate", number({ min: 0 }), 0.1)
      .option('--steps <n>', 'updates to show', integer(1, 1e6), 100)
      .option('--plot <file>', 'the rates as SVG')
      .option('--json', 'all rates as one JSON array')
    for (const [name, option] of Object.entries(Class.spec.options)) {
      if (unsaid.includes(name)) continue
      const standard = option.default === undefined ? 'required' : `default: ${JSON.stringify(option.default)}`
      one.option(`${flagOf(optionOf(name))} <value>`, standard, readValue)
    }
    one.action((options: Options) => schedule(Class, options))
  }
}
