/** `evaluate` and `predict`: a model's numbers without training it. */

import { checkInt, checkOptions } from '../base/check.js'
import { bothWays, type Place, type Steps, settled, toEventLoop } from '../base/drive.js'
import { AnnealError, phrase, rangeError, shapeError, typeError } from '../base/errors.js'
import { DataLoader, type NarrowColumn } from '../data/index.js'
import { checkRowsAttached, concatRows, type DataColumn, isNarrow, rowsOf } from '../data/rows.js'
import { partOf } from '../emitters/writes.js'
import { type Batch, firstForward } from '../engine/batch.js'
import { evaluateBatch } from '../engine/eager_trainer.js'
import { meanLoss } from '../engine/engine.js'
import { type Inference, inferenceFor } from '../engine/inference.js'
import { evaluateAll } from '../engine/loop_engine.js'
import { checkLoss, checkModel, checkPlace, checkWeighing, type Model } from '../engine/options.js'
import { inEvalMode } from '../engine/state.js'
import type { BatchResult } from '../engine/trainer.js'
import { addon } from '../native/addon.js'
import { cpu } from '../native/cpu.js'
import type { Loss } from '../nn/index.js'
import { shapeText, sizeOf } from '../ops/spec.js'
import { noGrad, Tensor } from '../tensor/index.js'

/** Result of `evaluate`. */
export interface Evaluation {
  /** Unweighted mean of the batch losses. */
  loss: number
  /** Share of correct rows; absent for regression. */
  accuracy?: number
  /** Rows seen, or labels where a row has several, without those with the label that is ignored. */
  count: number
}

/** Evaluates batches, on a plan or by forward, of which the first one shows whether the model takes all its inputs. */
function evaluator(model: Model, loss: Loss): (batch: Batch) => BatchResult {
  let first = true
  return batch => {
    const prediction = predictionOf(model, batch.inputs)
    if (prediction) return evaluateBatch(model, loss, batch, prediction)
    const evaluate = (inputs: readonly Tensor[]) => evaluateBatch(model, loss, { ...batch, inputs })
    if (!first) return evaluate(batch.inputs)
    first = false
    return firstForward(model, batch.inputs, evaluate)
  }
}

/** The outputs for one batch; null where no plan gives them. */
function predictionOf(model: Model, inputs: readonly Tensor[]): Tensor | null {
  const plan = inferenceFor(model, inputs, inputs[0].shape[0])
  if (!plan) return null
  try {
    return plan.output(inputs, addon.cores)
  } finally {
    plan.release()
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
  /** At most this many threads, for a model of the library's layers. Default: the physical cores; small nets take one. */
  threads?: number
}

function checkInput(name: string, t: DataColumn, rows: number | undefined): number {
  const count = rowsOf('predict', name, t)
  if (rows !== undefined && count !== rows)
    throw shapeError('predict', `${name} to have ${rows} rows as x[0]`, `${count}`)
  checkRowsAttached('predict', t, name)
  return count
}

function checkInputs(x: DataColumn | readonly DataColumn[]): readonly DataColumn[] {
  if (!Array.isArray(x)) {
    checkInput('x', x as DataColumn, undefined)
    return [x as DataColumn]
  }
  if (x.length === 0) throw rangeError('predict', 'x to be a Tensor with rows or several', x)
  let rows: number | undefined
  for (let i = 0; i < x.length; i++) rows = checkInput(`x[${i}]`, x[i], rows)
  return x
}

/** Rows `at` to `at + count`, sharing memory but for those that are widened. */
function rowsFrom(t: DataColumn, at: number, count: number): Tensor {
  if (isNarrow(t)) return t.toTensor(at, at + count)
  const { shape, dtype, values: data } = t
  const rest = shape.slice(1)
  const width = sizeOf(rest)
  return new Tensor([count, ...rest], dtype, partOf(data, at * width, (at + count) * width))
}

/** The inputs as tensors, narrow ones without their values if all that is asked is their form. */
function asTensors(inputs: readonly DataColumn[], valuesOf = (t: NarrowColumn) => t.values): readonly Tensor[] {
  if (!inputs.some(isNarrow)) return inputs as readonly Tensor[]
  return inputs.map(t => (isNarrow(t) ? new Tensor(t.shape, 'float32', valuesOf(t)) : t))
}

const NO_VALUES = new Float32Array(0)

/** Multiplications and additions, about a millisecond of them, from which on rows are worth the way off the thread. */
const WORTH_LEAVING = cpu.perMs

/** The outputs of all rows, by a plan. */
function* plannedSteps(
  place: Place,
  plan: Inference,
  inputs: readonly DataColumn[],
  { batchSize, threads }: Required<PredictOptions>,
): Steps<Tensor> {
  const [rows] = inputs[0].shape
  const leaves = (count: number) => place === 'auto' && plan.work * count >= WORTH_LEAVING
  if (rows <= batchSize && !leaves(rows)) return plan.output(asTensors(inputs), threads)
  const width = sizeOf(plan.rest)
  const output = new Float32Array(rows * width)
  for (let at = 0; at < rows; at += batchSize) {
    const count = Math.min(batchSize, rows - at)
    const values = inputs.map(t => rowsFrom(t, at, count).values)
    const into = output.subarray(at * width, (at + count) * width)
    if (leaves(count)) yield* settled(plan.runAsync(count, values, into, threads))
    else plan.run(count, values, into, threads)
    yield toEventLoop
  }
  return new Tensor([rows, ...plan.rest], 'float32', output)
}

function* predictSteps(
  place: Place,
  model: Model,
  x: DataColumn | readonly DataColumn[],
  options: PredictOptions,
): Steps<Tensor> {
  checkModel('predict', model)
  const inputs = checkInputs(x)
  checkOptions('predict', options, ['batchSize', 'threads'])
  const batchSize = checkInt('predict', 'batchSize', options.batchSize ?? 256, { min: 1 })
  const threads = checkInt('predict', 'threads', options.threads ?? addon.cores, { min: 1, max: 1024 })
  const [rows] = inputs[0].shape
  const forms = asTensors(inputs, () => NO_VALUES)
  const plan = inferenceFor(model, forms, Math.min(rows, batchSize))
  if (plan) {
    try {
      return yield* plannedSteps(place, plan, inputs, { batchSize, threads })
    } finally {
      plan.release()
    }
  }
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
 * The model's output for every row of `x` [rows, ...], a tensor or a `data.column`, or of its inputs side by side, in
 * evaluation mode and in batches.
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
  (place, model: Model, x: DataColumn | readonly DataColumn[], options: PredictOptions = {}) =>
    predictSteps(place, model, x, options),
)
