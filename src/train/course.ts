/**
 * The course of an epoch: its legs (the full steps over a loader, then at most one that is shorter), and a walk along
 * them that draws what the explicit loop draws on the way. Not here: what a step computes, or running it.
 */

import type { DataLoader } from '../data/index.js'
import { Unplannable } from '../emitters/emitter.js'
import type { RecordedStep } from './record_step.js'
import { type DataSource, rowsOf } from './resident.js'

/** Steps of one kind: one program, over the rows of a loader's pass from `from` on. */
export interface Leg {
  readonly loader: DataLoader
  readonly source: DataSource
  /** Number of the program that the plan runs. */
  readonly program: number
  readonly recorded: RecordedStep
  readonly trains: boolean
  readonly steps: number
  readonly from: number
  /** Multiplications and additions of a step, but never nothing. */
  readonly work: number
}

/** Part of a leg: some of its steps. */
export interface Piece {
  readonly leg: Leg
  readonly steps: number
  readonly rows: number
  /** Whether an epoch is over with it. */
  readonly last: boolean
}

/** Batch sizes of each step of an epoch that updates after every `accumulate` batches. */
function stepParts({ dataset, batchSize, dropLast }: DataLoader, accumulate: number): number[][] {
  const sizes: number[] = []
  for (let at = 0; at < dataset.length; at += batchSize) sizes.push(Math.min(batchSize, dataset.length - at))
  if (dropLast && sizes[sizes.length - 1] < batchSize) sizes.pop()
  const steps: number[][] = []
  for (let i = 0; i < sizes.length; i += accumulate) steps.push(sizes.slice(i, i + accumulate))
  return steps
}

function workOf({ calls }: RecordedStep): number {
  const products = calls.filter(({ kernel }) => kernel.startsWith('linear'))
  return products.reduce((sum, { dims: [m, k, n] }) => sum + 2 * m * k * n, 1)
}

/** What the legs over one loader have in common. */
interface Pass {
  readonly loader: DataLoader
  readonly source: DataSource
  readonly trains: boolean
  readonly accumulate: number
  readonly record: (parts: readonly number[]) => RecordedStep
}

/** The legs of a pass over a loader; their programs are numbered from `program`. */
export function legsOf({ loader, source, trains, accumulate, record }: Pass, program: number): Leg[] {
  const parts = stepParts(loader, accumulate)
  const full = parts.filter(sizes => sizes.join() === parts[0].join()).length
  const leg = (first: number, steps: number, from: number): Leg => {
    const recorded = record(parts[first])
    return {
      loader,
      source,
      trains,
      recorded,
      steps,
      from,
      program: program + Math.sign(first),
      work: workOf(recorded),
    }
  }
  const legs = [leg(0, full, 0)]
  if (full === parts.length) return legs
  legs.push(leg(full, 1, full * legs[0].recorded.advance.order))
  if (parts[0].length === parts[full].length) sameButForRows(legs[0].recorded, legs[1].recorded)
  return legs
}

/** Programs for different numbers of rows must do the same; else the model decides by what it sees. */
function sameButForRows(a: RecordedStep, b: RecordedStep): void {
  const names = ({ calls }: RecordedStep) => [...new Set(calls.map(({ kernel }) => kernel))].join()
  if (names(a) !== names(b)) throw new Unplannable('the model does different things for different numbers of rows')
}

/** How far to go at once; one step is always taken. */
export interface Reach {
  readonly steps: number
  /** Work of all steps together. */
  readonly work: number
  readonly epochs: number
  readonly updates: number
  /** Whether to stop between training and evaluation. */
  readonly onePass: boolean
}

/** A walk along the legs of one epoch after another. */
export class Walk {
  #leg = 0
  #step = 0
  #order: Int32Array = new Int32Array(0)
  /** Whether the order of this pass was drawn where it goes, and those of how many more. */
  #inPlace = false
  #ahead = 0
  /** Where other orders are drawn, one after the other. */
  #memory: Int32Array = new Int32Array(0)

  /** The legs may be replaced by others over the same loaders, recorded anew. */
  constructor(public legs: readonly Leg[]) {}

  /** Whether the next step is one of training. */
  get trains(): boolean {
    return this.legs[this.#leg].trains
  }

  /** Steps from here that are within reach. */
  steps({ steps: most, work, epochs, updates, onePass }: Reach): number {
    let [steps, leg, done] = [0, this.#leg, this.#step]
    let [workLeft, epochsLeft, updatesLeft] = [work, epochs, updates]
    while (steps < most) {
      const { steps: all, work: each, trains } = this.legs[leg]
      const wanted = Math.min(all - done, Math.floor(workLeft / each), trains ? updatesLeft : Infinity)
      steps += wanted
      if (wanted < all - done) break
      workLeft -= wanted * each
      if (trains) updatesLeft -= wanted
      leg = (leg + 1) % this.legs.length
      done = 0
      if (leg === 0 && --epochsLeft === 0) break
      if (onePass && this.legs[leg].trains !== trains) break
    }
    return Math.max(1, Math.min(most, steps))
  }

  /** Walks on by up to `most` steps of one leg, drawing a pass's order as it comes to it. Their rows go to `table`, at `at`. */
  take(most: number, table: Int32Array, at: number): Piece {
    this.arrive()
    const leg = this.legs[this.#leg]
    if (leg.from === 0 && this.#step === 0) this.#begin(leg, most, table, at)
    const steps = Math.min(most, leg.steps - this.#step)
    const { order } = leg.recorded.advance
    const [from, rows] = [leg.from + this.#step * order, steps * order]
    if (!this.#inPlace) table.set(this.#order.subarray(from, from + rows), at)
    this.#step += steps
    return { leg, steps, rows, last: this.#step === leg.steps && leg === this.legs[this.legs.length - 1] }
  }

  /** Has the order of a pass drawn; into the table, if the pass is taken whole, within `most` steps, and fits there. */
  #begin({ loader, source }: Leg, most: number, table: Int32Array, at: number): void {
    if (this.#ahead > 0) {
      this.#ahead--
      return
    }
    const end = at + loader.dataset.length
    const whole = loader.shuffle && loader.length <= most && end <= table.length
    if (whole && !source.indices && this.#beginMany(loader, most, table.subarray(at))) return
    const drawn = loader.epochOrder(whole ? table.subarray(at, end) : this.#memory)
    this.#order = rowsOf(source, drawn)
    this.#inPlace = whole && this.#order === drawn
    if (loader.shuffle && !whole) this.#memory = drawn
  }

  /** The same of as many passes as are taken whole, at once, where nothing is drawn between them. */
  #beginMany(loader: DataLoader, most: number, table: Int32Array): boolean {
    if (!this.legs.every(({ trains, recorded }) => trains && recorded.draws.length === 0)) return false
    const steps = this.legs.reduce((sum, leg) => sum + leg.steps, 0)
    const rows = this.legs.reduce((sum, leg) => sum + leg.steps * leg.recorded.advance.order, 0)
    const room = Math.floor((table.length - loader.dataset.length) / rows)
    const passes = Math.min(Math.floor(most / steps), room + 1)
    if (!loader.epochOrders(table, rows, passes)) return false
    this.#inPlace = true
    this.#ahead = passes - 1
    return true
  }

  /** Leaves a leg whose steps are done, and draws what running out of samples draws. */
  arrive(): void {
    const { loader, from, steps } = this.legs[this.#leg]
    if (this.#step < steps) return
    if (from === 0) loader.endEpoch()
    this.#leg = (this.#leg + 1) % this.legs.length
    this.#step = 0
  }

  /** Remembers where it is; the function returned goes back. */
  snapshot(): () => void {
    const [leg, step] = [this.#leg, this.#step]
    // In the middle of a pass its order is needed again, when the next one has been drawn over it.
    const midway = step > 0 || this.legs[leg].from > 0
    const order = midway ? this.#order.slice() : this.#order
    return () => {
      ;[this.#leg, this.#step, this.#order] = [leg, step, order]
      ;[this.#inPlace, this.#ahead] = [false, 0]
    }
  }
}
