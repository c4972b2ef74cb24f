/**
 * Several runs at a time, on all cores, each on a random stream of its own. Not here: what a run is (sweep.ts,
 * cross_validate.ts).
 */

import { driveAsync, type Eventually, type Steps } from '../base/drive.js'
import { AnnealError } from '../base/errors.js'
import { type Dispatch, MAX_RUNNING } from '../engine/chunks.js'
import { onStream } from '../engine/exclusive.js'

/** A run that has not begun: it builds and trains its model on the stream of `seed`. */
export interface Job<T> {
  readonly seed: number
  steps(signal: AbortSignal, dispatch: Dispatch): Steps<T>
}

/** Says which job is next, by its place in the list; null: none is left for this process. */
export type Deal = () => Eventually<number | null>

/** All of them, one after the other. */
export function inOrder(count: number): Deal {
  let next = 0
  return () => (next < count ? next++ : null)
}

/** Runs that were aborted: `runs` holds those that had ended, in no order. */
export class RunsAbortedError<T> extends AnnealError {
  constructor(
    where: string,
    reason: unknown,
    readonly runs: readonly T[],
    of: number,
  ) {
    super('ERR_ABORTED', `${where}: aborted after ${runs.length} of ${of} runs`, { cause: reason })
  }
}

/** Runs that are under way. */
interface Pool<T> {
  readonly jobs: readonly Job<T>[]
  readonly deal: Deal
  /** By their places. */
  readonly done: Map<number, T>
  /** Aborts where the user's signal does, or where a run has failed. */
  readonly signal: AbortSignal
  readonly onRun?: (run: T) => void
}

/** One run after the other, until none is left or all is over; whether none was left. */
async function work<T>({ jobs, deal, done, signal, onRun }: Pool<T>): Promise<boolean> {
  const dispatch = jobs.length > 1 ? 'away' : 'auto'
  for (let place = await deal(); place !== null; place = await deal()) {
    if (signal.aborted) return false
    const job = jobs[place]
    const run = await driveAsync(onStream(job.seed, job.steps(signal, dispatch)))
    done.set(place, run)
    await onRun?.(run)
  }
  return true
}

/**
 * Runs the jobs that are dealt, several at a time; their results in the order of the jobs. Throws what the first that
 * failed threw, and RunsAbortedError where the user's signal aborts.
 */
export async function runAll<T>(
  where: string,
  jobs: readonly Job<T>[],
  user: AbortSignal | undefined,
  onRun?: (run: T) => void,
  deal = inOrder(jobs.length),
): Promise<T[]> {
  const failed = new AbortController()
  const signal = user ? AbortSignal.any([user, failed.signal]) : failed.signal
  const pool: Pool<T> = { jobs, deal, done: new Map(), signal, onRun }
  const fail = (error: unknown) => {
    failed.abort(error)
    return false
  }
  // One more than run at a time: while native code trains, this thread prepares the next.
  const workers = Array.from({ length: Math.min(jobs.length, MAX_RUNNING + 1) }, () => work(pool).catch(fail))
  const ended = await Promise.all(workers)
  if (user?.aborted && !ended.every(Boolean))
    throw new RunsAbortedError(where, user.reason, [...pool.done.values()], jobs.length)
  if (failed.signal.aborted) throw failed.signal.reason
  return [...pool.done].sort(([a], [b]) => a - b).map(([, run]) => run)
}
