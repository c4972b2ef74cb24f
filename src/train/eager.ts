/** The eager engine: the explicit training loop, batch by batch. The plan must give the same bits. */

import { type Steps, toEventLoop } from '../base/drive.js'
import type { DataLoader } from '../data/index.js'
import { nativeEmitter } from '../emitters/native.js'
import type { Loss } from '../nn/index.js'
import { clipGradNorm } from '../nn/utils.js'
import { noGrad, Tensor, tensor } from '../tensor/index.js'
import { emitCorrect, labelsOf } from './accuracy.js'
import { type Engine, type EpochSums, emptySums, type Run } from './engine.js'
import type { FitOptions, Model } from './options.js'
import { dropGradients } from './record_step.js'

/** How many labels there are, and how many are the largest score of their row. */
export function countCorrect(prediction: Tensor, target: Tensor): { correct: number; rows: number } {
  const count = new Int32Array(1)
  const labels = labelsOf(prediction, target)
  const y = labels.dtype === 'int32' ? labels.buf : Int32Array.from(labels.data)
  emitCorrect(nativeEmitter, prediction, y, count)
  return { correct: count[0], rows: labels.size }
}

function measure(sums: EpochSums, loss: Loss, value: Tensor, prediction: Tensor, target: Tensor): void {
  sums.loss += value.item()
  sums.batches++
  const { correct, rows } = loss.classifies ? countCorrect(prediction, target) : { correct: 0, rows: target.shape[0] }
  sums.rows += rows
  sums.correct += correct
}

/** Runs `steps` in evaluation mode and without gradients, then puts every module's own mode back. */
export function* inEvalMode<T>(model: Model, steps: () => Steps<T>): Steps<T> {
  const modes = model.modules().map(module => [module, module.training] as const)
  model.eval()
  try {
    return yield* steps()
  } finally {
    for (const [module, training] of modes) module.training = training
  }
}

/** Losses and correct rows over a loader, in evaluation mode and without gradients. */
export function evaluateEager(model: Model, loader: DataLoader, loss: Loss): Steps<EpochSums> {
  return inEvalMode(model, function* () {
    const sums = emptySums()
    for (const [x, y] of loader) {
      noGrad(() => {
        const prediction = model.forward(x)
        measure(sums, loss, loss.forward(prediction, y), prediction, y)
      })
      yield toEventLoop
    }
    return sums
  })
}

function backward(value: Tensor, groupSize: number): void {
  value.backward(
    groupSize === 1 ? undefined : new Tensor(value.shape, 'float32', nativeEmitter.constant([1 / groupSize])),
  )
}

/** A batch and its loss. */
interface Batch {
  readonly x: Tensor
  readonly y: Tensor
  readonly value: Tensor
}

function meanOf(values: readonly Tensor[]): Tensor {
  return values.length === 1 ? values[0] : tensor(values.reduce((sum, value) => sum + value.item(), 0) / values.length)
}

/** Trains one epoch after another through the tape. */
export class EagerEngine implements Engine {
  readonly name = 'eager'

  constructor(
    private readonly model: Model,
    readonly reason: string,
  ) {}

  *epochs(run: Run): Steps<void> {
    const { test, loss } = run.options
    run.turnTo?.('train')
    const sums = yield* this.#train(run)
    run.turnTo?.('eval')
    run.afterEpoch(sums, test && (yield* evaluateEager(this.model, test, loss)))
  }

  *#train(run: Run): Steps<EpochSums> {
    const { train, loss, optimizer, accumulate = 1 } = run.options
    const sums = emptySums()
    let group: Batch[] = []
    dropGradients(this.model, optimizer)
    for (const [x, y] of train) {
      const groupSize = Math.min(accumulate, train.length - (sums.batches - group.length))
      const { prediction, value } = this.#gradients(loss, { x, y }, groupSize)
      group.push({ x, y, value })
      measure(sums, loss, value, prediction, y)
      run.afterLoss?.(value.item())
      if (group.length === groupSize) {
        run.beforeUpdate()
        optimizer.step(this.#closure(run.options, group))
        dropGradients(this.model, optimizer)
        group = []
        run.afterUpdate()
        run.afterChunk(sums)
      }
      yield toEventLoop
    }
    return sums
  }

  #gradients(loss: Loss, { x, y }: Omit<Batch, 'value'>, groupSize: number): { prediction: Tensor; value: Tensor } {
    const prediction = this.model.forward(x)
    const value = loss.forward(prediction, y)
    backward(value, groupSize)
    return { prediction, value }
  }

  /** The mean loss of a group of batches and its gradients, which are there already when it is called first. */
  #closure({ loss, optimizer, clipGradNorm: clip }: FitOptions, group: readonly Batch[]): () => Tensor {
    let known = true
    return () => {
      if (!known) dropGradients(this.model, optimizer)
      const values = known
        ? group.map(({ value }) => value)
        : group.map(batch => this.#gradients(loss, batch, group.length).value)
      known = false
      const parameters = optimizer.paramGroups.flatMap(({ params }) => params)
      if (clip !== undefined) clipGradNorm(parameters, clip)
      return meanOf(values)
    }
  }

  /** Nothing to do: every update is made in place. */
  handBack(): void {}
}
