/**
 * The attempt at a chunk: everything that its steps draw and compute ahead, their run, and what they gave. Where it stops
 * early, all that was ahead is rolled back to what was really done. Not here: how many steps to attempt (plan_engine.ts).
 */

import type { Steps } from '../base/drive.js'
import { partsOf } from '../data/columns.js'
import { gatherRows } from '../data/rows.js'
import type { PlanResult } from '../native/types.js'
import { sizeOf } from '../ops/spec.js'
import type { Advance } from '../plan/program.js'
import { Tensor } from '../tensor/index.js'
import type { Chunk, Pace } from './chunks.js'
import type { Cursor, Slice } from './cursor.js'
import { DrawTable } from './draws.js'
import { type EpochSums, emptySums, type Run } from './engine.js'
import { NotFinite } from './finite.js'
import type { HeldPlan } from './held_plan.js'
import type { Recorded } from './recorded.js'
import type { Segment } from './segments.js'

/** The scalars of coming updates: of as many as could be computed, and why not of more. */
interface Table {
  readonly scalars: Float64Array
  readonly updates: number
  readonly failure?: { readonly error: unknown }
}

/** A chunk and the slices it is made of. */
interface Prepared {
  readonly chunk: Chunk
  readonly slices: readonly Slice[]
  readonly table: Table
  /** After how many steps the weights are published, at the end of an epoch; null where nobody asks for them. */
  readonly publishesAfter: number | null
}

/** What an attempt is made with. */
interface Means {
  readonly run: Run
  readonly recorded: Recorded
  readonly held: HeldPlan
  readonly cursor: Cursor
  /** Puts model and optimizer back to before the attempt; given where values that are not finite end it. */
  readonly undo?: () => void
}

export class Attempt {
  readonly #rollBack: () => void

  constructor(private readonly means: Means) {
    this.#rollBack = this.#snapshot()
  }

  /** Runs up to `steps` steps, fewer where it is stopped, and adds up in `sums`. Returns how many epochs were completed. */
  *steps(
    steps: number,
    pace: Pace,
    signal: AbortSignal | undefined,
    sums: { train: EpochSums; test: EpochSums },
  ): Steps<number> {
    const first = this.#prepare(steps)
    const most = stepsWithScalars(first, steps)
    let prepared = most === steps ? first : this.#prepareAgain(most)
    const { publishesAfter } = prepared
    const ran = yield* this.#execute(prepared.chunk, publishesAfter === null ? most : most + 1, pace, signal)
    const published = publishesAfter !== null && ran.steps > publishesAfter
    const result = published ? { ...ran, steps: ran.steps - 1 } : ran // publishing is a step to native code
    if (result.steps < most) prepared = this.#prepareAgain(result.steps)
    if (this.means.undo) this.#checkFinite(this.means.undo, prepared, result)
    if (published) this.means.held.publish()
    const epochs = collect(this.means, prepared, result, sums)
    const { failure } = first.table
    if (failure && result.steps === most) throw failure.error
    return epochs
  }

  *#execute(chunk: Chunk, steps: number, pace: Pace, signal: AbortSignal | undefined): Steps<PlanResult> {
    const { native } = this.means.held.plan
    const stop = () => native.stop()
    signal?.addEventListener('abort', stop, { once: true })
    try {
      return yield* pace.run(native, chunk, steps)
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  /** Throws NotFinite, everything being as before, where a loss or a tensor of the model or its updates is not finite. */
  #checkFinite(undo: () => void, prepared: Prepared, result: PlanResult): void {
    const { held } = this.means
    if (areLossesFinite(held, prepared, result) && held.show('within', () => held.isFinite)) return
    this.#rollBack()
    held.abandon()
    undo()
    throw new NotFinite()
  }

  #prepareAgain(steps: number): Prepared {
    this.#rollBack()
    return this.#prepare(steps)
  }

  /**
   * Everything that the next steps draw and compute ahead: the order, random numbers, scalars, and the schedule's way
   * through them. A slice's numbers are drawn after its order and before that of the next.
   */
  #prepare(steps: number): Prepared {
    const { held, cursor } = this.means
    const { plan } = held
    const slices: Slice[] = []
    const order = plan.tables.order(steps * this.#mostPerStep('order'))
    const draws = new DrawTable(plan.tables.draws(steps * this.#mostPerStep('draws')))
    let [rows, work, updates] = [0, 0, 0]
    for (let left = steps; left > 0; ) {
      const slice = cursor.next(left, order, rows)
      const { segment, steps: count } = slice
      slices.push(slice)
      draws.add(segment.recorded.draws, count)
      left -= count
      rows += slice.rows
      work += count * segment.work
      if (segment.trains) updates += count
    }
    const table = this.#table(updates)
    const published = held.publishes && !this.means.run.switchTo ? slices.findLastIndex(({ last }) => last) : -1
    const segments = nativeSegments(slices, published, plan.publishing)
    const chunk = { segments, order: order.subarray(0, rows), scalars: table.scalars, draws: draws.numbers(), work }
    const before = slices.slice(0, published + 1).reduce((sum, { steps: count }) => sum + count, 0)
    return { chunk, slices, table, publishesAfter: published < 0 ? null : before }
  }

  /** Of the segments' steps, the most. */
  #mostPerStep(table: 'order' | 'draws'): number {
    return this.means.recorded.segments.reduce((most, { recorded }) => Math.max(most, recorded.advance[table]), 0)
  }

  /**
   * The scalars of the next `count` updates, while the schedule moves on. It ends early where a schedule throws, or where
   * the program is no longer the one that was recorded: what comes before is done all the same, as in the explicit loop.
   */
  #table(count: number): Table {
    const { run, held } = this.means
    const recorded = this.means.recorded.scalars
    const scalars = held.plan.tables.scalars(count * recorded.width)
    let updates = 0
    try {
      while (updates < count && recorded.fit) {
        const at = updates * recorded.width
        run.beforeUpdate()
        recorded.write(scalars, at)
        updates++
        const unchanged = recorded.steady ? (run.skipUpdates?.(count - updates) ?? 0) : 0
        if (unchanged > 0) recorded.repeat(scalars, at, unchanged)
        updates += unchanged
        run.afterUpdate()
      }
      return { scalars, updates }
    } catch (error) {
      return { scalars, updates, failure: { error } }
    }
  }

  /** Remembers all that `#prepare` moves; the function returned puts it back. */
  #snapshot(): () => void {
    const { run, recorded, cursor } = this.means
    const restores = [run.snapshot(), recorded.scalars.snapshot(), cursor.snapshot()]
    for (const stream of recorded.streams) restores.push(stream.snapshot())
    return () => {
      for (const restore of restores) restore()
    }
  }
}

/**
 * The programs to run and how often each; slices of one program in a row are one segment. After slice number `published`,
 * if there is one, runs `publishing`.
 */
function nativeSegments(slices: readonly Slice[], published: number, publishing: number): Int32Array {
  const segments = new Int32Array(2 * slices.length + 2)
  let end = 0
  const add = (program: number, steps: number) => {
    if (end === 0 || segments[end - 2] !== program) {
      segments[end] = program
      end += 2
    }
    segments[end - 1] += steps
  }
  slices.forEach(({ segment, steps }, i) => {
    add(segment.program, steps)
    if (i === published) add(publishing, 1)
  })
  return segments.subarray(0, end)
}

/** Steps up to the last update that the table has scalars for; all where it has them for every one. */
function stepsWithScalars({ slices, table: { updates, failure } }: Prepared, steps: number): number {
  let [done, left] = [0, updates]
  for (const { segment, steps: count } of slices) {
    if (segment.trains && (failure ? left <= count : left < count)) return done + left
    if (segment.trains) left -= count
    done += count
  }
  return steps
}

/** What the steps of a slice gave. */
interface Given {
  readonly slice: Slice
  readonly rows: Int32Array
  /** Losses and predictions, step by step. */
  readonly all: Float32Array
  readonly batches: number
  /** Of the batches that have one. */
  readonly losses: Float32Array
  /** Labels that count, and those that were the largest score. */
  readonly labels: number
  readonly correct: number
}

function* givenBy(
  held: HeldPlan,
  { slices, chunk: { order } }: Prepared,
  { losses, counts }: PlanResult,
): Generator<Given, void> {
  let [loss, count, row] = [0, 0, 0]
  for (const slice of slices) {
    const { segment, steps } = slice
    const { advance, predicted } = segment.recorded
    const rows = order.subarray(row, row + slice.rows)
    const all = losses.subarray(loss, loss + steps * advance.losses)
    const own = predicted ? lossesAlone(all, advance, predicted) : all
    const counted = held.ignoresLabels(segment) ? countedLabels(segment, rows) : null
    const having = counted ? own.filter((_, i) => counted[i] > 0) : own
    const labels = counted ? sumOf(counted, 0, counted.length, 0) : slice.rows
    const correct = sumOf(counts, count, count + steps * advance.counts, 0)
    yield { slice, rows, all, batches: own.length, losses: having, labels, correct }
    row += slice.rows
    loss += steps * advance.losses
    count += steps * advance.counts
  }
}

/** Adds up what the steps gave, epoch by epoch. Returns how many epochs were completed. */
function collect(
  { run, held }: Means,
  prepared: Prepared,
  result: PlanResult,
  sums: { train: EpochSums; test: EpochSums },
): number {
  let epochs = 0
  for (const { slice, rows, all, batches, losses, labels, correct } of givenBy(held, prepared, result)) {
    const { segment, steps, last } = slice
    const { advance, predicted } = segment.recorded
    const sum = segment.trains ? sums.train : sums.test
    sum.batches += batches
    sum.weightless += batches - losses.length
    if (segment.trains) sum.updates += steps
    sum.rows += labels
    sum.correct += correct
    sum.loss = sumOf(losses, 0, losses.length, sum.loss)
    if (segment.trains && run.afterLoss) for (const value of losses) run.afterLoss(value)
    if (predicted) tellPredictions(run, segment, predictionsAlone(all, advance, predicted), rows)
    if (!last) continue
    run.afterEpoch(sums.train, sums.test)
    sums.train = emptySums()
    sums.test = emptySums()
    epochs++
  }
  return epochs
}

/** Whether every loss that was trained on is finite. */
function areLossesFinite(held: HeldPlan, prepared: Prepared, result: PlanResult): boolean {
  for (const { slice, losses } of givenBy(held, prepared, result))
    if (slice.segment.trains && !losses.every(Number.isFinite)) return false
  return true
}

const targetsOf = ({ columns }: Segment) => partsOf(columns.present?.() ?? columns.tensors, columns.weighted).target

/** How many labels of each batch count, of the batches with these rows. */
function countedLabels(segment: Segment, rows: Int32Array): number[] {
  const { parts, ignoreIndex } = segment.recorded
  const labels = targetsOf(segment)!.values
  const counted: number[] = []
  for (let at = 0; at < rows.length; ) {
    for (const size of parts) {
      const batch = rows.subarray(at, at + size)
      counted.push(batch.reduce((sum, row) => sum + Number(labels[row] !== ignoreIndex), 0))
      at += size
    }
  }
  return counted
}

/** Losses and predictions of a step: how many losses come first. */
const lossCount = ({ losses, order }: Advance, predicted: readonly number[]) => losses - order * sizeOf(predicted)

function lossesAlone(all: Float32Array, advance: Advance, predicted: readonly number[]): Float32Array {
  const first = lossCount(advance, predicted)
  return all.filter((_, i) => i % advance.losses < first)
}

function predictionsAlone(all: Float32Array, advance: Advance, predicted: readonly number[]): Tensor {
  const first = lossCount(advance, predicted)
  const values = all.filter((_, i) => i % advance.losses >= first)
  return new Tensor([values.length / sizeOf(predicted), ...predicted], 'float32', values)
}

/** Gives the run the predictions of some steps, with the targets of their rows. */
function tellPredictions(run: Run, segment: Segment, prediction: Tensor, rows: Int32Array): void {
  const target = targetsOf(segment)
  run.afterPredictions?.(segment.trains, prediction, target && gatherRows('fit', target, rows))
}

/** `sum` and then the values from `from` to `to`, in order. */
function sumOf(values: ArrayLike<number>, from: number, to: number, sum: number): number {
  for (let i = from; i < to; i++) sum += values[i]
  return sum
}
