/** Batches as models and losses take them. Not here: which rows they hold (data/). */

import { type Steps, settled } from '../base/drive.js'
import { AnnealError, phrase } from '../base/errors.js'
import { partsOf, type SampleParts } from '../data/columns.js'
import type { Batches } from '../data/data_loader.js'
import { type DataLoader, StreamTable } from '../data/index.js'
import type { Loss } from '../nn/index.js'
import { Tensor } from '../tensor/index.js'
import { checkWeighing, type Model } from './options.js'

/** A batch's tensors by what they are for. */
export type Batch = SampleParts

/** The last tensor of a sample is the target; one alone is an input, which is enough for a loss that needs no target. */
export function batchOf(tensors: readonly Tensor[], loss: Loss, weighted = false): Batch {
  checkWeighing('DataLoader', loss, { weighted }) // a callback may have changed the data set
  const batch = partsOf(tensors, weighted)
  if (batch.inputs.length === 0 || (!batch.target && (loss.needsTarget !== false || loss.classifies))) {
    const expected = `samples of inputs and a target, which ${loss.constructor.name} needs,`
    throw new AnnealError(
      'ERR_SHAPE',
      phrase('DataLoader', expected, `${tensors.length} tensor${tensors.length ? '' : 's'}`),
    )
  }
  return batch
}

/** One pass over a loader. */
export function batchesOf(loader: DataLoader): Batches {
  return loader.dataset instanceof StreamTable ? loader[Symbol.asyncIterator]() : loader[Symbol.iterator]()
}

/** Calls `use` with every batch, waiting for a stream's. */
export function* eachBatch(batches: Batches, use: (tensors: readonly Tensor[]) => Steps<void>): Steps<void> {
  const next = () => settled<IteratorResult<Tensor[]>>(batches.next())
  try {
    for (let batch = yield* next(); !batch.done; batch = yield* next()) yield* use(batch.value)
  } finally {
    // a stream's files are closed, also where training ends early
    Promise.resolve(batches.return?.()).catch(() => {})
  }
}

/** The loss of a batch's predictions. */
export function lossOf(loss: Loss, prediction: Tensor, { target, weight }: Batch): Tensor {
  if (weight) return loss.forward(prediction, target, weight)
  return target ? loss.forward(prediction, target) : loss.forward(prediction)
}

/** The model's output for a batch, and its loss. */
export function forward(model: Model, loss: Loss, batch: Batch): { prediction: Tensor; value: Tensor } {
  const prediction = model.forward(...batch.inputs)
  return { prediction, value: lossOf(loss, prediction, batch) }
}

/** Whether no sample of a batch counts: its loss is 0/0, and it makes no update. */
export function weighsNothing({ weight }: Batch): boolean {
  return weight !== undefined && !weight.values.some(w => w > 0)
}

/** The same tensor, which tells when its values are asked for. */
function watched({ shape, dtype, buf }: Tensor, seen: () => void): Tensor {
  const get = () => {
    seen()
    return buf
  }
  return Object.defineProperty(new Tensor(shape, dtype, buf), 'buf', { get })
}

/**
 * Runs the first forward on some inputs, refusing as many as the model does not take. Its `length` alone proves nothing,
 * as it leaves out defaults and rest parameters: an input beyond it is refused where nothing reads it.
 */
export function firstForward<T>(model: Model, inputs: readonly Tensor[], run: (inputs: readonly Tensor[]) => T): T {
  const { length } = model.forward
  const refused = (received: string, cause?: unknown) => {
    const expected = `${length} input${length === 1 ? '' : 's'}, all tensors of a sample but its target,`
    return new AnnealError('ERR_SHAPE', phrase(`${model.constructor.name}.forward`, expected, received), { cause })
  }
  const unread = new Set<number>()
  const given = inputs.map((t, i) => {
    if (i < length) return t
    unread.add(i)
    return watched(t, () => unread.delete(i))
  })
  try {
    const result = run(given)
    if (unread.size > 0) throw refused(`${inputs.length}, of which nothing reads number ${Math.min(...unread) + 1}`)
    return result
  } catch (error) {
    if (inputs.length < length && error instanceof TypeError) throw refused(`${inputs.length}`, error)
    throw error
  }
}
