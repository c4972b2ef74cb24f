/**
 * The ranks of a job as every one of them sees it: who it is among how many, what they tell each other between runs, and
 * how the job ends. Not here: how MPI is found (init.ts), nor exchanges within a step (native/plan/exchange.h).
 */

import { writeSync } from 'node:fs'
import { AnnealError } from '../base/errors.js'
import type { NativeWorld } from '../native/types.js'

/**
 * The processes that one launcher started together, its *ranks*, numbered from 0; made by `distributed.init()`. What is
 * done with a world is done by all of its ranks, in the same order.
 */
export class World {
  /** This process's number, from 0. */
  readonly rank: number
  /** How many ranks there are. */
  readonly size: number
  /** What the MPI library says of itself; '' in a world of one without a launcher. */
  readonly library: string
  /** @internal Undefined in a world of one without a launcher. */
  readonly native: NativeWorld | undefined

  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #holder: string | undefined

  /** @internal */
  constructor(native?: NativeWorld) {
    const { rank, size, library } = native?.describe() ?? { rank: 0, size: 1, library: '' }
    this.native = native
    this.rank = rank
    this.size = size
    this.library = library
  }

  /**
   * Resolves when all ranks have called it. Rejects with AnnealError ERR_RANK_STALLED, naming those that did not within
   * the world's timeout.
   *
   * ```ts
   * const world = await distributed.init()
   * await world.barrier()
   * ```
   */
  async barrier(): Promise<void> {
    await this.gather(new Uint8Array(1))
  }

  /**
   * Ends the job: says why on standard error, and has the launcher end all ranks with an exit code that is not 0.
   *
   * ```ts
   * const world = await distributed.init()
   * if (!Number.isFinite(1)) world.abort('the loss is not finite')
   * ```
   */
  abort(reason: string): never {
    writeSync(2, `anneal: ${this.#name()} ends the job: ${reason}\n`)
    this.#end(1)
    process.exit(1)
  }

  /** @internal What every rank brings, as many bytes each, one after the other by rank. */
  gather(bytes: Uint8Array): Promise<Uint8Array> {
    const { native } = this
    return native ? this.#queued(() => native.gather(bytes)) : Promise.resolve(bytes.slice())
  }

  /**
   * @internal Whoever trains with the world has it alone until the function that this returns is called: a rank that
   * ends meanwhile ends the job.
   */
  hold(who: string): () => void {
    if (this.#holder !== undefined) {
      throw new AnnealError(
        'ERR_BUSY',
        `${who}: expected a world that is free but received one in use by ${this.#holder}`,
      )
    }
    this.#holder = who
    return () => {
      this.#holder = undefined
    }
  }

  /** @internal The end of this process: MPI's where nothing is under way and all went well, else the job's. */
  atExit(code: number): void {
    const busy = this.#holder ?? (this.#waiting > 0 ? 'an exchange' : undefined)
    if (code === 0 && busy === undefined) this.native?.finalize()
    else {
      if (code === 0) writeSync(2, `anneal: ${this.#name()} ended during ${busy}, and so does the job\n`)
      this.#end(code || 1)
    }
  }

  /** One operation at a time, in the order of the calls, which is the same on all ranks. */
  async #queued<T>(start: () => Promise<T>): Promise<T> {
    this.#waiting++
    const mine = this.#last.then(start)
    this.#last = mine.catch(() => {})
    try {
      return await mine
    } catch (error) {
      const { code, message } = error as { code: 'ERR_RANK_STALLED'; message: string }
      throw new AnnealError(code, message, { cause: error })
    } finally {
      this.#waiting--
    }
  }

  #name(): string {
    return `rank ${this.rank} of ${this.size}`
  }

  #end(code: number): void {
    this.native?.abort(Math.min(code, 255))
  }
}
