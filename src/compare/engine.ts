/** `fit` on a backend's trainer: the engine of `fit({ backend })`, batch by batch and in the loader's order. */

import { type Steps, toEventLoop } from '../base/drive.js'
import { AnnealError } from '../base/errors.js'
import type { DataLoader } from '../data/index.js'
import type { Tensor } from '../tensor/index.js'
import { inEvalMode } from '../train/eager.js'
import { type Engine, type EpochSums, emptySums, type Run } from '../train/engine.js'
import type { FitOptions, Model } from '../train/options.js'
import type { Backend, BatchResult, Trainer } from './backend.js'

/** Rows whose label (of a distribution, the likeliest class) is the largest logit, the first of equals. */
function countCorrect(prediction: ArrayLike<number>, target: Tensor): number {
  const { data: labels } = target.shape.length > 1 ? target.argmax(1) : target
  const classes = prediction.length / labels.length
  let count = 0
  for (let r = 0; r < labels.length; r++) {
    let best = 0
    for (let c = 1; c < classes; c++) if (prediction[r * classes + c] > prediction[r * classes + best]) best = c
    count += Number(best === labels[r])
  }
  return count
}

function refuse(backend: Backend, option: string): AnnealError {
  return new AnnealError('ERR_BACKEND', `fit: expected no ${option} with the backend ${backend.name}, which has none`)
}

export class BackendEngine implements Engine {
  readonly name: string
  readonly #trainer: Trainer
  /** Whether the model holds the weights, and may have been given others. */
  #handedBack = false

  constructor(
    backend: Backend,
    private readonly model: Model,
    private readonly options: FitOptions,
  ) {
    if (options.clipGradNorm !== undefined) throw refuse(backend, 'clipGradNorm')
    if ((options.accumulate ?? 1) !== 1) throw refuse(backend, 'accumulate')
    const { name, evaluatesLoss } = options.optimizer.rule
    if (evaluatesLoss) throw refuse(backend, name)
    this.name = backend.name
    this.#trainer = backend.trainer(model, options)
  }

  *epochs(run: Run): Steps<void> {
    const { test } = this.options
    run.turnTo?.('train')
    const sums = yield* this.#train(run)
    run.turnTo?.('eval')
    run.afterEpoch(sums, test && (yield* inEvalMode(this.model, () => this.#evaluate(test))))
  }

  *#train(run: Run): Steps<EpochSums> {
    const sums = emptySums()
    if (this.#handedBack) this.#trainer.load()
    this.#handedBack = false
    for (const [x, y] of this.options.train) {
      run.beforeUpdate()
      this.#add(sums, this.#trainer.step(x, y), y)
      run.afterUpdate()
      run.afterChunk(sums)
      yield toEventLoop
    }
    return sums
  }

  handBack(): void {
    this.#trainer.read()
    this.#handedBack = true
  }

  close(): void {
    this.#trainer.dispose()
  }

  *#evaluate(loader: DataLoader): Steps<EpochSums> {
    const sums = emptySums()
    for (const [x, y] of loader) {
      this.#add(sums, this.#trainer.evaluate(x, y), y)
      yield toEventLoop
    }
    return sums
  }

  #add(sums: EpochSums, { loss, prediction }: BatchResult, y: Tensor): void {
    sums.loss += loss
    sums.batches++
    sums.rows += y.shape[0]
    if (this.options.loss.classifies) sums.correct += countCorrect(prediction, y)
  }
}
