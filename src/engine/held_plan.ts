/**
 * A plan in the hands of a run: taken with weights and state as they are now, loaded, handed back. Not here: recording
 * (recorded.ts), or running it (attempt.ts).
 */

import { type Steps, toEventLoop } from '../base/drive.js'
import { AnnealError } from '../base/errors.js'
import type { Columns } from '../data/columns.js'
import { Unplannable } from '../emitters/emitter.js'
import type { CompiledPlan } from '../plan/compiled.js'
import { returnPlan, type Taken, takePlan } from '../plan/pool.js'
import type { Tensor } from '../tensor/index.js'
import type { Model, TrainingOptions } from './options.js'
import { dropUnusedState, passes, type Recorded, recordAll, recordedIn } from './recorded.js'
import { checkLabels, makeResident } from './resident.js'
import type { Feeds } from './stream_feed.js'

export class HeldPlan {
  #recorded: Recorded
  /** Whether the model may have changed since it was recorded, as by a callback. */
  #stale = false
  #taken: Taken | null = null
  /** Weights and state while the plan holds them; null while JavaScript does. */
  #held: Set<Tensor> | null = null

  /** Records all programs. Throws Unplannable, with the reason, where the model cannot be a plan. */
  constructor(
    private readonly model: Model,
    private readonly options: TrainingOptions,
    private readonly feeds: Feeds,
  ) {
    this.#recorded = recordAll(model, options, feeds)
  }

  get recorded(): Recorded {
    return this.#recorded
  }

  /** Once it was taken. */
  get plan(): CompiledPlan {
    return this.#taken!.plan
  }

  /** Takes weights and state as they are now, and the programs too: whoever had them may have changed anything. */
  *take(): Steps<void> {
    if (this.#held) return
    if (this.#stale) this.#recordAgain()
    const { segments, forms, memory } = this.#recorded
    const recordings = segments.map(({ recorded: { calls, advance }, trains }) => {
      return { calls, advance, dataSet: trains ? 0 : 1 }
    })
    const before = this.#taken
    yield toEventLoop // recording and making the plan each take some milliseconds
    this.#taken = takePlan(recordings, forms, before)
    if (this.#taken !== before) yield* this.#writeData()
    // From the first value on nobody else may change them; the plan holds them once it has them all.
    const tensors = this.#tensors()
    for (const t of tensors) t.busy = true
    try {
      for (const _ of this.#taken.plan.load(memory)) yield toEventLoop
      this.#held = tensors
    } finally {
      if (!this.#held) for (const t of tensors) t.busy = false
    }
  }

  /** Runs `read` with weights, state and counts in JavaScript as they are now; the plan goes on with its own. */
  show<T>(read: () => T): T {
    const held = this.#held
    if (!held) return read()
    this.#save(held)
    try {
      return read()
    } finally {
      for (const t of held) t.busy = true
    }
  }

  /** Gives weights, state and counts back to JavaScript, where they may change until they are taken again. */
  handBack(): void {
    this.#stale = true
    if (!this.#held) return
    this.#save(this.#held)
    this.#held = null
  }

  #save(held: Set<Tensor>): void {
    for (const t of held) t.busy = false
    this.plan.save(this.#recorded.memory)
    this.#recorded.scalars.handBack()
  }

  close(): void {
    if (this.#taken) returnPlan(this.#taken)
    this.#taken = null
    dropUnusedState(this.options.optimizer)
  }

  #recordAgain(): void {
    try {
      this.#recorded = recordAll(this.model, this.options, this.feeds)
    } catch (error) {
      if (!(error instanceof Unplannable)) throw error
      throw new AnnealError('ERR_STATE', `fit: expected the model to stay one for the plan but ${error.message}`)
    }
    this.#stale = false
  }

  *#writeData(): Steps<void> {
    const { segments, forms } = this.#recorded
    for (const [dataSet, pass] of passes(segments).entries()) {
      const [{ columns, trains }] = pass
      const { plan } = this
      const checks = recordedIn(pass).flatMap(({ labelChecks }) => labelChecks)
      const place = function* (columns: Columns): Steps<void> {
        checkLabels(columns, checks)
        yield* makeResident(plan, columns, dataSet, forms[dataSet])
      }
      const feed = this.feeds[trains ? 'train' : 'test']
      if (feed) feed.attach(place)
      else yield* place(columns)
    }
  }

  #tensors(): Set<Tensor> {
    const { optimizer } = this.options
    const held = new Set([...this.model.parameters(), ...this.model.namedBuffers().map(([, t]) => t)])
    for (const { params } of optimizer.paramGroups) for (const p of params) held.add(p)
    for (const { tensors } of optimizer.state.values()) for (const t of Object.values(tensors)) held.add(t)
    return held
  }
}
