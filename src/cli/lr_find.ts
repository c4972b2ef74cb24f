/** `anneal lr-find`: a range test of the learning rate on a table. */

import { writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { data, lrFind as find, type LrCurve } from '../index.js'
import { formatNumber } from '../report/index.js'
import { interruptible } from './interrupts.js'
import { integer, number } from './options.js'
import { prepare } from './tabular/prepared.js'
import { makeOptimizer } from './tabular/recipe.js'
import { addDataOptions, addModelOptions, type Settings } from './tabular/settings.js'
import { seededModel } from './tabular/train_table.js'

interface Options extends Settings {
  readonly minLr: number
  readonly maxLr: number
  readonly steps: number
  readonly plot?: string
  readonly json?: boolean
}

function linesOf({ suggestions, lr, diverged }: LrCurve): string[] {
  const rates = Object.entries(suggestions).map(
    ([name, rate]) => `${name.padEnd(8)}  ${formatNumber(Number(rate.toPrecision(3)))}`,
  )
  return [
    ...rates,
    `${lr.length} rates up to ${formatNumber(lr.at(-1)!)}${diverged ? ', where the loss diverged' : ''}`,
  ]
}

async function lrFind(path: string, options: Options): Promise<void> {
  const { minLr, maxLr, steps, plot, json, columns } = options
  const prepared = prepare(await data.readTable(path, { columns }), options)
  const { train, loss } = prepared
  const model = seededModel(prepared, options)
  const optimizer = makeOptimizer(model, options, minLr)
  const curve = await interruptible(signal => find(model, { train, loss, optimizer, minLr, maxLr, steps, signal }))
  if (plot !== undefined) await writeFile(plot, (await curve.chart()).svg)
  console.log(json ? JSON.stringify(curve) : linesOf(curve).join('\n'))
}

const help = `
The rate grows from step to step until the loss diverges. valley is what --lr auto takes: halfway down the longest fall;
steepest is where the loss falls fastest; minimum is a tenth of the rate of the lowest loss.

Examples:
  anneal lr-find iris.csv --target species
  anneal lr-find iris.csv --target species --optimizer sgd --plot lr.svg`

export function define(command: Command): void {
  addModelOptions(addDataOptions(command), { rates: false })
    .option('--min-lr <rate>', 'the first rate', number({ above: 0 }), 1e-7)
    .option('--max-lr <rate>', 'the last rate', number({ above: 0 }), 10)
    .option('--steps <n>', 'rates in all', integer(2, 1e6), 100)
    .option('--plot <file>', 'the curve as SVG')
    .option('--json', 'rates, losses and suggestions as one JSON object')
    .addHelpText('after', help)
    .action(lrFind)
}
