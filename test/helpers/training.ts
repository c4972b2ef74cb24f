/** Models, data and the explicit training loop for tests of `fit`. Not a test. */

import { createHash } from 'node:crypto'
import { DataLoader, TensorDataset } from '../../src/data/index.js'
import type { Model } from '../../src/engine/options.js'
import type { LRScheduler } from '../../src/lr_scheduler/index.js'
import * as nn from '../../src/nn/index.js'
import { clipGradNorm } from '../../src/nn/utils.js'
import { type Optimizer, ScheduleFree } from '../../src/optim/index.js'
import { manualSeed, RandomState } from '../../src/random/index.js'
import { noGrad, Tensor, tensor } from '../../src/tensor/index.js'

/** An MLP with ReLU, or what `between` makes, between its layers. */
export function mlp(widths: readonly number[], between: () => nn.Module = () => new nn.ReLU()): Model {
  const layers = widths.slice(1).flatMap((width, i) => {
    const layer = new nn.Linear(widths[i], width)
    return i < widths.length - 2 ? [layer, between()] : [layer]
  })
  return new nn.Sequential(...layers)
}

/** Random rows with labels that depend on them. */
export function blobs(rows: number, width: number, classes: number, seed = 7): TensorDataset {
  const X = tensor(new RandomState(seed).randn(rows * width), { shape: [rows, width] })
  const y = Int32Array.from({ length: rows }, (_, i) => Math.abs(Math.round(X.data[i * width] * 3 + i)) % classes)
  return new TensorDataset(X, tensor(y))
}

export interface Job {
  model: Model
  optimizer: Optimizer
  scheduler?: LRScheduler
  train: DataLoader
  test?: DataLoader
  loss: nn.Loss
}

export interface JobOptions {
  widths?: readonly number[]
  rows?: number
  batchSize?: number
  seed?: number
  optimizer: (model: Model) => Optimizer
  scheduler?: (optimizer: Optimizer) => LRScheduler
  withTest?: boolean
  dropLast?: boolean
  /** Default: an MLP of these widths. */
  model?: () => Model
  /** Default: `blobs` of the first width, with as many classes as the last. */
  data?: (rows: number, seed?: number) => TensorDataset
  /** Default: cross-entropy. */
  loss?: nn.Loss
}

/** A job made anew from its seed, so that two engines can start from the same place. */
export function makeJob(options: JobOptions): Job {
  const { widths = [4, 16, 3], rows = 70, batchSize = 16, seed = 3, withTest = true, dropLast = false } = options
  manualSeed(seed)
  const model = options.model?.() ?? mlp(widths)
  const classes = widths[widths.length - 1]
  const data = options.data ?? ((count, dataSeed) => blobs(count, widths[0], classes, dataSeed))
  const optimizer = options.optimizer(model)
  return {
    model,
    optimizer,
    scheduler: options.scheduler?.(optimizer),
    train: new DataLoader(data(rows), { batchSize, shuffle: true, dropLast }),
    test: withTest ? new DataLoader(data(rows >> 1, 9), { batchSize }) : undefined,
    loss: options.loss ?? new nn.CrossEntropyLoss(),
  }
}

function meanLoss(job: Job, loader: DataLoader): number {
  let sum = 0
  job.model.eval()
  noGrad(() => {
    for (const [x, y] of loader) sum += job.loss.forward(job.model.forward(x), y).item()
  })
  job.model.train()
  return sum / loader.length
}

/** The explicit loop that `fit` must equal bit for bit. */
export function explicitLoop(job: Job, epochs: number, extra: { clip?: number; accumulate?: number } = {}) {
  const { model, optimizer, scheduler, train, test, loss } = job
  const { clip, accumulate = 1 } = extra
  const history = { trainLoss: [] as number[], testLoss: [] as number[], lr: [] as number[] }
  const switching = optimizer instanceof ScheduleFree ? optimizer : null
  for (let epoch = 0; epoch < epochs; epoch++) {
    let [sum, i] = [0, 0]
    switching?.train()
    for (const [x, y] of train) {
      const size = Math.min(accumulate, train.length - (i - (i % accumulate)))
      const value = loss.forward(model.forward(x), y)
      value.backward(size === 1 ? undefined : new Tensor(value.shape, 'float32', Float32Array.of(1 / size)))
      sum += value.item()
      if (i % accumulate === size - 1) {
        if (clip !== undefined) clipGradNorm(model.parameters(), clip)
        history.lr.push(optimizer.paramGroups[0].lr)
        optimizer.step()
        optimizer.zeroGrad()
        scheduler?.step()
      }
      i++
    }
    history.trainLoss.push(sum / train.length)
    switching?.eval()
    if (test) history.testLoss.push(meanLoss(job, test))
  }
  return history
}

function digest({ data }: Tensor): string {
  return createHash('sha256')
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest('hex')
    .slice(0, 16)
}

/** Weights and optimizer state, tensors as digests of their bits. */
export function stateOf({ model, optimizer }: Job): unknown {
  const weights = Object.entries(model.stateDict()).map(([name, t]) => [name, digest(t)])
  const state = Object.values(optimizer.stateDict().state).map(entry =>
    Object.entries(entry).map(([key, value]) => [key, value instanceof Tensor ? digest(value) : value]),
  )
  return { weights, state }
}
