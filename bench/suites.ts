/**
 * `npm run bench -- --suite kernels`: kernels, updates and fits across backends in one process, timed by benny, which takes
 * more samples than `anneal bench` does of the same cases. Operands are made once and outlive benny's three set-ups of a
 * case. Not for publication: in one process a backend inherits the heap and the caches of the one before.
 */
import b from 'benny'
import { internal } from './drivers/internal.js'
import { describeMachine } from './harness/machine.js'

interface Backend {
  name: string
  version: string
  device: string
  threads: number
  isa: string
}
interface Run {
  run(): void
  dispose(): void
}
interface Case {
  suite: string
  name: string
  make(backend: Backend): Run
}
interface Line {
  suite: string
  name: string
  timings: Record<string, { median: number; min: number; max: number }>
}
type Tell = (line: string) => void

const { chooseCases, unsuited } = await internal<{
  chooseCases(names?: readonly string[]): Case[]
  unsuited(benchCase: Case, backend: Backend): string | undefined
}>('compare/bench/cases.js')
const { benchRows, writeBench } = await internal<{
  benchRows(results: { lines: Line[]; backends: Backend[] }): Record<string, string | undefined>[]
  writeBench(results: object, out: string, tell: Tell): Promise<string[]>
}>('compare/bench/results.js')
const { describeBackend, identityOf } = await internal<{
  describeBackend(backend: Backend): string
  identityOf(backend: Backend): Backend
}>('compare/backend.js')
const { loadBackends } = await internal<{
  loadBackends(names: readonly string[] | undefined, tell: Tell): Promise<Backend[]>
}>('cli/options.js')

const MICRO = 1e6

/** One case on every backend that takes part. */
async function timeCase(benchCase: Case, backends: readonly Backend[], seconds: number): Promise<Line> {
  const able = backends.filter(backend => !unsuited(benchCase, backend))
  const runs = able.map(backend => benchCase.make(backend))
  const entries = runs.map(({ run }, i) => b.add(able[i].name, () => run))
  const cases = { maxTime: seconds, minTime: seconds / 50, minSamples: 5 }
  const { results } = await b.suite(benchCase.name, b.configure({ cases }), ...entries, b.cycle())
  for (const run of runs) run.dispose()
  const timings = results.map(({ name, details: { median, min, max } }) => {
    return [name, { median: median * MICRO, min: min * MICRO, max: max * MICRO }] as const
  })
  return { suite: benchCase.suite, name: benchCase.name, timings: Object.fromEntries(timings) }
}

export interface SuiteRequest {
  suites: readonly string[]
  backends?: readonly string[]
  /** Per case and backend. */
  seconds: number
  out: string
  command: string
}

/** Runs the suites; returns the rows of the table and the files. */
export async function runSuites({ suites, backends, seconds, out, command }: SuiteRequest, tell: Tell) {
  const chosen = chooseCases(suites)
  const found = await loadBackends(backends, tell)
  for (const backend of found) tell(describeBackend(backend))
  const lines: Line[] = []
  for (const benchCase of chosen) lines.push(await timeCase(benchCase, found, seconds))
  const results = {
    machine: describeMachine(),
    settings: { seconds, timer: 'benny', command },
    backends: found.map(identityOf),
    lines,
  }
  return { rows: benchRows(results), files: await writeBench(results, out, tell) }
}
