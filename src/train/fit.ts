/** `fit`: epochs of training with schedule, evaluation, callbacks and abort, around an engine that does the work. */

import { Unplannable } from '../backends/emitter.js'
import { AnnealError } from '../base/errors.js'
import { defaultGenerator, type Generator } from '../random/index.js'
import type { Callback } from './callbacks.js'
import { driveAsync, driveSync, type Steps } from './drive.js'
import { EagerEngine } from './eager.js'
import type { Engine, EpochSums, Run } from './engine.js'
import { AbortedError, type EpochEvent, type History } from './history.js'
import { checkFit, type FitOptions, type Model, schedulerCadence } from './options.js'
import { PlanEngine } from './plan_engine.js'

const PROGRESS_MS = 100

/** Models and optimizers in use by a fit; another one would mix up their state. */
const busy = new WeakSet<object>()

class FitRun implements Run {
  readonly history: History
  readonly #callbacks: readonly Callback[]
  readonly #cadence: ReturnType<typeof schedulerCadence>
  readonly #updatesPerEpoch: number
  #epoch = 0
  #epochStart = 0
  #started = performance.now()
  #reported = performance.now()

  constructor(
    private readonly model: Model,
    readonly options: FitOptions,
    private readonly engine: Engine,
  ) {
    const { test, loss, train, accumulate = 1 } = options
    this.history = {
      trainLoss: [],
      ...(test && { testLoss: [] }),
      ...(loss.classifies && { trainAcc: [], ...(test && { testAcc: [] }) }),
      lr: [],
      engine: engine.name,
      ...(engine.reason !== undefined && { engineReason: engine.reason }),
    }
    this.#callbacks = options.callbacks ?? []
    this.#cadence = schedulerCadence(options)
    this.#updatesPerEpoch = Math.ceil(train.length / accumulate)
  }

  *steps(): Steps<History> {
    try {
      yield* this.#epochs()
    } finally {
      this.engine.handBack()
      this.engine.close?.()
    }
    for (const callback of this.#callbacks) callback.onFinish?.(this.model)
    return this.history
  }

  *#epochs(): Steps<void> {
    const { model, options } = this
    model.train()
    this.#checkAbort()
    for (const callback of this.#callbacks) callback.onStart?.(model)
    for (this.#epoch = 1; this.#epoch <= options.epochs; this.#epoch++) {
      this.#epochStart = performance.now()
      const event = yield* this.#trainAndTest()
      this.#stepPlateauOrEpoch(event)
      if (!(yield* this.#report(event))) break
    }
    this.#emitProgress(this.history.trainLoss[this.history.trainLoss.length - 1])
  }

  beforeUpdate(): void {
    this.history.lr.push(this.#lr())
  }

  afterUpdate(): void {
    if (this.#cadence === 'batch') this.options.scheduler?.step()
  }

  afterChunk(sums: EpochSums): void {
    this.#reportProgress(sums)
    this.#checkAbort()
  }

  snapshot(): () => void {
    const updates = this.history.lr.length
    const restoreSchedule = this.#cadence === 'batch' ? this.options.scheduler?.snapshot() : undefined
    return () => {
      this.history.lr.length = updates
      restoreSchedule?.()
    }
  }

  *#trainAndTest(): Steps<EpochEvent> {
    const { test, loss } = this.options
    const train = yield* this.engine.trainEpoch(this)
    const tested = test && (yield* this.engine.evaluate(test, loss))
    const event: EpochEvent = {
      epoch: this.#epoch,
      trainLoss: train.loss / train.batches,
      ...(tested && { testLoss: tested.loss / tested.batches }),
      ...(loss.classifies && { trainAcc: train.correct / train.rows }),
      ...(loss.classifies && tested && { testAcc: tested.correct / tested.rows }),
      lr: this.history.lr[this.history.lr.length - 1],
      seconds: (performance.now() - this.#epochStart) / 1000,
    }
    for (const key of ['trainLoss', 'testLoss', 'trainAcc', 'testAcc'] as const) {
      const value = event[key]
      if (value !== undefined) this.history[key]?.push(value)
    }
    return event
  }

  #stepPlateauOrEpoch({ testLoss, trainLoss }: EpochEvent): void {
    if (this.#cadence === 'plateau') this.options.scheduler?.step(testLoss ?? trainLoss)
    if (this.#cadence === 'epoch') this.options.scheduler?.step()
  }

  *#report(event: EpochEvent): Steps<boolean> {
    let goOn = true
    if (this.#callbacks.length > 0 || this.options.onEpochEnd) this.engine.handBack()
    for (const callback of this.#callbacks) {
      if (callback.onEpoch?.(event, this.model) === false) goOn = false
    }
    if (this.options.onEpochEnd && (yield this.options.onEpochEnd(event)) === false) goOn = false
    this.#checkAbort()
    return goOn
  }

  #lr(): number | number[] {
    const { paramGroups } = this.options.optimizer
    return paramGroups.length === 1 ? paramGroups[0].lr : paramGroups.map(group => group.lr)
  }

  #reportProgress(sums: EpochSums): void {
    if (performance.now() - this.#reported >= PROGRESS_MS) this.#emitProgress(sums.loss / sums.batches)
  }

  #emitProgress(loss: number): void {
    const { onProgress, epochs } = this.options
    this.#reported = performance.now()
    const step = this.history.lr.length
    onProgress?.({
      step,
      steps: this.#updatesPerEpoch * epochs,
      epoch: Math.min(this.#epoch, epochs),
      epochs,
      loss,
      lr: this.history.lr[step - 1],
      stepsPerSecond: step / ((this.#reported - this.#started) / 1000),
    })
  }

  #checkAbort(): void {
    const { signal } = this.options
    if (signal?.aborted) throw new AbortedError(signal.reason, this.history)
  }
}

/** The streams a fit draws from: those of its loaders, and the default one for loaders and layers without their own. */
function generatorsOf({ train, test }: FitOptions): Generator[] {
  return [...new Set([defaultGenerator, train.generator ?? defaultGenerator, test?.generator ?? defaultGenerator])]
}

/** Runs `steps` as the only one who may draw from these streams. */
function* asHolder<T>(generators: Generator[], steps: () => Steps<T>): Steps<T> {
  const owner = {}
  const held: Generator[] = []
  try {
    for (const generator of generators) {
      generator.acquire(owner)
      held.push(generator)
    }
    const drawing = <R>(fn: () => R) => held.reduceRight((inner, g) => () => g.drawAs(owner, inner), fn)()
    const running = steps()
    let next = drawing(() => running.next())
    while (!next.done) {
      let settled: unknown
      try {
        settled = yield next.value
      } catch (error) {
        next = drawing(() => running.throw(error))
        continue
      }
      next = drawing(() => running.next(settled))
    }
    return next.value
  } finally {
    for (const generator of held) generator.release(owner)
  }
}

/** Runs `steps` with model and optimizer marked as busy; leaves the model in training mode and without gradients. */
function* exclusively(model: Model, options: FitOptions, steps: () => Steps<History>): Steps<History> {
  const { optimizer } = options
  for (const used of [model, optimizer]) {
    if (busy.has(used))
      throw new AnnealError('ERR_BUSY', 'fit: expected a model and an optimizer that no other fit is using')
  }
  busy.add(model).add(optimizer)
  try {
    return yield* asHolder(generatorsOf(options), steps)
  } finally {
    busy.delete(model)
    busy.delete(optimizer)
    model.train()
    optimizer.zeroGrad()
  }
}

/** The plan where the model can be one, else the eager engine with the reason. */
function chooseEngine(model: Model, options: FitOptions, synchronous: boolean): Engine {
  const chosen = options.backend?.engine(model, options)
  if (chosen) return chosen
  try {
    return new PlanEngine(model, options, synchronous)
  } catch (error) {
    if (!(error instanceof Unplannable)) throw error
    options.optimizer.zeroGrad()
    return new EagerEngine(model, error.message)
  }
}

function start(model: Model, options: FitOptions, synchronous: boolean): Steps<History> {
  checkFit(model, options)
  return exclusively(model, options, () =>
    new FitRun(model, options, chooseEngine(model, options, synchronous)).steps(),
  )
}

/**
 * Trains `model` for some epochs and returns its curves.
 *
 * ```ts
 * const history = await fit(model, { train, test, loss: new nn.CrossEntropyLoss(), optimizer, scheduler, epochs: 20 })
 * ```
 * The same numbers, bit for bit, as the explicit loop (zeroGrad, forward, loss, backward, step, scheduler.step).
 * Rejects with TypeError, RangeError or AnnealError for bad options, ERR_BUSY while another fit uses the model or the
 * optimizer, ERR_ABORTED (with `history` so far) when `signal` aborts. Afterwards the model is in training mode and
 * has no gradients. `fit.sync` is the same without leaving the thread.
 */
export const fit = Object.assign(
  async (model: Model, options: FitOptions): Promise<History> => driveAsync(start(model, options, false)),
  { sync: (model: Model, options: FitOptions): History => driveSync('fit.sync', start(model, options, true)) },
)
