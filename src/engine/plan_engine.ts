/**
 * The plan engine: epochs as chunks of native steps, several epochs to a chunk where nobody looks in between. It draws
 * what the explicit loop draws and gives its bits. Not here: holding the plan (held_plan.ts), a chunk (attempt.ts), the
 * order of steps (cursor.ts), pacing (chunks.ts).
 */

import { type Steps, toEventLoop } from '../base/drive.js'
import { addon } from '../native/addon.js'
import type { Hold } from '../runs/hold.js'
import { Attempt } from './attempt.js'
import { chunkSettings, type Dispatch, MAX_STEPS, Pace } from './chunks.js'
import { Cursor, type Limits } from './cursor.js'
import { stepsPerTable } from './draws.js'
import { type Engine, emptySums, type Place, placeIn, type Run } from './engine.js'
import { holdOf } from './exclusive.js'
import { HeldPlan } from './held_plan.js'
import type { Model, TrainingOptions } from './options.js'
import { recordedIn } from './recorded.js'
import { keepState } from './state.js'
import { type Feeds, feedsOf } from './stream_feed.js'

export class PlanEngine implements Engine {
  readonly name = 'plan'
  readonly #pace: Pace
  readonly #feeds: Feeds
  readonly #held: HeldPlan
  readonly #cursor: Cursor
  readonly #hold: Hold
  /** Of the epoch that is under way. */
  readonly #sums = { train: emptySums(), test: emptySums() }
  /** What the run was last switched to; null where it may have switched by itself. */
  #mode: 'train' | 'eval' | null = null

  /** Records all programs. Throws Unplannable, with the reason, where the model cannot be a plan. */
  constructor(
    private readonly model: Model,
    private readonly options: TrainingOptions,
    dispatch: Dispatch,
  ) {
    this.#pace = new Pace(dispatch, options.threads ?? addon.cores)
    this.#feeds = feedsOf(options)
    this.#hold = holdOf(model)
    this.#held = new HeldPlan(model, options, this.#feeds)
    this.#cursor = new Cursor(this.#held.recorded.segments)
  }

  *epochs(run: Run, most: number): Steps<void> {
    this.#mode = null
    for (let done = 0; done < most; ) {
      if (run.switchTo) this.#switch(run)
      if (!this.#held.recorded.scalars.fit) this.handBack()
      yield* this.#held.take()
      const { recorded } = this.#held
      this.#cursor.segments = recorded.segments
      const limits = yield* this.#limits(run, most - done)
      const wanted = this.#cursor.stepsWithin(limits)
      const steps = run.agree ? yield* run.agree(wanted) : wanted
      const undo = run.checksFinite ? this.show(() => keepState(this.model, this.options)) : undefined
      const attempt = new Attempt({ run, recorded, held: this.#held, cursor: this.#cursor, undo })
      done += yield* attempt.steps(steps, this.#pace, this.options.signal, this.#sums)
      this.#cursor.finishSegment()
      yield* run.afterChunk(this.#sums.train)
      yield toEventLoop
    }
  }

  handBack(toOthers = false): void {
    this.#held.handBack(this.#between, toOthers)
  }

  show<T>(read: () => T): T {
    return this.#held.show(this.#between, read)
  }

  get #between(): 'between' | 'within' {
    return this.#cursor.begins ? 'between' : 'within'
  }

  place(): Place | null {
    const streams = this.#cursor.passStart
    return streams && placeIn(this.options.train, streams, this.#sums.train)
  }

  /** Whether another engine may go on from here: between two epochs, and in the middle of a training pass. */
  get canBeLeft(): boolean {
    return this.#cursor.begins || this.place() !== null
  }

  goTo({ streams, sums, offset }: Place): void {
    this.options.train.knowOffset(offset)
    this.#cursor.goTo(sums.batches, streams)
    this.#sums.train = { ...emptySums(), ...sums }
  }

  close(): void {
    this.#held.close()
    for (const feed of [this.#feeds.train, this.#feeds.test]) feed?.close()
  }

  /** At the beginning of a pass: lets the run put the weights for it in place. */
  #switch(run: Run): void {
    const mode = this.#cursor.trains ? 'train' : 'eval'
    if (mode === this.#mode) return
    this.handBack()
    this.#hold.keep()
    run.switchTo!(mode)
    this.#mode = mode
  }

  /** Where the next chunk must stop: of a stream, at the end of the part that is in place. */
  *#limits(run: Run, epochs: number): Steps<Limits> {
    const { trains, row } = this.#cursor
    const feed = this.#feeds[trains ? 'train' : 'test']
    const inPlace = feed ? yield* feed.batchesFrom(row) : Infinity
    const work = chunkSettings.steps === null ? this.#pace.work : Infinity
    const drawn = stepsPerTable(recordedIn(this.#held.recorded.segments))
    const steps = Math.min(chunkSettings.steps ?? MAX_STEPS, drawn, inPlace)
    const updates = run.updatesLeft?.() ?? Infinity
    // A chunk that is done again in the explicit loop begins within, or before, a pass of training.
    const onePass = !!run.switchTo || !!this.#feeds.train || !!this.#feeds.test || !!run.checksFinite
    return { steps, work, epochs, updates, onePass }
  }
}
