/**
 * The plan engine: epochs as chunks of native steps. It draws what the explicit loop draws and gives its bits. Not
 * here: recording (record_step.ts), placing (plan/), pacing (chunks.ts).
 */

import { Unplannable } from '../backends/emitter.js'
import type { DataLoader } from '../data/index.js'
import type { PlanResult } from '../native/types.js'
import { CompiledPlan, PlanBuilder, type Resident } from '../plan/compiled.js'
import type { Tensor } from '../tensor/index.js'
import { Pace } from './chunks.js'
import { breathe, type Steps } from './drive.js'
import type { Engine, EpochSums, Run } from './engine.js'
import type { FitOptions, Model } from './options.js'
import { type RecordedStep, recordEvaluation, recordTraining } from './record_step.js'
import { checkLabels, type DataSource, makeResident, rowsOf, sourceOf } from './resident.js'
import { UpdateRows } from './update_rows.js'

/** One kind of step: its program and how many rows it takes. */
interface StepKind {
  readonly recorded: RecordedStep
  readonly program: number
  readonly rows: number
}

/** The steps of an epoch over a loader: the full ones, then at most one that is shorter. */
interface Course {
  readonly loader: DataLoader
  readonly source: DataSource
  readonly full: StepKind | null
  readonly fullSteps: number
  readonly last: StepKind | null
  readonly pace: Pace
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

/** Multiplications and additions of the products of a step. */
function flopsOf({ calls }: RecordedStep): number {
  const products = calls.filter(({ kernel }) => kernel.startsWith('linear'))
  return products.reduce((sum, { dims: [m, k, n] }) => sum + 2 * m * k * n, 0)
}

export class PlanEngine implements Engine {
  readonly name = 'plan'
  readonly #builder = new PlanBuilder()
  readonly #rows: UpdateRows
  readonly #train: Course
  readonly #test: Course | null
  #plan: CompiledPlan | null = null
  /** Whether the plan holds the weights; else JavaScript does. */
  #holds = false

  /** Records all programs. Throws Unplannable, with the reason, where the model cannot be a plan. */
  constructor(
    private readonly model: Model,
    private readonly options: FitOptions,
    private readonly synchronous: boolean,
  ) {
    const { train, test, optimizer, loss, accumulate = 1, clipGradNorm } = options
    if (clipGradNorm !== undefined) throw new Unplannable('clipGradNorm')
    this.#rows = new UpdateRows(optimizer)
    const source = sourceOf(train)
    model.train()
    this.#train = this.#course(train, source, 0, stepParts(train, accumulate), parts =>
      recordTraining(model, options, source, parts, this.#rows),
    )
    const testSource = test && sourceOf(test)
    this.#test = testSource
      ? this.#course(test, testSource, 1, stepParts(test, 1), ([rows]) =>
          recordEvaluation(model, loss, testSource, rows),
        )
      : null
  }

  *trainEpoch(run: Run): Steps<EpochSums> {
    yield* this.#take()
    const { loader, source, fullSteps, full, last } = this.#train
    const sums = emptySums()
    const order = rowsOf(source, loader.epochOrder())
    if (full) yield* this.#trainSteps(run, full, fullSteps, order, sums)
    loader.endEpoch()
    if (last) yield* this.#trainSteps(run, last, 1, order.subarray(fullSteps * (full?.rows ?? 0)), sums)
    yield breathe
    return sums
  }

  *evaluate(): Steps<EpochSums> {
    yield* this.#take()
    const { loader, source, fullSteps, full, last, pace } = this.#test!
    const sums = emptySums()
    const order = rowsOf(source, loader.epochOrder())
    for (let at = 0; full && at < fullSteps; ) {
      const steps = pace.chunk(fullSteps - at)
      const rows = order.slice(at * full.rows, (at + steps) * full.rows)
      addTo(
        sums,
        yield* pace.run(this.#native, Int32Array.of(full.program, steps), rows, noRows, steps),
        full.rows * steps,
      )
      at += steps
    }
    loader.endEpoch()
    if (last) {
      const rows = order.slice(fullSteps * (full?.rows ?? 0))
      addTo(sums, yield* pace.run(this.#native, Int32Array.of(last.program, 1), rows, noRows, 1), last.rows)
    }
    return sums
  }

  /** Gives weights, state and counts back to JavaScript. */
  handBack(): void {
    if (!this.#holds) return
    this.#holds = false
    for (const t of this.#tensors()) t.busy = false
    this.#plan!.save()
    this.#rows.handBack()
  }

  get #native() {
    return this.#plan!.native
  }

  #course(
    loader: DataLoader,
    source: DataSource,
    dataSet: number,
    steps: number[][],
    record: (parts: number[]) => RecordedStep,
  ): Course {
    const fullSteps = steps.filter(parts => parts.join() === steps[0].join()).length
    const kind = (parts: number[]): StepKind => {
      const recorded = record(parts)
      const program = this.#builder.add(recorded.calls, recorded.advance, dataSet)
      return { recorded, program, rows: recorded.advance.order }
    }
    const full = kind(steps[0])
    const last = fullSteps < steps.length ? kind(steps[steps.length - 1]) : null
    if (last && steps[0].length === steps[steps.length - 1].length) sameButForRows(full.recorded, last.recorded)
    return {
      loader,
      source,
      full,
      fullSteps,
      last,
      pace: new Pace(flopsOf(full.recorded), this.synchronous, this.options.threads ?? 1),
    }
  }

  /** Compiles on first use, and takes weights and state as they are now. */
  *#take(): Steps<void> {
    if (this.#holds) return
    this.#plan ??= new CompiledPlan(this.#builder.build(), yield* this.#makeResident())
    this.#plan.load()
    this.#holds = true
    for (const t of this.#tensors()) t.busy = true
  }

  *#makeResident(): Steps<Resident[]> {
    const resident: Resident[] = []
    let stores = 0
    for (const course of [this.#train, this.#test]) {
      if (!course) continue
      const steps = [course.full, course.last].flatMap(kind => (kind ? [kind.recorded] : []))
      checkLabels(
        course.source,
        steps.flatMap(({ labelChecks }) => labelChecks),
      )
      resident.push(yield* makeResident(course.source, resident.length, steps, stores))
      stores += resident[resident.length - 1].stores.size
    }
    return resident
  }

  #tensors(): Tensor[] {
    const { optimizer } = this.options
    const state = [...optimizer.state.values()].flatMap(({ tensors }) => Object.values(tensors))
    return [
      ...this.model.parameters(),
      ...this.model.namedBuffers().map(([, t]) => t),
      ...optimizer.paramGroups.flatMap(g => g.params),
      ...state,
    ]
  }

  /** Trains `steps` steps of one kind, in chunks; `order` starts with the first one's rows. */
  *#trainSteps(run: Run, kind: StepKind, steps: number, order: Int32Array, sums: EpochSums): Steps<void> {
    for (let at = 0; at < steps; ) {
      const count = this.#train.pace.chunk(steps - at)
      at += yield* this.#trainChunk(run, kind, count, order.slice(at * kind.rows, (at + count) * kind.rows), sums)
      run.afterChunk(sums)
    }
  }

  *#trainChunk(run: Run, kind: StepKind, count: number, order: Int32Array, sums: EpochSums): Steps<number> {
    const restore = [run.snapshot(), this.#rows.snapshot()]
    const table = this.#table(run, count)
    const stop = () => this.#native.stop()
    const { signal } = this.options
    signal?.addEventListener('abort', stop, { once: true })
    let result: PlanResult
    try {
      result = yield* this.#train.pace.run(this.#native, Int32Array.of(kind.program, count), order, table, count)
    } finally {
      signal?.removeEventListener('abort', stop)
    }
    if (result.steps < count) {
      for (const back of restore) back()
      this.#table(run, result.steps)
    }
    addTo(sums, result, result.steps * kind.rows)
    return result.steps
  }

  /** The scalars of the next `count` updates, while the schedule moves on. */
  #table(run: Run, count: number): Float64Array {
    const table = new Float64Array(count * this.#rows.width)
    for (let i = 0; i < count; i++) {
      run.beforeUpdate()
      this.#rows.write(table, i * this.#rows.width)
      run.afterUpdate()
    }
    return table
  }
}

const noRows = new Float64Array(0)

function emptySums(): EpochSums {
  return { loss: 0, batches: 0, rows: 0, correct: 0 }
}

function addTo(sums: EpochSums, { losses, counts }: PlanResult, rows: number): void {
  for (const loss of losses) sums.loss += loss
  for (const count of counts) sums.correct += count
  sums.batches += losses.length
  sums.rows += rows
}

/** Programs for different numbers of rows must do the same; else the model decides by what it sees. */
function sameButForRows(a: RecordedStep, b: RecordedStep): void {
  const names = ({ calls }: RecordedStep) => [...new Set(calls.map(({ kernel }) => kernel))].join()
  if (names(a) !== names(b)) throw new Unplannable('the model does different things for different numbers of rows')
}
