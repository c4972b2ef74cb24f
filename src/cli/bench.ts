/**
 * `anneal bench`: kernels, updates and fits of the backends that load, timed in one process, as a table and as files. A
 * quick look at one's own machine; figures that are published come from a process per contender (bench/ in the checkout).
 */

import { arch, cpus, loadavg, platform } from 'node:os'
import type { Command } from 'commander'
import { describeBackend, identityOf } from '../compare/backend.js'
import { type BenchCase, chooseCases, suiteNames, unsuited } from '../compare/bench/cases.js'
import { measure } from '../compare/bench/measure.js'
import { type BenchLine, type BenchResults, benchRows, writeBench } from '../compare/bench/results.js'
import type { Backend } from '../compare/index.js'
import { textTable } from '../report/index.js'
import { backendNames, integer, listOf, loadBackends } from './options.js'

interface Options {
  readonly backends?: string[]
  readonly suite?: string[]
  readonly milliseconds: number
  readonly out?: string
}

function timeCase(benchCase: BenchCase, backends: readonly Backend[], milliseconds: number): BenchLine {
  const { suite, name } = benchCase
  const able = backends.filter(backend => !unsuited(benchCase, backend))
  const runs = able.map(backend => benchCase.make(backend))
  const timings = measure(runs, milliseconds)
  for (const run of runs) run.dispose()
  return { suite, name, timings: Object.fromEntries(able.map((backend, i) => [backend.name, timings[i]])) }
}

function machine() {
  const all = cpus()
  return {
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    system: `${platform()}-${arch()}`,
    node: process.versions.node,
    load: loadavg()[0],
  }
}

async function bench({ backends, suite, milliseconds, out }: Options): Promise<void> {
  const found = await loadBackends(backends, console.log)
  console.log(`${found.map(describeBackend).join('\n')}\n`)
  const lines = chooseCases(suite).map(benchCase => timeCase(benchCase, found, milliseconds))
  const results: BenchResults = {
    machine: machine(),
    settings: { milliseconds },
    backends: found.map(identityOf),
    lines,
  }
  console.log(textTable(benchRows(results)))
  console.log('\nMedians of one call, the backends in turn in one process.')
  if (out !== undefined) console.log((await writeBench(results, out, console.log)).join('\n'))
}

export function define(command: Command): void {
  command
    .option('--backends <names>', `some of ${backendNames.join(', ')} (default: all that load)`, listOf(backendNames))
    .option('--suite <names>', `some of ${suiteNames.join(', ')} (default: all)`, listOf(suiteNames))
    .option('--milliseconds <n>', 'time for each case and backend', integer(1, 1e6), 200)
    .option('--out <file>', 'write figures, machine and versions as JSON, beside it Markdown and a page with charts')
    .action(bench)
}
