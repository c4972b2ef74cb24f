/**
 * Runs that the ranks of a world share: whoever is free gets the next one. All ranks meet every few milliseconds, say how
 * many runs they want, and number the answers alike, so that nobody has to serve and no clock decides what a run computes.
 * Not here: the runs of one process (parallel_runs.ts).
 */

import { setTimeout as pause } from 'node:timers/promises'
import { gatherNumbers, type Ranks } from '../distributed/numbers.js'
import { type Deal, type Job, RunsAbortedError, runAll } from './parallel_runs.js'

/** Milliseconds between two meetings of ranks that want nothing. */
const PAUSE_MS = 20

class Dealing {
  /** Workers of this rank that wait for a run. */
  readonly #asking: ((place: number | null) => void)[] = []
  #next = 0
  #wake = new AbortController()
  /** Whether this rank has nothing under way any more. */
  #over = false
  #stop = false
  #closed = false
  /** Whether all were stopped before every run was given to somebody. */
  wasCut = false

  constructor(
    private readonly ranks: Ranks,
    private readonly count: number,
  ) {}

  readonly deal: Deal = () =>
    new Promise(resolve => {
      if (this.#closed) return resolve(null)
      this.#asking.push(resolve)
      this.#wake.abort()
    })

  /** This rank has ended; `stop`: so are the others to, for it was aborted or a run has failed. */
  end(stop: boolean): void {
    this.#over = true
    this.#stop = stop
    this.#wake.abort()
  }

  /** Nobody gets anything any more. */
  close(): void {
    this.#closed = true
    for (const answer of this.#asking.splice(0)) answer(null)
  }

  /** Meets the other ranks until all have ended; `onStop` is told of the rank that stops all. */
  async serve(onStop: (rank: number) => void): Promise<void> {
    let stopped = false
    for (let working = true; working; ) {
      if (this.#asking.length === 0 && !this.#over) await this.#rest()
      // Of every rank: runs that it wants, whether it still works, whether all are to stop.
      const said = [this.#asking.length, Number(!this.#over), Number(this.#stop)]
      const told = await gatherNumbers(this.ranks, said)
      const by = told.findIndex(([, , stop]) => stop)
      if (by >= 0 && !stopped) onStop(by)
      stopped ||= by >= 0
      this.wasCut ||= stopped && this.#next < this.count
      if (stopped) this.#next = this.count
      this.#answer(told.map(([wanted]) => wanted))
      working = told.some(([, works]) => works)
    }
  }

  /** Numbers the wanted runs by rank; those of this one get theirs. */
  #answer(wanted: readonly number[]): void {
    for (const [rank, runs] of wanted.entries()) {
      for (let i = 0; i < runs; i++) {
        const place = this.#next < this.count ? this.#next++ : null
        if (rank === this.ranks.rank) this.#asking.shift()!(place)
      }
    }
  }

  /** Until somebody asks here, but not for long: others may. */
  async #rest(): Promise<void> {
    this.#wake = new AbortController()
    await pause(PAUSE_MS, undefined, { signal: this.#wake.signal }).catch(() => {})
  }
}

/**
 * Runs the jobs, which are the same on all ranks, each on one of them; those of this rank, in the order of the jobs. Throws as
 * `runAll`; where another rank is aborted or fails, RunsAbortedError that names it.
 */
export async function runDealt<T>(
  ranks: Ranks,
  where: string,
  jobs: readonly Job<T>[],
  user: AbortSignal | undefined,
  onRun?: (run: T) => void,
): Promise<T[]> {
  const dealing = new Dealing(ranks, jobs.length)
  const others = new AbortController()
  const signal = user ? AbortSignal.any([user, others.signal]) : others.signal
  const mine = runAll(where, jobs, signal, onRun, dealing.deal)
  mine.then(
    () => dealing.end(false),
    () => dealing.end(true),
  )
  try {
    await dealing.serve(rank => others.abort(`rank ${rank} ended the sweep`))
  } catch (error) {
    others.abort(error) // a rank that does not answer
    dealing.close()
    throw error
  }
  const runs = await mine
  // Who had nothing under way when another rank stopped all has ended like one for whom nothing was left.
  if (dealing.wasCut) throw new RunsAbortedError(where, signal.reason, runs, jobs.length)
  return runs
}
