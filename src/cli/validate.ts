/** `anneal validate`: kernels, optimizers and training runs of every backend against float64, as a table. */

import type { Command } from 'commander'
import { describeBackend } from '../compare/backend.js'
import { type Outcome, subjects, validateSubject } from '../compare/validate/run.js'
import { textTable } from '../report/index.js'
import { backendNames, installTfjs, integer, listOf, loadBackends, type Tell } from './options.js'

interface Options {
  readonly backend?: string[]
  readonly kernel?: string[]
  readonly cases: number
  readonly seed: number
}

function rowOf({ subject, backend, cases, ulps, share, failures }: Outcome) {
  const sorted = [...ulps].sort((a, b) => a - b)
  return {
    what: subject,
    backend,
    cases,
    'ulps, median': sorted[sorted.length >> 1]?.toPrecision(3),
    'ulps, worst': sorted[sorted.length - 1]?.toPrecision(3),
    'of bound': share.toFixed(3),
    result: failures ? `FAILED ${failures}` : 'ok',
  }
}

/** Tells of the failures, each with a command that repeats it alone; returns whether there were none. */
export function tellFailures(outcomes: readonly Outcome[], tell: Tell): boolean {
  const failed = outcomes.filter(({ failures }) => failures > 0)
  for (const { subject, backend, worst, reproducer } of failed)
    tell(`\n${subject} on ${backend}: ${worst}\n  ${reproducer}`)
  tell(failed.length ? `\n${failed.length} of ${outcomes.length} lines failed` : '\nall within their bounds')
  return failed.length === 0
}

async function validate({ backend, kernel, cases, seed }: Options): Promise<void> {
  const started = performance.now()
  const found = await loadBackends(backend, console.log)
  console.log(`${found.map(describeBackend).join('\n')}\n`)
  const chosen = subjects.filter(({ name }) => kernel?.includes(name) ?? true)
  const outcomes = chosen.flatMap(subject => validateSubject(subject, found, cases, seed))
  console.log(textTable(outcomes.map(rowOf)))
  if (!tellFailures(outcomes, console.log)) process.exitCode = 1
  console.log(`seed ${seed}, ${((performance.now() - started) / 1000).toFixed(1)} s`)
}

const help = `
Every number is compared with float64. "ulps" are those of the largest error of a case, in units of the last place of the
sum of its terms' absolute values; "of bound" is the largest error as a share of what is allowed: the bound stated in
native/kernels/kernels.def, for updates and losses of TensorFlow.js twice that, 1e-5 for a loss from equal weights and 1e-4
along a training run. Case i has the seed S + i. TensorFlow.js is compared where it is:
${installTfjs}`

export function define(command: Command): void {
  command
    .option('--backend <names>', `some of ${backendNames.join(', ')} (default: all that load)`, listOf(backendNames))
    .option('--kernel <names>', 'some of the names in the table (default: all)', listOf(subjects.map(s => s.name)))
    .option('--cases <n>', 'random cases of each', integer(1, 1e6), 200)
    .option('--seed <s>', 'seed of the first case', integer(0, 2 ** 32 - 1), 1)
    .addHelpText('after', help)
    .action(validate)
}
