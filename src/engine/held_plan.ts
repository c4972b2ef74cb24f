/**
 * A plan in the hands of a run: taken with weights and state as they are now, loaded, handed back. Not here: recording
 * (recorded.ts), or running it (attempt.ts).
 */

import { type Steps, toEventLoop } from '../base/drive.js'
import { type Columns, partsOf } from '../data/columns.js'
import { checkRowsAttached } from '../data/rows.js'
import type { CompiledPlan } from '../plan/compiled.js'
import { isKept, returnPlan, sameKey, type Taken, takePlan } from '../plan/pool.js'
import type { Hold } from '../runs/hold.js'
import { hasIgnoredLabels } from './accuracy.js'
import { claimState, claimTensors, holdOf } from './exclusive.js'
import { allFinite } from './finite.js'
import type { Model, TrainingOptions } from './options.js'
import { agreeOnSteps } from './ranks.js'
import { checkRepeatable, dropUnusedState, passes, type Recorded, recordAll, recordedIn } from './recorded.js'
import { checkedIn, checkLabels, isResident, makeResident } from './resident.js'
import type { Segment } from './segments.js'
import type { Feeds } from './stream_feed.js'

export class HeldPlan {
  #recorded: Recorded
  /** Whether the model may have changed since it was recorded, as by a callback. */
  #stale = false
  /** Whether its data may have changed since they were written. */
  #edited = false
  #taken: Taken | null = null
  /** Data sets, by number, some of whose labels did not count when they were written. */
  readonly #ignoring = new Set<number>()
  readonly #hold: Hold

  /** Records all programs. Throws Unplannable, with the reason, where the model cannot be a plan. */
  constructor(
    private readonly model: Model,
    private readonly options: TrainingOptions,
    private readonly feeds: Feeds,
  ) {
    this.#hold = holdOf(model)
    this.#recorded = this.#record()
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
    if (!this.#hold.open) return
    const { model, options } = this
    if (this.#stale) {
      claimTensors('fit', this.#hold, model, options.optimizer)
      this.#recorded = this.#record()
    }
    claimState('fit', this.#hold, options.optimizer) // recording makes some
    this.#checkColumns()
    this.#stale = false
    const { memory, world, key } = this.#recorded
    const before = this.#taken
    if (world) yield agreeOnSteps(world, key, memory.arrays)
    yield toEventLoop // recording and making the plan each take some milliseconds
    this.#taken = takePlan(this.#recorded, before)
    if (this.#taken !== before) yield* this.#writeData()
    else if (this.#edited) yield* this.#writeEdited()
    this.#edited = false
    // From the first value on not even callbacks may change them; the plan holds them once it has them all.
    this.#hold.open = false
    let loaded = false
    try {
      for (const _ of this.#taken.plan.load(memory)) yield toEventLoop
      loaded = true
    } finally {
      this.#hold.open = !loaded
    }
  }

  /**
   * Runs `read` with weights, state and counts in JavaScript as they are now; the plan goes on with its own. `place`:
   * whether that is between two epochs or in the middle of one.
   */
  show<T>(place: 'between' | 'within', read: () => T): T {
    if (this.#hold.open) return read()
    this.#save(place)
    try {
      return read()
    } finally {
      this.#hold.open = false
    }
  }

  /**
   * Gives weights, state and counts back to JavaScript, where they may change until they are taken again; `toOthers`: the
   * data may change too.
   */
  handBack(place: 'between' | 'within', toOthers: boolean): void {
    this.#stale = true
    this.#edited ||= toOthers
    if (!this.#hold.open) this.#save(place)
  }

  #save(place: 'between' | 'within'): void {
    if (place === 'within') this.#hold.keep()
    this.#hold.open = true
    this.#recorded.scalars.handBack()
    try {
      this.plan.save(this.#recorded.memory)
    } finally {
      if (place === 'between') this.#hold.renew()
    }
  }

  /** Of what is in JavaScript. */
  get isFinite(): boolean {
    return allFinite(this.model, this.options.optimizer)
  }

  /** Has the model be what it is in JavaScript; what the plan has is lost. */
  abandon(): void {
    this.#stale = true
    this.#hold.open = true
  }

  /** Publishes what the plan has copied to a slot. */
  publish(): void {
    const { memory } = this.#recorded
    const read = this.plan.published()
    this.#hold.publish(array => {
      const index = memory.find(array)
      return index === undefined ? null : read(index)
    })
  }

  /** Whether some labels that a segment reads may not count. */
  ignoresLabels({ trains }: Segment): boolean {
    return this.#ignoring.has(trains ? 0 : 1)
  }

  /** Whether somebody would see what the plan publishes. */
  get publishes(): boolean {
    return this.#hold.wantsSets
  }

  close(): void {
    if (this.#taken) returnPlan(this.#taken)
    this.#taken = null
    dropUnusedState(this.options.optimizer)
  }

  /** What was never recorded is recorded twice. Throws Unplannable where the model cannot be a plan. */
  #record(): Recorded {
    const record = () => recordAll(this.model, this.options, this.feeds)
    const recorded = record()
    const isKnown = (this.#taken && sameKey(this.#taken.key, recorded.key)) || isKept(recorded.key)
    if (!isKnown) checkRepeatable(recorded, record())
    return recorded
  }

  *#writeData(): Steps<void> {
    for (const [dataSet, { trains, columns }] of this.#dataSets()) {
      const feed = this.feeds[trains ? 'train' : 'test']
      if (feed) feed.attach(part => this.#place(dataSet, part))
      else yield* this.#place(dataSet, columns)
    }
  }

  /** The data sets that are no longer what was written; a stream's part is read anew in any case. */
  *#writeEdited(): Steps<void> {
    for (const [dataSet, { trains, columns }] of this.#dataSets()) {
      if (this.feeds[trains ? 'train' : 'test']) continue
      const same = yield* isResident(this.plan, columns, dataSet, this.#recorded.forms[dataSet])
      if (!same) yield* this.#place(dataSet, columns)
    }
  }

  *#place(dataSet: number, columns: Columns): Steps<void> {
    const { segments, forms } = this.#recorded
    const pass = passes(segments)[dataSet]
    const steps = recordedIn(pass)
    const checks = steps.flatMap(({ labelChecks }) => labelChecks)
    checkLabels(columns, checks)
    const { target } = partsOf(columns.tensors, pass[0].columns.weighted)
    if (steps.some(({ ignoreIndex }) => hasIgnoredLabels(target, ignoreIndex))) this.#ignoring.add(dataSet)
    yield* makeResident(this.plan, columns, dataSet, forms[dataSet], checkedIn(checks))
  }

  /** By number, each with a segment that reads it. */
  #dataSets(): IterableIterator<[number, Segment]> {
    return passes(this.#recorded.segments)
      .map(([first]) => first)
      .entries()
  }

  #checkColumns(): void {
    for (const [{ columns, trains }] of passes(this.#recorded.segments)) {
      if (this.feeds[trains ? 'train' : 'test']) continue
      for (const t of columns.tensors) checkRowsAttached('fit', t, 'a column of the data set')
    }
  }
}
