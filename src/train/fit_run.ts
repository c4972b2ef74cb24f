/**
 * One run of `fit`: epochs of training with schedule, evaluation, callbacks and abort, around an engine that does the
 * work. Not here: what comes before and after it (fit.ts).
 */

import type { Steps } from '../base/drive.js'
import { AnnealError, phrase } from '../base/errors.js'
import { type Engine, type EpochSums, meanLoss, type Place, type Run } from '../engine/engine.js'
import { holdOf } from '../engine/exclusive.js'
import { NotFinite } from '../engine/finite.js'
import { type Model, sharedBy } from '../engine/options.js'
import type { Hold } from '../runs/hold.js'
import type { Tensor } from '../tensor/index.js'
import { Agreement } from './agreement.js'
import type { Callback } from './callbacks.js'
import { Checkpoints, checkpointParts } from './checkpoints.js'
import { EpochMetrics } from './fit_metrics.js'
import { type FitOptions, monitored, schedulerCadence } from './fit_options.js'
import { AbortedError, type EpochEvent, figureOf, type History, type ProgressEvent, withHistory } from './history.js'
import { nonFiniteIn } from './non_finite.js'
import { Rates } from './rates.js'
import { captureRun, type RunState } from './run_state.js'

const PROGRESS_MS = 100
/** How long watchers are left without news of epochs that are shorter. */
const WATCH_MS = 100

export class FitRun implements Run {
  readonly history: History
  readonly #callbacks: readonly Callback[]
  readonly #cadence: ReturnType<typeof schedulerCadence>
  readonly #checkpoints: readonly Checkpoints[]
  /** What becomes the history's when the run is over. */
  readonly #rates = new Rates()
  /** Schedule-free optimizers train at one point and are judged, and left, at another. */
  readonly switchTo?: (mode: 'train' | 'eval') => void
  readonly checksFinite: boolean
  readonly agree?: (steps: number) => Steps<number>
  readonly #agreed: Agreement
  readonly #metrics: EpochMetrics | null
  /** Whether somebody may look at the model, or change it, after every epoch. */
  readonly #asks: boolean
  /** Epochs that watchers have not been told of, and when they last were. */
  readonly #untold: EpochEvent[] = []
  #told = performance.now()
  #watchedEpochMs = Infinity
  readonly #hold: Hold
  /** Up to the end of the last epoch. */
  #updates = 0
  #begun = false
  #last: EpochEvent | null = null
  /** Whether a callback has ended the run. */
  #stopped = false
  #epochStart = 0
  #started = performance.now()
  /** Updates of the run that this one goes on from. */
  #before = 0
  #reported = performance.now()

  constructor(
    private readonly model: Model,
    private readonly options: FitOptions,
    private readonly engine: Engine,
    private readonly configuration: RunState['configuration'],
    private readonly resumed: RunState | null,
  ) {
    const { test, loss, optimizer } = options
    this.#hold = holdOf(model)
    if (optimizer.switchTo) this.switchTo = mode => optimizer.switchTo!(mode)
    this.history = {
      trainLoss: [],
      ...(test && { testLoss: [] }),
      ...(loss.classifies && { trainAcc: [], ...(test && { testAcc: [] }) }),
      ...(options.metrics && { metrics: {} }),
      lr: [],
      engine: engine.name,
    }
    this.#metrics = options.metrics ? new EpochMetrics(loss, options.metrics) : null
    for (const name of this.#metrics?.names ?? [])
      this.history.metrics![name] = { train: [], ...(test && { test: [] }) }
    const callbacks = options.callbacks ?? []
    this.checksFinite = callbacks.some(callback => callback.checksFinite)
    this.#asks = callbacks.some(callback => !callback.watchOnly) || options.onEpochEnd !== undefined
    this.#cadence = schedulerCadence(options)
    this.#checkpoints = Checkpoints.of(options, resumed?.best ?? [])
    this.#agreed = new Agreement(sharedBy(options), options.signal, this.#checkpoints)
    this.#callbacks = callbacks.map(callback => (callback.watchOnly && !this.#agreed.reports ? {} : callback))
    if (sharedBy(options)) this.agree = steps => this.#agreed.onSteps(steps)
    if (resumed) this.#goOn(resumed)
  }

  /** What the run itself keeps, from a checkpoint; the model and all others have theirs already. */
  #goOn({ history, rates, place, stopped }: RunState): void {
    const { engine, engineReason, ...curves } = history
    Object.assign(this.history, curves)
    this.#rates.loadStateDict(rates)
    this.#before = this.#rates.count
    this.#updates = this.#rates.count - (place?.sums.updates ?? 0)
    this.#stopped = stopped
    if (place) this.engine.goTo(place)
  }

  *steps(): Steps<History> {
    const failures: unknown[] = []
    try {
      yield* this.#wholeRun()
    } catch (error) {
      failures.push(error)
    }
    const [failure] = failures
    if (this.#begun) {
      for (const callback of this.#callbacks) {
        try {
          yield callback.onEnd?.(failure)
        } catch (error) {
          failures.push(error)
        }
      }
    }
    const history = this.#historySoFar()
    if (failures.length > 0) throw withHistory(this.#withStep(failures[0]), history)
    return history
  }

  /** A value that is not finite, with the step that made it. */
  #withStep(failure: unknown): unknown {
    if (!(failure instanceof NotFinite)) return failure
    const row = nonFiniteIn(this.options.train)
    const received = `${failure.message} in step ${this.#rates.count + 1}${row ? `: ${row}` : ''}`
    return new AnnealError('ERR_NONFINITE', phrase('failOnNaN', 'finite values', received))
  }

  *#wholeRun(): Steps<void> {
    try {
      yield* this.#epochs()
    } finally {
      try {
        this.engine.handBack()
        this.switchTo?.('eval')
      } finally {
        this.engine.close?.()
      }
    }
    for (const callback of this.#callbacks) yield callback.onFinish?.(this.model)
  }

  *#epochs(): Steps<void> {
    const { model, options, history } = this
    yield* this.#agreed.onSteps(0)
    if (this.#agreed.aborted) this.#abort()
    this.#begun = true
    for (const callback of this.#callbacks) yield callback.onStart?.(model, options)
    this.resumed?.callbacks.forEach((state, i) => {
      if (state) this.#callbacks[i].loadStateDict?.(state)
    })
    if (this.#asks) this.engine.handBack(true)
    this.#hold.renew() // of a resumed run, the checkpoint's weights
    this.#told = performance.now()
    while (!this.#stopped && history.trainLoss.length < options.epochs) {
      this.#epochStart = performance.now()
      yield* this.engine.epochs(this, yield* this.#agreed.onNumber(this.#ahead()))
      this.#switchToAverage()
      const event = this.#last!
      this.#stepPlateauOrEpoch(event)
      yield* this.#tellWatchers()
      if (!(yield* this.#report(event))) this.#stopped = true
      this.#stopped = yield* this.#agreed.onAny(this.#stopped)
      const { aborted } = this.#agreed
      yield* this.#saveEpoch(event, aborted)
      if (aborted) this.#abort()
    }
    yield* this.#emitProgress(history.trainLoss[history.trainLoss.length - 1])
  }

  /** After each epoch, tested or not, so that a test loader changes no bit of the training. */
  #switchToAverage(): void {
    if (!this.switchTo) return
    this.engine.handBack()
    this.switchTo('eval')
    this.#hold.renew()
  }

  /** Epochs until somebody has to be asked or told. */
  #ahead(): number {
    const done = this.history.trainLoss.length
    if (this.#asks || this.switchTo || !['batch', 'never'].includes(this.#cadence)) return 1
    const watched = this.#callbacks.length > 0 ? Math.max(1, Math.floor(WATCH_MS / this.#watchedEpochMs)) : Infinity
    return Math.min(this.options.epochs - done, watched, ...this.#checkpoints.map(folder => folder.epochsAhead(done)))
  }

  /** Whether the scheduler moves with every update. */
  get #countsUpdates(): boolean {
    return this.#cadence === 'batch' || this.#cadence === 'both'
  }

  beforeUpdate(): void {
    this.#rates.note(this.#lr())
  }

  afterUpdate(): void {
    if (this.#cadence === 'batch') this.options.scheduler!.step()
    if (this.#cadence === 'both') this.options.scheduler!.advanceCounts()
  }

  skipUpdates(most: number): number {
    const { scheduler } = this.options
    const updates = this.#countsUpdates ? scheduler!.skipUnchanged(most) : most
    this.#rates.repeat(updates)
    return updates
  }

  *afterChunk(sums: EpochSums): Steps<void> {
    yield* this.#reportProgress(sums)
    yield* this.#tellWatchers()
    const { aborted } = this.#agreed
    const due = this.#checkpoints.filter(folder =>
      folder.isDue(this.#rates.count, aborted, this.#agreed.isLate(folder)),
    )
    const place = due.length > 0 ? this.engine.place() : null
    if (place) yield* this.#save(due, place)
    // Where nothing can be saved, as in a pass of evaluation, the run goes on to the next place or the end of the epoch.
    if (aborted && (place || !due.some(folder => folder.onAbort))) this.#abort()
  }

  updatesLeft(): number {
    if (this.#agreed.aborted) return 1
    return Math.min(Infinity, ...this.#checkpoints.map(folder => folder.updatesAhead(this.#rates.count)))
  }

  /** Checkpoints between two epochs, when everybody was told of the last one. */
  *#saveEpoch(event: EpochEvent, aborted: boolean): Steps<void> {
    const over = this.#stopped || event.epoch === this.options.epochs
    const show: Engine['show'] = read => this.engine.show(read)
    for (const folder of this.#checkpoints) yield* folder.writeBest(event, this.model, show)
    const due = this.#checkpoints.filter(folder =>
      folder.isDueAfter(event, this.#rates.count, over, aborted, this.#agreed.isLate(folder)),
    )
    if (due.length > 0) yield* this.#save(due, null)
  }

  *#save(due: readonly Checkpoints[], place: Place | null): Steps<void> {
    const { configuration, model, options } = this
    const { lr, ...history } = this.history
    const [rates, best] = [this.#rates.stateDict(), this.#checkpoints.map(folder => folder.best)]
    const own = { configuration, place, history, rates, stopped: this.#stopped, best }
    const parts = this.engine.show(() => checkpointParts(captureRun(model, options, own)))
    for (const folder of due) yield* folder.write(this.#rates.count, parts)
  }

  /** Tells callbacks that only watch of the epochs since the last time, which took equally long as far as anybody knows. */
  *#tellWatchers(): Steps<void> {
    const events = this.#untold.splice(0)
    if (events.length === 0) return
    const now = performance.now()
    this.#watchedEpochMs = (now - this.#told) / events.length
    this.#told = now
    for (const event of events) {
      for (const callback of this.#callbacks) {
        const told = yield callback.onEpoch?.({ ...event, seconds: this.#watchedEpochMs / 1000 }, this.model)
        if (told === false) this.#stopped = true
      }
    }
  }

  snapshot(): () => void {
    const updates = this.#rates.count
    const restoreSchedule = this.#countsUpdates ? this.options.scheduler?.snapshot() : undefined
    return () => {
      this.#rates.rewind(updates)
      restoreSchedule?.()
    }
  }

  afterPredictions(trains: boolean, prediction: Tensor, target: Tensor | undefined): void {
    this.#metrics?.add(trains, prediction, target ?? prediction)
  }

  afterEpoch(train: EpochSums, test: EpochSums | undefined): void {
    const { history } = this
    const { classifies } = this.options.loss
    const epoch = history.trainLoss.length + 1
    this.#updates += train.updates
    const event: EpochEvent = {
      epoch,
      trainLoss: meanLoss(train),
      lr: this.#rates.at(this.#updates - 1),
      seconds: (performance.now() - this.#epochStart) / 1000,
    }
    if (classifies) event.trainAcc = train.correct / train.rows
    if (test && test.batches > 0) {
      event.testLoss = meanLoss(test)
      if (classifies) event.testAcc = test.correct / test.rows
    }
    if (this.#metrics) event.metrics = this.#metrics.take()
    history.trainLoss.push(event.trainLoss)
    if (event.trainAcc !== undefined) history.trainAcc?.push(event.trainAcc)
    if (event.testLoss !== undefined) history.testLoss?.push(event.testLoss)
    if (event.testAcc !== undefined) history.testAcc?.push(event.testAcc)
    for (const [name, { train, test }] of Object.entries(event.metrics ?? {})) {
      history.metrics![name].train.push(train)
      if (test !== undefined) history.metrics![name].test?.push(test)
    }
    this.#last = event
    if (!this.#asks && this.#callbacks.length > 0) this.#untold.push(event)
  }

  #stepPlateauOrEpoch(event: EpochEvent): void {
    const { scheduler } = this.options
    const watched = figureOf(event, monitored(this.options))!
    if (this.#cadence === 'plateau') scheduler!.step(watched)
    if (this.#cadence === 'both') scheduler!.feed(watched)
    if (this.#cadence === 'epoch') scheduler!.step()
  }

  *#report(event: EpochEvent): Steps<boolean> {
    let goOn = true
    if (this.#asks) {
      this.engine.handBack(true)
      for (const callback of this.#callbacks) {
        if ((yield callback.onEpoch?.(event, this.model)) === false) goOn = false
      }
    }
    const { onEpochEnd } = this.options
    if (onEpochEnd && this.#agreed.reports && (yield onEpochEnd(event)) === false) goOn = false
    if (this.#asks) this.#hold.renew() // they may have changed the model
    return goOn
  }

  #lr(): number | number[] {
    const { paramGroups } = this.options.optimizer
    return paramGroups.length === 1 ? paramGroups[0].lr : paramGroups.map(group => group.lr)
  }

  *#reportProgress(sums: EpochSums): Steps<void> {
    if (!this.#agreed.reports || performance.now() - this.#reported < PROGRESS_MS) return
    // Between two epochs there is no loss yet.
    yield* this.#emitProgress(sums.batches ? meanLoss(sums) : this.history.trainLoss[this.history.trainLoss.length - 1])
  }

  *#emitProgress(loss: number): Steps<void> {
    if (!this.#agreed.reports) return
    const { onProgress, epochs, train, accumulate = 1 } = this.options
    this.#reported = performance.now()
    const step = this.#rates.count
    const event: ProgressEvent = {
      step,
      steps: Math.ceil(train.length / accumulate) * epochs,
      epoch: Math.min(this.history.trainLoss.length + 1, epochs),
      epochs,
      loss,
      lr: this.#rates.last,
      stepsPerSecond: (step - this.#before) / ((this.#reported - this.#started) / 1000),
    }
    yield onProgress?.(event)
    for (const callback of this.#callbacks) yield callback.onProgress?.(event)
  }

  #abort(): never {
    const { signal } = this.options
    const reason = signal?.aborted ? signal.reason : new Error('another rank was aborted')
    throw new AbortedError(reason, this.#historySoFar())
  }

  #historySoFar(): History {
    const { name, reason } = this.engine
    Object.assign(
      this.history,
      { lr: this.#rates.toArray(), engine: name },
      reason !== undefined && { engineReason: reason },
    )
    return this.history
  }
}
