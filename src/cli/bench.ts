/**
 * `anneal bench`: kernels, updates and fits of the backends that load, timed in one process, as a table and as JSON. A
 * quick look at one's own machine; figures that are published come from a process per contender (bench/ in the checkout).
 */

import { writeFileSync } from 'node:fs'
import { arch, cpus, loadavg, platform } from 'node:os'
import type { Command } from 'commander'
import { type BenchCase, benchCases, unsuited } from '../compare/bench/cases.js'
import { measure, type Timing } from '../compare/bench/measure.js'
import type { Backend } from '../compare/index.js'
import { textTable } from '../report/index.js'
import { backendNames, describeBackends, integer, listOf, loadBackends } from './options.js'

const suites = [...new Set(benchCases.map(({ suite }) => suite))]

interface Options {
  readonly backend?: string[]
  readonly suite?: string[]
  readonly milliseconds: number
  readonly json?: string
}

interface Line {
  readonly name: string
  /** By backend, in microseconds; absent where it sat the case out. */
  readonly timings: Readonly<Record<string, Timing>>
}

function timeCase(benchCase: BenchCase, backends: readonly Backend[], milliseconds: number): Line {
  const able = backends.filter(backend => !unsuited(benchCase, backend))
  const runs = able.map(backend => benchCase.make(backend))
  const timings = measure(runs, milliseconds)
  for (const run of runs) run.dispose()
  return { name: benchCase.name, timings: Object.fromEntries(able.map(({ name }, i) => [name, timings[i]])) }
}

/** Times of the row; those of others also as multiples of native's. */
function rowOf({ name, timings }: Line, backends: readonly Backend[]) {
  const cells = backends.map(({ name: backend }) => {
    const timing = timings[backend]
    const ours = timings.native
    const times = timing && ours && timing !== ours ? ` (${(timing.median / ours.median).toPrecision(2)}x)` : ''
    return [`${backend}, µs`, timing ? `${timing.median.toPrecision(3)}${times}` : '-']
  })
  return { case: name, ...Object.fromEntries(cells) }
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

async function bench({ backend, suite, milliseconds, json }: Options): Promise<void> {
  const found = await loadBackends(backend, console.log)
  console.log(`${describeBackends(found)}\n`)
  const chosen = benchCases.filter(benchCase => suite?.includes(benchCase.suite) ?? true)
  const lines = chosen.map(benchCase => timeCase(benchCase, found, milliseconds))
  console.log(textTable(lines.map(line => rowOf(line, found))))
  console.log('\nMedians of one call, in turn in one process; in brackets: how many times as long as native takes.')
  if (json === undefined) return
  const described = found.map(({ name, version, device, threads, isa }) => ({ name, version, device, threads, isa }))
  writeFileSync(
    json,
    `${JSON.stringify({ machine: machine(), backends: described, milliseconds, lines }, undefined, 1)}\n`,
  )
  console.log(`written: ${json}`)
}

export function addBench(program: Command): void {
  program
    .command('bench')
    .description('time kernels, updates and fits of the backends')
    .option('--backend <names>', `some of ${backendNames.join(', ')} (default: all that load)`, listOf(backendNames))
    .option('--suite <names>', `some of ${suites.join(', ')} (default: all)`, listOf(suites))
    .option('--milliseconds <n>', 'time for each case and backend', integer(1, 1e6), 200)
    .option('--json <file>', 'write the figures, the machine and the versions to a file')
    .action(bench)
}
