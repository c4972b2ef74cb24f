/**
 * What the drivers in JavaScript share: the request on the command line, timed blocks, the answer as one line of JSON. A
 * driver is a program of its own (one process per trial and contender), so that no heap, cache or crash reaches another.
 */
import type { Trial } from '../trials.js'

export interface DriverRequest<T extends Trial = Trial> {
  trial: T
  threads: number
  /** How long the timed part should take. */
  seconds: number
}

export interface DriverAnswer {
  /** Of the library that did the work. */
  version: string
  unit: 'us'
  /** Microseconds per step, call or run, one per block. */
  samples: number[]
  /** Processor time over wall time of the timed part: below the number of threads, others took the core. */
  busy: number
  /** A number that every contender must agree on: it shows that they did the same work. */
  check: number
  steps?: number
  /** The first step, call or run, with everything that is made on the way. */
  coldMs?: number
  /** Resident memory that the timed part added. */
  addedMB?: number
  /** Of the time, the most that any of several ranks waited for the others, and copied for them. */
  waiting?: number
  copying?: number
  settings?: Record<string, unknown>
}

const BLOCKS = 5

export function readRequest<T extends Trial>(): DriverRequest<T> {
  return JSON.parse(process.argv[2])
}

export function writeAnswer(answer: DriverAnswer): void {
  console.log(JSON.stringify(answer))
}

/** Runs of `unit` steps in one block, so that five blocks fill the seconds; at least one. */
export function runsPerBlock(seconds: number, usPerRun: number): number {
  return Math.max(1, Math.floor((seconds * 1e6) / BLOCKS / usPerRun))
}

/** Microseconds that `run` takes. */
export async function microseconds(run: () => unknown): Promise<number> {
  const start = performance.now()
  await run()
  return (performance.now() - start) * 1000
}

/**
 * Calls `run(steps)` with doubled steps until a call takes 0.3 seconds, so that V8 has optimised by then; returns the
 * microseconds per step of the last call.
 */
export async function warmUp(run: (steps: number) => unknown): Promise<number> {
  for (let steps = 1; ; steps *= 2) {
    const us = await microseconds(() => run(steps))
    if (us > 3e5) return us / steps
  }
}

/** Times `blocks` blocks of `steps` steps each. */
export async function timed(
  run: () => unknown,
  steps: number,
  blocks = BLOCKS,
): Promise<Pick<DriverAnswer, 'samples' | 'busy' | 'steps'>> {
  const samples: number[] = []
  const cpu = process.cpuUsage()
  const start = performance.now()
  for (let block = 0; block < blocks; block++) samples.push((await microseconds(run)) / steps)
  const { user, system } = process.cpuUsage(cpu)
  return { samples, busy: (user + system) / 1000 / (performance.now() - start), steps }
}
