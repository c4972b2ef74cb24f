/** Batch normalisation as a layer: it learns scale and shift and keeps running statistics for evaluation. */

import { checkBoolean, checkInt, checkNumber, checkOptions } from '../base/check.js'
import { shapeError } from '../base/errors.js'
import { shapeText, sizeOf } from '../ops/spec.js'
import { checkTensor, type Tensor, writableData } from '../tensor/index.js'
import { Module, type Parameter } from './module.js'
import { filled, newBuffer } from './new_tensors.js'

/** Options of `BatchNorm1d`. */
export interface BatchNorm1dOptions {
  /** Added to the variance. Default 1e-5. */
  eps?: number
  /** Share of each batch in the running statistics; null: their plain mean over all batches. Default 0.1. */
  momentum?: number | null
  /** Learn a scale and a shift per channel. Default true. */
  affine?: boolean
  /** Keep running statistics for evaluation; else every batch is normalised by its own. Default true. */
  trackRunningStats?: boolean
}

/**
 * `(x - mean) / √(var + eps) · weight + bias` per channel: x [rows, channels] or [rows, channels, length]. In training by
 * the batch's mean and biased variance, which the running ones (unbiased variance) take a share of; in evaluation by those.
 *
 * ```ts
 * const block = new nn.Sequential(new nn.Linear(64, 32), new nn.BatchNorm1d(32), new nn.ReLU())
 * ```
 * Throws ERR_SHAPE for other shapes, and in training for a single value per channel, as in a batch of one row.
 * Source: Ioffe and Szegedy (2015); torch.nn.BatchNorm1d.
 */
export class BatchNorm1d extends Module {
  readonly numFeatures: number
  readonly eps: number
  momentum: number | null
  readonly weight: Parameter | null
  readonly bias: Parameter | null
  readonly runningMean: Tensor | null = null
  readonly runningVar: Tensor | null = null
  /** Batches that the running statistics have seen. */
  readonly numBatchesTracked: Tensor | null = null

  constructor(numFeatures: number, options: BatchNorm1dOptions = {}) {
    super()
    const where = 'BatchNorm1d'
    checkOptions(where, options, ['eps', 'momentum', 'affine', 'trackRunningStats'])
    const { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true } = options
    this.numFeatures = checkInt(where, 'numFeatures', numFeatures, { min: 0, max: 2 ** 31 - 1 })
    this.eps = checkNumber(where, 'eps', eps, { min: 0 })
    this.momentum = momentum === null ? null : checkNumber(where, 'momentum', momentum, { min: 0, max: 1 })
    const learned = checkBoolean(where, 'affine', affine)
    this.weight = learned ? filled([numFeatures], 1) : null
    this.bias = learned ? filled([numFeatures], 0) : null
    if (!checkBoolean(where, 'trackRunningStats', trackRunningStats)) return
    this.runningMean = newBuffer([numFeatures], 'float32', 0)
    this.runningVar = newBuffer([numFeatures], 'float32', 1)
    this.numBatchesTracked = newBuffer([], 'int32', 0)
    this.registerBuffer('runningMean', 'running_mean')
    this.registerBuffer('runningVar', 'running_var')
    this.registerBuffer('numBatchesTracked', 'num_batches_tracked')
  }

  /** One value per channel has no variance. */
  override get smallestBatch(): number {
    return 2
  }

  /** Forgets what the running statistics have seen: mean 0, variance 1, no batch. */
  resetRunningStats(): void {
    const where = 'resetRunningStats'
    if (this.runningMean) writableData(where, this.runningMean).fill(0)
    if (this.runningVar) writableData(where, this.runningVar).fill(1)
    if (this.numBatchesTracked) writableData(where, this.numBatchesTracked).fill(0)
  }

  override constructorArguments(): readonly unknown[] {
    const { eps, momentum, weight, runningMean } = this
    return [this.numFeatures, { eps, momentum, affine: weight !== null, trackRunningStats: runningMean !== null }]
  }

  override forward(x: Tensor): Tensor {
    const { weight, bias, runningMean, runningVar, numBatchesTracked: batchesTracked, momentum, eps } = this
    const training = this.training || !runningMean
    checkInput(checkTensor('BatchNorm1d', 'x', x), this.numFeatures, training)
    const running = { runningMean, runningVar, ...(training && { batchesTracked }) }
    return x.batchNorm({ weight, bias, ...running, training, momentum, eps })
  }
}

function checkInput({ shape }: Tensor, numFeatures: number, training: boolean): void {
  const where = 'BatchNorm1d'
  if (shape.length !== 2 && shape.length !== 3) {
    throw shapeError(where, 'x to have shape [rows, channels] or [rows, channels, length]', shapeText(shape))
  }
  if (shape[1] !== numFeatures) {
    throw shapeError(where, `x.shape[1] to equal numFeatures (${numFeatures})`, String(shape[1]))
  }
  if (training && sizeOf(shape) <= numFeatures) {
    const received = `x of shape ${shapeText(shape)}; dropLast leaves out a last batch of one row`
    throw shapeError(where, 'more than 1 value per channel in training', received)
  }
}
