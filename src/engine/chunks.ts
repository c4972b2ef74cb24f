/** How much work goes to native code at once, and whether on this thread or off it. Not here: the work itself. */

import { availableParallelism } from 'node:os'
import type { Steps } from '../base/drive.js'
import { addon } from '../native/addon.js'
import { cpu } from '../native/cpu.js'
import type { NativePlan, PlanResult } from '../native/types.js'

/** A chunk is about this long: Node waits for it when a worker is terminated. WebAssembly's blocks the event loop. */
const CHUNK_MS = addon.isa === 'wasm' ? 4 : 40
/** Shorter work is done on this thread: going off it and back costs about as much. */
const SHORT_MS = 2
/** A cautious guess before anything was measured: small nets reach a sixth of what products do. */
const FLOPS_PER_MS = cpu.perMs / 6

/**
 * Native work that is off the thread at the same time, in the whole process. libuv's pool has four threads unless told
 * otherwise, and two of them stay free for everybody else.
 */
export const MAX_RUNNING = Math.max(
  2,
  Math.min(availableParallelism(), (Number(process.env.UV_THREADPOOL_SIZE) || 4) - 2),
)

/** Where chunks run: on this thread, off it unless they are short, or off it in any case, as others wait. */
export type Dispatch = 'here' | 'auto' | 'away'

/** Preparing so many steps takes about a millisecond of this thread. */
export const MAX_STEPS = 4096

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

/** What a plan is asked to do at once. */
export interface Chunk {
  /** Pairs of program and steps. */
  readonly segments: Int32Array
  readonly order: Int32Array
  /** Those of every update. */
  readonly scalars: Float64Array
  readonly draws: Float32Array
  /** Multiplications and additions in all. */
  readonly work: number
}

/** How long a run's work takes, and how it is done. */
export class Pace {
  #msPerWork = 1 / FLOPS_PER_MS

  constructor(
    private readonly dispatch: Dispatch,
    private readonly threads: number,
  ) {}

  /** The work of the next chunk. */
  get work(): number {
    return CHUNK_MS / this.#msPerWork
  }

  *run(plan: NativePlan, { segments, order, scalars, draws, work }: Chunk, steps: number): Steps<PlanResult> {
    let started = performance.now()
    const here = this.dispatch === 'here' || (this.dispatch === 'auto' && work * this.#msPerWork < SHORT_MS)
    const away = () => {
      started = performance.now()
      return plan.runAsync(segments, order, scalars, this.threads, draws)
    }
    const result = here
      ? plan.run(segments, order, scalars, this.threads, draws)
      : ((yield withinLimit(away)) as PlanResult)
    // One that was stopped early says little about the time that all of it takes.
    if (result.steps === steps) this.#msPerWork = Math.max(performance.now() - started, 1e-6) / work
    return result
  }
}
