/** `evaluate` and `predict`: a model's numbers without training it. */

import { checkInt, checkOptions } from '../base/check.js'
import { driveAsync, driveSync, type Steps, toEventLoop } from '../base/drive.js'
import { AnnealError, typeError } from '../base/errors.js'
import { DataLoader } from '../data/index.js'
import { evaluateBatch } from '../engine/eager_trainer.js'
import { evaluateAll } from '../engine/loop_engine.js'
import { checkLoss, checkModel, type Model } from '../engine/options.js'
import { inEvalMode } from '../engine/state.js'
import type { Loss } from '../nn/index.js'
import { sizeOf } from '../ops/spec.js'
import { noGrad, Tensor } from '../tensor/index.js'

/** Result of `evaluate`. */
export interface Evaluation {
  /** Unweighted mean of the batch losses. */
  loss: number
  /** Share of correct rows; absent for regression. */
  accuracy?: number
  /** Rows seen; labels, where a row has several. */
  count: number
}

function* evaluateSteps(model: Model, loader: DataLoader, loss: Loss): Steps<Evaluation> {
  checkModel('evaluate', model)
  if (!(loader instanceof DataLoader)) throw typeError('evaluate', 'loader to be a DataLoader', loader)
  checkLoss('evaluate', loss)
  if (loader.length === 0) throw new AnnealError('ERR_EMPTY', 'evaluate: expected at least one batch but received none')
  const {
    loss: sum,
    batches,
    rows,
    correct,
  } = yield* evaluateAll(model, loader, loss, batch => evaluateBatch(model, loss, batch))
  return { loss: sum / batches, ...(loss.classifies && { accuracy: correct / rows }), count: rows }
}

/**
 * Mean batch loss and accuracy of a model over a loader, in evaluation mode.
 *
 * ```ts
 * const { loss, accuracy } = await evaluate(model, testLoader, new nn.CrossEntropyLoss())
 * ```
 * `evaluate.sync` is the same without leaving the thread.
 */
export const evaluate = Object.assign(
  async (model: Model, loader: DataLoader, loss: Loss): Promise<Evaluation> =>
    driveAsync(evaluateSteps(model, loader, loss)),
  {
    sync: (model: Model, loader: DataLoader, loss: Loss) =>
      driveSync('evaluate.sync', evaluateSteps(model, loader, loss)),
  },
)

/** Options of `predict`. */
export interface PredictOptions {
  /** Rows at a time. Default 256. */
  batchSize?: number
}

function* predictSteps(model: Model, x: Tensor, options: PredictOptions): Steps<Tensor> {
  checkModel('predict', model)
  if (!(x instanceof Tensor) || x.shape.length === 0) throw typeError('predict', 'x to be a Tensor with rows', x)
  checkOptions('predict', options, ['batchSize'])
  const batchSize = checkInt('predict', 'batchSize', options.batchSize ?? 256, { min: 1 })
  const [rows, ...rest] = x.shape
  return yield* inEvalMode(model, function* () {
    const parts: Tensor[] = []
    for (let at = 0; at < rows || parts.length === 0; at += batchSize) {
      const count = Math.min(batchSize, rows - at)
      const values = x.data.subarray(at * sizeOf(rest), (at + count) * sizeOf(rest))
      parts.push(noGrad(() => model.forward(new Tensor([count, ...rest], x.dtype, values))))
      yield toEventLoop
    }
    return joinRows(parts)
  })
}

function joinRows(parts: readonly Tensor[]): Tensor {
  const [first] = parts
  const rows = parts.reduce((sum, part) => sum + part.shape[0], 0)
  const shape = [rows, ...first.shape.slice(1)]
  const values = first.dtype === 'int32' ? new Int32Array(sizeOf(shape)) : new Float32Array(sizeOf(shape))
  let at = 0
  for (const part of parts) {
    values.set(part.data, at)
    at += part.size
  }
  return new Tensor(shape, first.dtype, values)
}

/**
 * The model's output for every row of `x` [rows, ...], in evaluation mode and in batches.
 *
 * ```ts
 * const logits = await predict(model, x, { batchSize: 256 })
 * ```
 * `predict.sync` is the same without leaving the thread.
 */
export const predict = Object.assign(
  async (model: Model, x: Tensor, options: PredictOptions = {}): Promise<Tensor> =>
    driveAsync(predictSteps(model, x, options)),
  {
    sync: (model: Model, x: Tensor, options: PredictOptions = {}) =>
      driveSync('predict.sync', predictSteps(model, x, options)),
  },
)
