/**
 * The plan engine: epochs as chunks of native steps, several epochs to a chunk where nobody looks in between. It draws
 * what the explicit loop draws and gives its bits. Not here: recording (record_step.ts), the order of steps (course.ts),
 * placing (plan/), pacing (chunks.ts).
 */

import { type Steps, toEventLoop } from '../base/drive.js'
import { AnnealError } from '../base/errors.js'
import { Unplannable } from '../emitters/emitter.js'
import { addon } from '../native/addon.js'
import type { PlanResult } from '../native/types.js'
import type { Optimizer } from '../optim/index.js'
import { returnPlan, type Taken, takePlan } from '../plan/pool.js'
import { type DataForm, Memory } from '../plan/program.js'
import { defaultGenerator, type Generator } from '../streams/index.js'
import type { Tensor } from '../tensor/index.js'
import { type Chunk, chunkSettings, type Dispatch, MAX_STEPS, Pace } from './chunks.js'
import { type Leg, legsOf, type Piece, type Reach, Walk } from './course.js'
import { DrawTable, stepsPerTable, withoutDraws } from './draws.js'
import { type Engine, type EpochSums, emptySums, type Run } from './engine.js'
import { generatorsOf } from './exclusive.js'
import type { FitOptions, Model } from './options.js'
import { recordEvaluation, recordTraining } from './record_step.js'
import { checkLabels, formOf, makeResident, sourceOf } from './resident.js'
import { UpdateRows } from './update_rows.js'

/** All programs of a run, as the model and the optimizer are at the moment. */
interface Recorded {
  readonly memory: Memory
  readonly rows: UpdateRows
  readonly legs: readonly Leg[]
  readonly forms: readonly DataForm[]
  /** What its steps draw from. */
  readonly streams: readonly Generator[]
}

/** The scalars of coming updates: of as many as could be computed, and why not of more. */
interface Table {
  readonly rows: Float64Array
  readonly updates: number
  readonly failure?: { readonly error: unknown }
}

/** A chunk and the pieces it is made of. */
interface Prepared {
  readonly chunk: Chunk
  readonly pieces: readonly Piece[]
  readonly table: Table
}

/** Records training and evaluation. Throws Unplannable, with the reason, where the model cannot be a plan. */
export function recordAll(model: Model, options: FitOptions): Recorded {
  try {
    return withoutDraws(() => recordLegs(model, options))
  } catch (error) {
    dropUnusedState(options.optimizer)
    throw error
  }
}

/** Recording makes state tensors before the first update; where none came, there are none to keep. */
function dropUnusedState({ state }: Optimizer): void {
  for (const [p, { scalars, tensors }] of state) {
    if (scalars.step === 0 && Object.keys(tensors).length > 0) state.delete(p)
  }
}

function recordLegs(model: Model, options: FitOptions): Recorded {
  const { train, test, optimizer, loss, accumulate = 1 } = options
  const [memory, rows] = [new Memory(), new UpdateRows(optimizer)]
  const source = sourceOf(train)
  const record = (parts: readonly number[]) => recordTraining(model, options, source, parts, rows, memory)
  model.train()
  const legs = legsOf({ loader: train, source, trains: true, accumulate, record }, 0)
  if (test) {
    const source = sourceOf(test)
    const record = ([count]: readonly number[]) => recordEvaluation(model, loss, source, count, memory)
    legs.push(...legsOf({ loader: test, source, trains: false, accumulate: 1, record }, legs.length))
  }
  const forms = passes(legs).map(pass => formOf(pass[0].source, recordedIn(pass)))
  return { memory, rows, legs, forms, streams: streamsOf(model, options, legs) }
}

/** Loaders' streams, and the layers' where they draw. */
function streamsOf(model: Model, options: FitOptions, legs: readonly Leg[]): Generator[] {
  const { train, accumulate = 1 } = options
  const streams = generatorsOf(model, options)
  if (legs.every(leg => leg.recorded.draws.length === 0)) return streams
  // A loader that runs out of samples draws between two parts of a step: from its own generator, as a rule.
  if (accumulate > 1 && train.generator === defaultGenerator)
    throw new Unplannable('loader and layers draw from one generator within a step')
  return [...new Set([...streams, defaultGenerator])]
}

/** Legs by the data set they read: training's, then those of evaluation. */
function passes(legs: readonly Leg[]): Leg[][] {
  return [legs.filter(leg => leg.trains), legs.filter(leg => !leg.trains)].filter(pass => pass.length > 0)
}

const recordedIn = (legs: readonly Leg[]) => legs.map(({ recorded }) => recorded)

export class PlanEngine implements Engine {
  readonly name = 'plan'
  readonly #pace: Pace
  #recorded: Recorded
  /** Whether the model may have changed since it was recorded, as by a callback. */
  #stale: boolean
  readonly #walk: Walk
  /** What the run was last turned to; null where it may have turned elsewhere by itself. */
  #mode: 'train' | 'eval' | null = null
  #taken: Taken | null = null
  /** Weights and state while the plan holds them; null while JavaScript does. */
  #held: Set<Tensor> | null = null

  /** Records all programs. Throws Unplannable, with the reason, where the model cannot be a plan. */
  constructor(
    private readonly model: Model,
    private readonly options: FitOptions,
    dispatch: Dispatch,
  ) {
    this.#pace = new Pace(dispatch, options.threads ?? addon.cores)
    this.#stale = (options.callbacks ?? []).length > 0
    this.#recorded = recordAll(model, options)
    this.#walk = new Walk(this.#recorded.legs)
  }

  *epochs(run: Run, most: number): Steps<void> {
    const sums = { train: emptySums(), test: emptySums() }
    this.#mode = null
    for (let done = 0; done < most; ) {
      if (run.turnTo) this.#turn(run)
      if (!this.#recorded.rows.fit) this.handBack()
      yield* this.#take()
      const limits = {
        epochs: most - done,
        updates: run.updatesLeft?.() ?? Infinity,
        onePass: run.turnTo !== undefined,
      }
      done += yield* this.#chunk(run, this.#reach(limits), sums)
      run.afterChunk(sums.train)
      yield toEventLoop
    }
    this.#walk.arrive()
  }

  /** At the beginning of a pass: lets the run put the weights for it in place. */
  #turn(run: Run): void {
    this.#walk.arrive()
    const mode = this.#walk.trains ? 'train' : 'eval'
    if (mode === this.#mode) return
    this.handBack()
    run.turnTo!(mode)
    this.#mode = mode
  }

  /** Gives weights, state and counts back to JavaScript. */
  handBack(): void {
    if (!this.#held) return
    for (const t of this.#held) t.busy = false
    this.#held = null
    this.#stale = true
    this.#taken!.plan.save(this.#recorded.memory)
    this.#recorded.rows.handBack()
  }

  close(): void {
    if (this.#taken) returnPlan(this.#taken)
    this.#taken = null
    dropUnusedState(this.options.optimizer)
  }

  /** Takes weights and state as they are now, and the programs too: whoever had them may have changed anything. */
  *#take(): Steps<void> {
    if (this.#held) return
    if (this.#stale) this.#recordAgain()
    const { legs, forms, memory } = this.#recorded
    const recordings = legs.map(({ recorded: { calls, advance }, trains }) => {
      return { calls, advance, dataSet: trains ? 0 : 1 }
    })
    const before = this.#taken
    yield toEventLoop // recording and making the plan each take some milliseconds
    this.#taken = takePlan(recordings, forms, before)
    if (this.#taken !== before) yield* this.#writeData()
    yield* this.#load(memory)
  }

  /** From the first value on nobody else may change them; the plan holds them once it has them all. */
  *#load(memory: Memory): Steps<void> {
    const tensors = this.#tensors()
    for (const t of tensors) t.busy = true
    try {
      for (const _ of this.#taken!.plan.load(memory)) yield toEventLoop
      this.#held = tensors
    } finally {
      if (!this.#held) for (const t of tensors) t.busy = false
    }
  }

  #recordAgain(): void {
    try {
      this.#recorded = recordAll(this.model, this.options)
    } catch (error) {
      if (!(error instanceof Unplannable)) throw error
      throw new AnnealError('ERR_STATE', `fit: expected the model to stay one for the plan but ${error.message}`)
    }
    this.#walk.legs = this.#recorded.legs
    this.#stale = false
  }

  *#writeData(): Steps<void> {
    const { legs, forms } = this.#recorded
    for (const [dataSet, pass] of passes(legs).entries()) {
      const [{ source }] = pass
      const checks = recordedIn(pass).flatMap(({ labelChecks }) => labelChecks)
      checkLabels(source, checks)
      yield* makeResident(this.#taken!.plan, source, dataSet, forms[dataSet])
    }
  }

  #tensors(): Set<Tensor> {
    const { optimizer } = this.options
    const held = new Set([...this.model.parameters(), ...this.model.namedBuffers().map(([, t]) => t)])
    for (const { params } of optimizer.paramGroups) for (const p of params) held.add(p)
    for (const { tensors } of optimizer.state.values()) for (const t of Object.values(tensors)) held.add(t)
    return held
  }

  /** Steps of the next chunk. */
  #reach(limits: Omit<Reach, 'work' | 'steps'>): number {
    const work = chunkSettings.steps === null ? this.#pace.work : Infinity
    const drawn = stepsPerTable(recordedIn(this.#recorded.legs))
    const steps = Math.min(chunkSettings.steps ?? MAX_STEPS, drawn)
    return this.#walk.steps({ steps, work, ...limits })
  }

  /** Runs up to `steps` steps, fewer where it is stopped. Returns how many epochs were completed. */
  *#chunk(run: Run, steps: number, sums: { train: EpochSums; test: EpochSums }): Steps<number> {
    const back = this.#snapshot(run)
    const first = this.#prepare(run, steps)
    const most = stepsWithin(first, steps)
    const again = (count: number) => {
      back()
      return this.#prepare(run, count)
    }
    let prepared = most === steps ? first : again(most)
    const result = yield* this.#execute(prepared.chunk, most)
    if (result.steps < most) prepared = again(result.steps)
    const epochs = collect(run, prepared.pieces, result, sums)
    const { failure } = first.table
    if (failure && result.steps === most) throw failure.error
    return epochs
  }

  *#execute(chunk: Chunk, steps: number): Steps<PlanResult> {
    const { native } = this.#taken!.plan
    const { signal } = this.options
    const stop = () => native.stop()
    signal?.addEventListener('abort', stop, { once: true })
    try {
      return yield* this.#pace.run(native, chunk, steps)
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  /**
   * Everything that the next steps draw and compute ahead: rows, random numbers, scalars, and the schedule's way through
   * them. A piece's numbers are drawn after its order and before that of the next.
   */
  #prepare(run: Run, steps: number): Prepared {
    const [pieces, draws] = [[] as Piece[], new DrawTable()]
    const order = this.#taken!.plan.tables.order(steps * this.#rowsPerStep)
    let [rows, work, updates] = [0, 0, 0]
    for (let left = steps; left > 0; ) {
      const piece = this.#walk.take(left, order, rows)
      const { leg, steps: count } = piece
      pieces.push(piece)
      draws.add(leg.recorded.draws, count)
      left -= count
      rows += piece.rows
      work += count * leg.work
      if (leg.trains) updates += count
    }
    const segments = segmentsOf(pieces)
    const table = this.#table(run, updates)
    const chunk = { segments, order: order.subarray(0, rows), rows: table.rows, draws: draws.numbers(), work }
    return { chunk, pieces, table }
  }

  /** Of the legs' steps, the most. */
  get #rowsPerStep(): number {
    return this.#recorded.legs.reduce((most, { recorded }) => Math.max(most, recorded.advance.order), 0)
  }

  /**
   * The scalars of the next `count` updates, while the schedule moves on. It ends early where a schedule throws, or where
   * the program is no longer the one that was recorded: what comes before is done all the same, as in the explicit loop.
   */
  #table(run: Run, count: number): Table {
    const recorded = this.#recorded.rows
    const rows = this.#taken!.plan.tables.rows(count * recorded.width)
    let updates = 0
    try {
      while (updates < count && recorded.fit) {
        const at = updates * recorded.width
        run.beforeUpdate()
        recorded.write(rows, at)
        updates++
        const again = recorded.steady ? (run.repeatUpdate?.(count - updates) ?? 0) : 0
        if (again > 0) recorded.repeat(rows, at, again)
        updates += again
        run.afterUpdate()
      }
      return { rows, updates }
    } catch (error) {
      return { rows, updates, failure: { error } }
    }
  }

  /** Remembers all that `#prepare` moves; the function returned puts it back. */
  #snapshot(run: Run): () => void {
    const restore = [run.snapshot(), this.#recorded.rows.snapshot(), this.#walk.snapshot()]
    for (const stream of this.#recorded.streams) restore.push(stream.snapshot())
    return () => {
      for (const back of restore) back()
    }
  }
}

/** The programs to run and how often each; pieces of one program in a row are one segment. */
function segmentsOf(pieces: readonly Piece[]): Int32Array {
  const segments = new Int32Array(2 * pieces.length)
  let end = 0
  for (const { leg, steps } of pieces) {
    if (end === 0 || segments[end - 2] !== leg.program) {
      segments[end] = leg.program
      end += 2
    }
    segments[end - 1] += steps
  }
  return segments.subarray(0, end)
}

/** Steps up to the last update that the table has scalars for; all where it has them for every one. */
function stepsWithin({ pieces, table: { updates, failure } }: Prepared, steps: number): number {
  let [done, left] = [0, updates]
  for (const piece of pieces) {
    if (piece.leg.trains && (failure ? left <= piece.steps : left < piece.steps)) return done + left
    if (piece.leg.trains) left -= piece.steps
    done += piece.steps
  }
  return steps
}

/** Adds up what the steps gave, epoch by epoch. Returns how many epochs were completed. */
function collect(
  run: Run,
  pieces: readonly Piece[],
  { losses, counts }: PlanResult,
  sums: { train: EpochSums; test: EpochSums },
): number {
  let [loss, count, epochs] = [0, 0, 0]
  for (const { leg, steps, rows, last } of pieces) {
    const { advance } = leg.recorded
    const [lossEnd, countEnd] = [loss + steps * advance.losses, count + steps * advance.counts]
    const sum = leg.trains ? sums.train : sums.test
    sum.batches += lossEnd - loss
    sum.rows += rows
    sum.loss = sumOf(losses, loss, lossEnd, sum.loss)
    sum.correct = sumOf(counts, count, countEnd, sum.correct)
    if (leg.trains && run.afterLoss) for (let i = loss; i < lossEnd; i++) run.afterLoss(losses[i])
    loss = lossEnd
    count = countEnd
    if (!last) continue
    run.afterEpoch(sums.train, sums.test)
    sums.train = emptySums()
    sums.test = emptySums()
    epochs++
  }
  return epochs
}

/** `sum` and then the values from `from` to `to`, in order. */
function sumOf(values: ArrayLike<number>, from: number, to: number, sum: number): number {
  for (let i = from; i < to; i++) sum += values[i]
  return sum
}
