/** Batches as models and losses take them. Not here: which rows they hold (data/). */

import type { Loss } from '../nn/index.js'
import type { Tensor } from '../tensor/index.js'
import type { Model } from './options.js'

/** A batch's tensors by what they are for. */
export interface Batch {
  readonly inputs: readonly Tensor[]
  readonly target: Tensor
}

/** The last tensor of a sample is the target, all before it are inputs. */
export function batchOf(tensors: readonly Tensor[]): Batch {
  return { inputs: tensors.slice(0, -1), target: tensors[tensors.length - 1] }
}

/** The model's output for a batch, and its loss. */
export function forward(model: Model, loss: Loss, { inputs, target }: Batch): { prediction: Tensor; value: Tensor } {
  const prediction = model.forward(...inputs)
  return { prediction, value: loss.forward(prediction, target) }
}
