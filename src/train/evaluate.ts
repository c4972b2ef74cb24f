/** `evaluate` and `predict`: a model's numbers without training it. */

import { checkInt, checkOptions } from '../base/check.js'
import { bothWays, type Place, type Steps, toEventLoop } from '../base/drive.js'
import { AnnealError, phrase, rangeError, shapeError, typeError } from '../base/errors.js'
import { DataLoader } from '../data/index.js'
import { concatRows, rowsOf } from '../data/rows.js'
import { type Batch, firstForward } from '../engine/batch.js'
import { evaluateBatch } from '../engine/eager_trainer.js'
import { meanLoss } from '../engine/engine.js'
import { evaluateAll } from '../engine/loop_engine.js'
import { checkLoss, checkModel, checkPlace, checkWeighing, type Model } from '../engine/options.js'
import { inEvalMode } from '../engine/state.js'
import type { BatchResult } from '../engine/trainer.js'
import type { Loss } from '../nn/index.js'
import { shapeText, sizeOf } from '../ops/spec.js'
import { checkAttached, noGrad, Tensor } from '../tensor/index.js'

/** Result of `evaluate`. */
export interface Evaluation {
  /** Unweighted mean of the batch losses. */
  loss: number
  /** Share of correct rows; absent for regression. */
  accuracy?: number
  /** Rows seen, or labels where a row has several, without those with the label that is ignored. */
  count: number
}

/** Evaluates batches; the first one shows whether the model takes all its inputs. */
function evaluator(model: Model, loss: Loss): (batch: Batch) => BatchResult {
  let first = true
  return batch => {
    const evaluate = (inputs: readonly Tensor[]) => evaluateBatch(model, loss, { ...batch, inputs })
    if (!first) return evaluate(batch.inputs)
    first = false
    return firstForward(model, batch.inputs, evaluate)
  }
}

function* evaluateSteps(place: Place, model: Model, loader: DataLoader, loss: Loss): Steps<Evaluation> {
  checkModel('evaluate', model)
  if (!(loader instanceof DataLoader)) throw typeError('evaluate', 'loader to be a DataLoader', loader)
  checkPlace('evaluate', place, loader)
  checkLoss('evaluate', loss)
  checkWeighing('evaluate', loss, loader)
  if (loader.length === 0) throw new AnnealError('ERR_EMPTY', 'evaluate: expected at least one batch but received none')
  const sums = yield* evaluateAll(model, loader, loss, evaluator(model, loss))
  const { rows, correct } = sums
  return { loss: meanLoss(sums), ...(loss.classifies && { accuracy: correct / rows }), count: rows }
}

/**
 * Mean batch loss and accuracy of a model over a loader, in evaluation mode. The last tensor of a batch is the target.
 *
 * ```ts
 * const { loss, accuracy } = await evaluate(model, testLoader, new nn.CrossEntropyLoss())
 * ```
 * `evaluate.sync` is the same without leaving the thread.
 */
export const evaluate = bothWays('evaluate', (place, model: Model, loader: DataLoader, loss: Loss) =>
  evaluateSteps(place, model, loader, loss),
)

/** Options of `predict`. */
export interface PredictOptions {
  /** Rows at a time. Default 256. */
  batchSize?: number
}

function checkInputs(x: Tensor | readonly Tensor[]): readonly Tensor[] {
  const inputs = Array.isArray(x) ? x : [x]
  const named = (i: number) => (Array.isArray(x) ? `x[${i}]` : 'x')
  if (inputs.length === 0) throw rangeError('predict', 'x to be a Tensor with rows or several', x)
  const counts = Array.from(inputs, (t, i) => rowsOf('predict', named(i), t))
  const odd = counts.findIndex(count => count !== counts[0])
  if (odd > 0) throw shapeError('predict', `${named(odd)} to have ${counts[0]} rows as x[0]`, `${counts[odd]}`)
  inputs.forEach((t, i) => void checkAttached('predict', t, named(i)))
  return inputs
}

/** Rows `at` to `at + count`, sharing memory. */
function rowsFrom({ shape, dtype, data }: Tensor, at: number, count: number): Tensor {
  const rest = shape.slice(1)
  const width = sizeOf(rest)
  return new Tensor([count, ...rest], dtype, data.subarray(at * width, (at + count) * width))
}

function* predictSteps(model: Model, x: Tensor | readonly Tensor[], options: PredictOptions): Steps<Tensor> {
  checkModel('predict', model)
  const inputs = checkInputs(x)
  checkOptions('predict', options, ['batchSize'])
  const batchSize = checkInt('predict', 'batchSize', options.batchSize ?? 256, { min: 1 })
  const [rows] = inputs[0].shape
  const predictAll = function* () {
    const parts: Tensor[] = []
    const forward = (given: readonly Tensor[]) => noGrad(() => model.forward(...given))
    for (let at = 0; at < rows || parts.length === 0; at += batchSize) {
      const batch = inputs.map(t => rowsFrom(t, at, Math.min(batchSize, rows - at)))
      parts.push(at === 0 ? firstOutput(batch, rows, given => firstForward(model, given, forward)) : forward(batch))
      yield toEventLoop
    }
    return concatRows(parts)
  }
  return yield* inEvalMode(model, predictAll)
}

/** The first batch's output, which must have its rows; a single sample without that dimension is told apart from rows. */
function firstOutput(batch: readonly Tensor[], all: number, forward: (given: readonly Tensor[]) => Tensor): Tensor {
  const [rows] = batch[0].shape
  const maybeSample = rows > 1 && batch.every(t => t.shape.length === 1 && t.dtype === 'float32')
  let cause: unknown
  try {
    const y = forward(batch)
    // Layers take one sample as well, and its outputs would pass for rows: a row by itself tells.
    if (maybeSample) forward(batch.map(t => rowsFrom(t, 0, 1)))
    if (y.shape[0] === rows) return y
    cause = shapeError('predict', `an output for each of ${rows} rows`, `one of shape ${shapeText(y.shape)}`)
  } catch (error) {
    cause = error
  }
  if (!maybeSample || !(cause instanceof AnnealError) || cause.code !== 'ERR_SHAPE') throw cause
  const message = phrase('predict', 'x to have shape [rows, …]', shapeText([all]))
  throw new AnnealError('ERR_SHAPE', `${message}; for one sample add a dimension: x.reshape([1, ${all}])`, { cause })
}

/**
 * The model's output for every row of `x` [rows, ...], or of its inputs side by side, in evaluation mode and in batches.
 *
 * ```ts
 * const logits = await predict(model, x, { batchSize: 256 })
 * const prices = await predict(mixed, [numbers, categories])
 * ```
 * Throws TypeError for what is no Tensor, ERR_SHAPE for inputs that differ in rows or that the model does not take.
 * `predict.sync` is the same without leaving the thread.
 */
export const predict = bothWays(
  'predict',
  (_, model: Model, x: Tensor | readonly Tensor[], options: PredictOptions = {}) => predictSteps(model, x, options),
)
