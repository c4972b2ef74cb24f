/** How many steps go to native code at once, and whether on this thread or off it. Not here: the steps themselves. */

import type { NativePlan, PlanResult } from '../native/types.js'
import type { Steps } from './drive.js'

/** Native work that is off the thread at the same time, in the whole process: libuv's pool has four threads by default. */
const MAX_RUNNING = 2
/** A chunk is about this long: Node waits for it when a worker is terminated. */
const CHUNK_MS = 40
/** Shorter work is done on this thread: going off it and back costs about as much. */
const SHORT_MS = 1
/** A cautious guess before anything was measured. */
const FLOPS_PER_MS = 1e7

/** @internal For tests: a fixed number of steps per chunk. */
export const chunkSettings: { steps: number | null } = { steps: null }

let running = 0
const waiting: (() => void)[] = []

async function withinLimit<T>(work: () => Promise<T>): Promise<T> {
  if (running >= MAX_RUNNING) await new Promise<void>(resolve => waiting.push(resolve))
  else running++
  try {
    return await work()
  } finally {
    const next = waiting.shift()
    if (next) next()
    else running--
  }
}

/** Steps of one kind, how long they take, and how they run. */
export class Pace {
  #stepMs: number

  constructor(
    flopsPerStep: number,
    private readonly synchronous: boolean,
    private readonly threads: number,
  ) {
    this.#stepMs = flopsPerStep / FLOPS_PER_MS
  }

  /** Steps for the next chunk, of those that are left. */
  chunk(left: number): number {
    const wanted = chunkSettings.steps ?? Math.max(1, Math.floor(CHUNK_MS / Math.max(this.#stepMs, 1e-6)))
    return Math.min(left, wanted)
  }

  *run(
    plan: NativePlan,
    segments: Int32Array,
    order: Int32Array,
    rows: Float64Array,
    steps: number,
  ): Steps<PlanResult> {
    const started = performance.now()
    const short = steps * this.#stepMs < SHORT_MS
    const result =
      this.synchronous || short
        ? plan.run(segments, order, rows, this.threads)
        : ((yield withinLimit(() => plan.runAsync(segments, order, rows, this.threads))) as PlanResult)
    if (result.steps > 0) this.#stepMs = (performance.now() - started) / result.steps
    return result
  }
}
