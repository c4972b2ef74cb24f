/** The command line of `npm run bench`. */
import { Command, InvalidArgumentError } from 'commander'
import { type Contender, contenders } from '../contenders.js'
import { type Trial, trials } from '../trials.js'
import { allowedCpus } from './machine.js'

export interface Request {
  /** Suites to run in one process instead of trials in many. */
  suites?: string[]
  backends?: string[]
  trials: Trial[]
  contenders: Contender[]
  rounds: number
  seconds: number
  threads: number
  /** Processors that every contender is pinned to; empty: not pinned. */
  cpus: number[]
  out: string
}

const list = (value: string) => value.split(',').map(item => item.trim())

function number(least: number, whole: boolean) {
  return (value: string) => {
    const parsed = Number(value)
    if (!(parsed >= least) || (whole && !Number.isInteger(parsed)))
      throw new InvalidArgumentError(`expected ${whole ? 'an integer' : 'a number'} of at least ${least}`)
    return parsed
  }
}

/** Trials by name, by the start of a name, or by kind. A name that fits none is an error that lists them. */
export function chooseTrials(names?: readonly string[]): Trial[] {
  if (!names) return [...trials]
  const chosen = names.flatMap(name => {
    const exact = trials.filter(trial => trial.name === name || trial.kind === name)
    const found = exact.length ? exact : trials.filter(trial => trial.name.startsWith(name))
    if (found.length) return found
    throw new RangeError(`bench: expected a trial (${trials.map(trial => trial.name).join(', ')}) but received ${name}`)
  })
  return [...new Set(chosen)]
}

function checkKnown(what: string, known: readonly string[], names: readonly string[] = []): void {
  const unknown = names.find(name => !known.includes(name))
  if (unknown !== undefined)
    throw new RangeError(`bench: expected a ${what} (${known.join(', ')}) but received ${unknown}`)
}

/** The backends that contenders are of. */
const backendNames = [...new Set(contenders.flatMap(({ backend }) => backend ?? []))]

/** Contenders by name, and of these the ones of some backends. */
export function chooseContenders(names?: readonly string[], backends?: readonly string[]): Contender[] {
  const known = contenders.map(contender => contender.name)
  checkKnown('driver', known, names)
  checkKnown('backend', backendNames, backends)
  const named = contenders.filter(({ name }) => !names || names.includes(name))
  return backends ? named.filter(({ backend }) => backend && backends.includes(backend)) : named
}

interface Flags {
  suite?: string[]
  backends?: string[]
  trial?: string[]
  drivers?: string[]
  rounds: number
  seconds: number
  threads: number
  cpus?: string[]
  pin: boolean
  out: string
}

export function readRequest(argv: readonly string[]): Request {
  const flags = new Command('npm run bench --')
    .description('Times training steps, the lecture and products: each contender in a process of its own, in rounds.')
    .option(
      '--suite <names>',
      'instead, in one process by benny: kernels, matmul, linear, cross-entropy, update, fit',
      list,
    )
    .option('--backends <names>', `only drivers of some of: ${backendNames.join(', ')}`, list)
    .option(
      '--trial <names>',
      'trials by name, start of name or kind (step, cold, lecture, product, predict, scaling, ranks, growth); default all',
      list,
    )
    .option('--drivers <names>', `some of: ${contenders.map(({ name }) => name).join(', ')}; default all`, list)
    .option('--rounds <n>', 'rounds over all drivers; medians over them are shown', number(1, true), 5)
    .option('--seconds <s>', 'timed seconds per driver and round', number(0.001, false), 1)
    .option('--threads <n>', 'threads, and processors each driver is pinned to', number(1, true), 1)
    .option('--cpus <list>', 'the processors to pin to; default the last ones', list)
    .option('--no-pin', 'leave the placement to the system')
    .option('--out <file>', 'results as JSON; table and plot beside it', 'build/bench/latest.json')
    .parse([...argv], { from: 'user' })
    .opts<Flags>()
  const { suite: suites, backends, threads, rounds, seconds, out } = flags
  const cpus = flags.pin ? (flags.cpus?.map(Number) ?? allowedCpus().slice(-threads)) : []
  return {
    suites,
    backends,
    trials: chooseTrials(flags.trial),
    contenders: chooseContenders(flags.drivers, backends),
    rounds,
    seconds,
    threads,
    cpus,
    out,
  }
}
