/**
 * What the ranks of a run agree on: rank 0 says how far the next chunk goes and what is due, any of them may end the run. A
 * run of one process asks itself. Not here: what is done about it (fit_run.ts).
 */

import { type Steps, settled } from '../base/drive.js'
import type { Signal } from '../base/platform_types.js'
import { gatherNumbers } from '../distributed/numbers.js'
import type { World } from '../distributed/world.js'
import type { Checkpoints } from './checkpoints.js'

/** What rank 0 said last of checkpoints that are due by the clock, and all of the signal. */
interface Said {
  readonly late: readonly boolean[]
  readonly aborted: boolean
}

export class Agreement {
  #said: Said = { late: [], aborted: false }

  constructor(
    private readonly world: World | undefined,
    private readonly signal: Signal | undefined,
    private readonly checkpoints: readonly Checkpoints[],
  ) {}

  /** Whether this process reports: writes checkpoints, and calls who only watches. */
  get reports(): boolean {
    return !this.world || this.world.rank === 0
  }

  /** Whether some rank's signal has aborted, as far as all know. */
  get aborted(): boolean {
    return this.world ? this.#said.aborted : this.#isAborted
  }

  /** Whether seconds enough went by for a checkpoint, as far as all know. */
  isLate(folder: Checkpoints): boolean {
    return this.world ? (this.#said.late[this.checkpoints.indexOf(folder)] ?? false) : folder.isLate
  }

  /** The steps of the next chunk. */
  *onSteps(steps: number): Steps<number> {
    if (!this.world) return steps
    const late = this.checkpoints.map(folder => Number(folder.isLate))
    const all = yield* this.#ask(this.world, [steps, Number(this.#isAborted), ...late])
    const [[agreed, , ...due]] = all
    this.#said = { late: due.map(Boolean), aborted: all.some(([, aborted]) => aborted !== 0) }
    return agreed
  }

  /** A number as rank 0 has it. */
  *onNumber(own: number): Steps<number> {
    if (!this.world) return own
    const [[agreed]] = yield* this.#ask(this.world, [own])
    return agreed
  }

  /** Whether it is so for any rank. */
  *onAny(own: boolean): Steps<boolean> {
    return this.world ? (yield* this.#ask(this.world, [Number(own)])).some(([flag]) => flag !== 0) : own
  }

  get #isAborted(): boolean {
    return this.signal?.aborted ?? false
  }

  #ask(world: World, own: readonly number[]): Steps<readonly (readonly number[])[]> {
    return settled(gatherNumbers(world, own))
  }
}
