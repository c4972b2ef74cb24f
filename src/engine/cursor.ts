/**
 * A cursor along the segments of one epoch after another: it cuts slices of them and draws what the explicit loop draws on
 * the way. Not here: what a step computes, or running it.
 */

import type { DataLoader } from '../data/index.js'
import { rowsOf } from './resident.js'
import type { Segment } from './segments.js'

/** Part of a segment: some of its steps. */
export interface Slice {
  readonly segment: Segment
  readonly steps: number
  readonly rows: number
  /** Whether an epoch is over with it. */
  readonly last: boolean
}

/** Where to stop at the latest; one step is always taken. */
export interface Limits {
  readonly steps: number
  /** Work of all steps together. */
  readonly work: number
  readonly epochs: number
  readonly updates: number
  /** Whether to stop between training and evaluation. */
  readonly onePass: boolean
}

export class Cursor {
  #segment = 0
  #step = 0
  #order: Int32Array = new Int32Array(0)
  /** Whether the order of this pass was drawn where it goes, and those of how many more. */
  #inPlace = false
  #ahead = 0
  /** The states of the loader's streams before this pass's order was drawn, if it is one of training and under way. */
  #passStart: readonly Uint8Array[] | null = null
  /** Where other orders are drawn, one after the other. */
  #memory: Int32Array = new Int32Array(0)

  /** The segments may be replaced by others over the same loaders, recorded anew. */
  constructor(public segments: readonly Segment[]) {}

  /** Whether the next step is the first of an epoch. */
  get begins(): boolean {
    return this.#segment === 0 && this.#step === 0
  }

  /** Whether the next step is one of training. */
  get trains(): boolean {
    return this.segments[this.#segment].trains
  }

  /** The row of its pass that the next step begins at. */
  get row(): number {
    const { from, recorded } = this.segments[this.#segment]
    return from + this.#step * recorded.advance.order
  }

  /** The states of the loader's streams when the training pass that is under way began; null where none is. */
  get passStart(): readonly Uint8Array[] | null {
    return this.#passStart
  }

  /** To the middle of a training pass, whose order is drawn again from these states; the streams stay as they are. */
  goTo(batches: number, passStart: readonly Uint8Array[]): void {
    const [{ loader, columns }] = this.segments
    this.#order = rowsOf(columns, loader.orderFrom(passStart))
    this.#passStart = passStart
    const rows = batches * loader.batchSize
    this.#segment = this.segments.findLastIndex(({ trains, from }) => trains && from <= rows)
    const { from, recorded } = this.segments[this.#segment]
    this.#step = (rows - from) / recorded.advance.order
  }

  /** Steps from here to the first limit. */
  stepsWithin({ steps: most, work, epochs, updates, onePass }: Limits): number {
    let [steps, at, done] = [0, this.#segment, this.#step]
    let [workLeft, epochsLeft, updatesLeft] = [work, epochs, updates]
    while (steps < most) {
      const { steps: all, work: each, trains } = this.segments[at]
      const wanted = Math.min(all - done, Math.floor(workLeft / each), trains ? updatesLeft : Infinity)
      steps += wanted
      if (wanted < all - done) break
      workLeft -= wanted * each
      if (trains) updatesLeft -= wanted
      at = (at + 1) % this.segments.length
      done = 0
      if (at === 0 && --epochsLeft === 0) break
      if (onePass && this.segments[at].trains !== trains) break
    }
    return Math.max(1, Math.min(most, steps))
  }

  /** Moves on by up to `most` steps of one segment, drawing a pass's order at its start. Their rows go to `table`, at `at`. */
  next(most: number, table: Int32Array, at: number): Slice {
    this.finishSegment()
    const segment = this.segments[this.#segment]
    if (segment.from === 0 && this.#step === 0) this.#begin(segment, most, table, at)
    const steps = Math.min(most, segment.steps - this.#step)
    const { order } = segment.recorded.advance
    const [from, rows] = [segment.from + this.#step * order, steps * order]
    if (!this.#inPlace) table.set(this.#order.subarray(from, from + rows), at)
    this.#step += steps
    const last = this.#step === segment.steps && segment === this.segments[this.segments.length - 1]
    return { segment, steps, rows, last }
  }

  /** Has the order of a pass drawn; into the table, if the pass is taken whole, within `most` steps, and fits there. */
  #begin({ loader, columns, trains }: Segment, most: number, table: Int32Array, at: number): void {
    if (this.#ahead > 0) {
      this.#ahead--
      return
    }
    const end = at + loader.samples
    const over = loader.length <= most
    const whole = loader.shuffle && over && end <= table.length && !columns.placesOf
    if (whole && !columns.indices && this.#beginMany(loader, most, table.subarray(at))) return
    this.#passStart = trains && !over ? loader.streams.map(stream => stream.getState()) : null
    const drawn = loader.epochOrder(whole ? table.subarray(at, end) : this.#memory)
    this.#order = rowsOf(columns, drawn)
    this.#inPlace = whole && this.#order === drawn
    if (loader.shuffle && !whole) this.#memory = drawn
  }

  /** The same of as many passes as are taken whole, at once, where nothing is drawn between them. */
  #beginMany(loader: DataLoader, most: number, table: Int32Array): boolean {
    if (!this.segments.every(({ trains, recorded }) => trains && recorded.draws.length === 0)) return false
    const steps = this.segments.reduce((sum, segment) => sum + segment.steps, 0)
    const rows = this.segments.reduce((sum, { steps: count, recorded }) => sum + count * recorded.advance.order, 0)
    const room = Math.floor((table.length - loader.samples) / rows)
    const passes = Math.min(Math.floor(most / steps), room + 1)
    if (!loader.epochOrders(table, rows, passes)) return false
    this.#inPlace = true
    this.#ahead = passes - 1
    return true
  }

  /** Leaves a segment whose steps are done, and draws what running out of samples draws. */
  finishSegment(): void {
    const { loader, from, steps } = this.segments[this.#segment]
    if (this.#step < steps) return
    if (from === 0) loader.endEpoch()
    this.#segment = (this.#segment + 1) % this.segments.length
    this.#step = 0
    if (this.segments[this.#segment].from === 0) this.#passStart = null
  }

  /** Remembers where it is; the function returned goes back. */
  snapshot(): () => void {
    const [segment, step, passStart] = [this.#segment, this.#step, this.#passStart]
    // In the middle of a pass its order is needed again, when the next one has been drawn over it.
    const midway = (step > 0 || this.segments[segment].from > 0) && !this.segments[segment].columns.placesOf
    const order = midway ? this.#order.slice() : this.#order
    return () => {
      ;[this.#segment, this.#step, this.#order] = [segment, step, order]
      ;[this.#inPlace, this.#ahead, this.#passStart] = [false, 0, passStart]
    }
  }
}
