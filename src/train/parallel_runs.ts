/** Several runs at a time, on all cores, each on a random stream of its own. Not here: what a run is (sweep.ts, cross_validate.ts). */

import { driveAsync, type Steps } from '../base/drive.js'
import { AnnealError } from '../base/errors.js'
import { type Dispatch, MAX_RUNNING } from '../engine/chunks.js'
import { onStream } from '../engine/exclusive.js'

/** A run that has not begun: it builds and trains its model on the stream of `seed`. */
export interface Job<T> {
  readonly seed: number
  steps(signal: AbortSignal, dispatch: Dispatch): Steps<T>
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
  /** Those that have not begun, with their places. */
  readonly queue: (readonly [place: number, job: Job<T>])[]
  readonly done: Map<number, T>
  /** Aborts where the user's signal does, or where a run has failed. */
  readonly signal: AbortSignal
  readonly onRun?: (run: T) => void
}

/** One run after the other from the queue, until it is empty or all is over. */
async function work<T>({ queue, done, signal, onRun }: Pool<T>): Promise<void> {
  for (let next = queue.shift(); next && !signal.aborted; next = queue.shift()) {
    const [place, job] = next
    const dispatch = queue.length + done.size > 0 ? 'away' : 'auto'
    const run = await driveAsync(onStream(job.seed, job.steps(signal, dispatch)))
    done.set(place, run)
    await onRun?.(run)
  }
}

/**
 * Runs all jobs, several at a time; their results in the order of the jobs. Throws what the first that failed threw, and
 * RunsAbortedError where the user's signal aborts.
 */
export async function runAll<T>(
  where: string,
  jobs: readonly Job<T>[],
  user: AbortSignal | undefined,
  onRun?: (run: T) => void,
): Promise<T[]> {
  const failed = new AbortController()
  const signal = user ? AbortSignal.any([user, failed.signal]) : failed.signal
  const pool: Pool<T> = { queue: [...jobs.entries()], done: new Map(), signal, onRun }
  // One more than run at a time: while native code trains, this thread prepares the next.
  const workers = Array.from({ length: Math.min(jobs.length, MAX_RUNNING + 1) }, () => work(pool))
  await Promise.all(workers.map(worker => worker.catch(error => failed.abort(error))))
  if (user?.aborted && pool.done.size < jobs.length)
    throw new RunsAbortedError(where, user.reason, [...pool.done.values()], jobs.length)
  if (failed.signal.aborted && !user?.aborted) throw failed.signal.reason
  return jobs.map((_, place) => pool.done.get(place)!)
}
