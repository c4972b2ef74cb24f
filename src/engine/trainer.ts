/** What trains a model batch by batch: the tape on an emitter, or a library to compare with. Not here: the loop. */

import type { Tensor } from '../tensor/index.js'
import type { Batch } from './batch.js'
import type { TrainingOptions } from './options.js'

/** What came out of one batch. */
export interface BatchResult {
  readonly loss: number
  /** The model's output. */
  readonly prediction: Tensor
}

/** Trains a model, with weights of its own or with the model's. */
export interface Trainer {
  /** Forward, loss, backward: the gradient of one of the `parts` batches of an update (default 1) adds to the others'. */
  gradients(batch: Batch, parts?: number): BatchResult
  /** From now on throws NotFinite where a step makes a value that is not finite, and leaves everything as before that step. */
  checkFinite?(): void
  /** The update by the gradients since the last one, with the rates of the optimizer's groups now. */
  update(): void
  /** Forward and loss. */
  evaluate(batch: Batch): BatchResult
  /** Takes the model's weights. */
  load(): void
  /** Gives the model its weights. */
  read(): void
  dispose(): void
}

/** What a trainer needs besides the model. */
export type Training = Pick<TrainingOptions, 'loss' | 'optimizer' | 'clipGradNorm' | 'metrics'>
