/** The explicit training loop, batch by batch, over whatever trains: the tape, or a backend to compare with. */

import { type Steps, toEventLoop } from '../base/drive.js'
import type { DataLoader } from '../data/index.js'
import type { Loss } from '../nn/index.js'
import type { Hold } from '../runs/hold.js'
import { Tensor } from '../tensor/index.js'
import { countCorrect } from './accuracy.js'
import { type Batch, batchesOf, batchOf, eachBatch, firstForward, weighsNothing } from './batch.js'
import { type Engine, type EpochSums, emptySums, type Place, placeIn, type Run } from './engine.js'
import { claimTensors, holdOf } from './exclusive.js'
import type { Model, TrainingOptions } from './options.js'
import { inEvalMode } from './state.js'
import type { BatchResult, Trainer } from './trainer.js'

/** Counts a batch in; `rows` are labels, where a row has several. Returns whether its loss counts. */
function add(sums: EpochSums, loss: Loss, { loss: value, prediction }: BatchResult, batch: Batch): boolean {
  const { inputs, target } = batch
  const rows = (target ?? inputs[0]).shape[0]
  const counted = loss.classifies ? countCorrect(prediction, target!, loss.ignoreIndex) : { correct: 0, rows }
  const counts = !weighsNothing(batch) && (counted.rows > 0 || rows === 0)
  if (counts) sums.loss += value
  else sums.weightless++
  sums.batches++
  sums.rows += counted.rows
  sums.correct += counted.correct
  return counts
}

/** Losses and correct rows over a loader, in evaluation mode; `evaluate` gives those of a batch. */
export function evaluateAll(
  model: Model,
  loader: DataLoader,
  loss: Loss,
  evaluate: (batch: Batch) => BatchResult,
): Steps<EpochSums> {
  return inEvalMode(model, function* () {
    const sums = emptySums()
    yield* eachBatch(batchesOf(loader), function* (tensors) {
      const batch = batchOf(tensors, loss, loader.weighted)
      add(sums, loss, evaluate(batch), batch)
      yield toEventLoop
    })
    return sums
  })
}

/** Trains one epoch after another. */
export class LoopEngine implements Engine {
  /** Whether the model holds the weights, and may have been given others. */
  #handedBack = true
  #forwards = 0
  readonly #hold: Hold
  /** The training pass that is under way, or is to be gone on with. */
  #pass: Place | null = null

  /** `reason`: why this is not the plan. */
  constructor(
    readonly name: string,
    private readonly model: Model,
    private readonly options: TrainingOptions,
    private readonly trainer: Trainer,
    readonly reason?: string,
  ) {
    this.#hold = holdOf(model)
  }

  *epochs(run: Run): Steps<void> {
    const { test, loss } = this.options
    claimTensors('fit', this.#hold, this.model, this.options.optimizer)
    if (!this.#pass) this.#hold.renew()
    this.#hold.keep() // from the first update on the tensors are within an epoch
    run.switchTo?.('train')
    const sums = yield* this.#train(run)
    run.switchTo?.('eval')
    const evaluate = (batch: Batch) => {
      const result = this.trainer.evaluate(batch)
      this.#tellPredictions(run, false, result, batch)
      return result
    }
    run.afterEpoch(sums, test && (yield* evaluateAll(this.model, test, loss, evaluate)))
  }

  *#train(run: Run): Steps<EpochSums> {
    const { trainer } = this
    const { train, loss, accumulate = 1 } = this.options
    const begun = this.#pass
    const { streams, sums } = begun ?? { streams: train.streams.map(stream => stream.getState()), sums: emptySums() }
    this.#pass = { streams, sums }
    if (this.#handedBack) trainer.load()
    if (run.checksFinite) trainer.checkFinite?.()
    this.#handedBack = false
    let [done, weighed, parts] = [0, 0, 0]
    const update = () => this.#update(run)
    const gradients = (batch: Batch) => {
      const result = this.#gradients(batch, parts)
      this.#tellPredictions(run, true, result, batch)
      return result
    }
    yield* eachBatch(begun ? train.batchesFrom(sums.batches, streams) : batchesOf(train), function* (tensors) {
      // A loader of somebody's own may give more batches than it says.
      if (done === 0) parts = Math.max(1, Math.min(accumulate, train.length - sums.batches))
      const batch = batchOf(tensors, loss, train.weighted)
      const result = gradients(batch)
      if (add(sums, loss, result, batch)) run.afterLoss?.(result.loss)
      if (!weighsNothing(batch)) weighed++
      if (++done === parts) {
        if (weighed > 0) {
          update()
          sums.updates++
          run.afterUpdate()
        }
        ;[done, weighed] = [0, 0]
        yield* run.afterChunk(sums)
      }
      yield toEventLoop
    })
    this.#pass = null
    return sums
  }

  /** One that fails is none, for the run too. */
  #update(run: Run): void {
    const restore = run.checksFinite ? run.snapshot() : null
    run.beforeUpdate()
    try {
      this.trainer.update()
    } catch (error) {
      restore?.()
      throw error
    }
  }

  #tellPredictions(run: Run, trains: boolean, { prediction }: BatchResult, { target }: Batch): void {
    if (!this.options.metrics) return
    // Computed in float64 where another emitter than the native one trains.
    const values = prediction.values instanceof Float32Array ? prediction.values : Float32Array.from(prediction.values)
    run.afterPredictions?.(trains, new Tensor(prediction.shape, 'float32', values), target)
  }

  #gradients(batch: Batch, parts: number): BatchResult {
    if (weighsNothing(batch)) return this.trainer.evaluate(batch)
    if (this.#forwards++ > 0) return this.trainer.gradients(batch, parts)
    return firstForward(this.model, batch.inputs, inputs => this.trainer.gradients({ ...batch, inputs }, parts))
  }

  show<T>(read: () => T): T {
    if (!this.#handedBack) this.trainer.read()
    return read()
  }

  place(): Place | null {
    const pass = this.#pass
    return pass && pass.sums.batches < this.options.train.length
      ? placeIn(this.options.train, pass.streams, pass.sums)
      : null
  }

  goTo({ streams, sums, offset }: Place): void {
    this.options.train.knowOffset(offset)
    this.#pass = { streams, sums: { ...emptySums(), ...sums } }
  }

  handBack(): void {
    if (!this.#handedBack) this.trainer.read()
    this.#handedBack = true
    if (!this.#pass) this.#hold.renew()
  }

  close(): void {
    this.trainer.dispose()
  }
}
