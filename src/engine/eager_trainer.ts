/** Training through the tape, in the model's own tensors. The plan must give the same bits. Not here: the loop. */

import { nativeEmitter } from '../emitters/native.js'
import type { RunNow } from '../emitters/run_now.js'
import type { Loss } from '../nn/index.js'
import { clipGradNorm } from '../nn/utils.js'
import { noGrad, Tensor, tensor } from '../tensor/index.js'
import { withEmitter } from '../tensor/tape.js'
import { type Batch, forward, lossOf } from './batch.js'
import { FiniteChecks, hasLoss } from './finite.js'
import type { Model } from './options.js'
import { dropGradients } from './state.js'
import type { BatchResult, Trainer, Training } from './trainer.js'

/** A batch whose gradients wait for the update, and its loss. */
interface Part {
  readonly batch: Batch
  readonly value: Tensor
}

function meanOf(values: readonly Tensor[]): Tensor {
  return values.length === 1 ? values[0] : tensor(values.reduce((sum, value) => sum + value.item(), 0) / values.length)
}

/** A batch's loss and prediction, which may be known, without gradients. */
export function evaluateBatch(model: Model, loss: Loss, batch: Batch, known?: Tensor): BatchResult {
  return noGrad(() => {
    const prediction = known ?? model.forward(...batch.inputs)
    return { loss: lossOf(loss, prediction, batch).item(), prediction }
  })
}

/** Trains on the native kernels, or on what another emitter computes with. */
export class EagerTrainer implements Trainer {
  /** The batches since the last update. */
  #parts: Part[] = []
  #checks: FiniteChecks | null = null

  constructor(
    private readonly model: Model,
    private readonly training: Training,
    private readonly emitter: RunNow = nativeEmitter,
  ) {}

  gradients(batch: Batch, parts = 1): BatchResult {
    return withEmitter(this.emitter, () => {
      const pass = () => this.#backward(batch, parts)
      const { loss } = this.training
      const { prediction, value } = this.#checks ? this.#checks.pass(pass, () => hasLoss(loss, batch.target)) : pass()
      this.#parts.push({ batch, value })
      return { loss: value.item(), prediction }
    })
  }

  checkFinite(): void {
    this.#checks ??= new FiniteChecks(this.model, this.training.optimizer)
  }

  update(): void {
    const step = () => {
      withEmitter(this.emitter, () => this.training.optimizer.step(this.#closure(this.#parts)))
    }
    if (this.#checks) this.#checks.update(step)
    else step()
    this.load()
  }

  evaluate(batch: Batch): BatchResult {
    return withEmitter(this.emitter, () => evaluateBatch(this.model, this.training.loss, batch))
  }

  /** The weights are the model's own; gradients that others left there are dropped. */
  load(): void {
    this.#parts = []
    dropGradients(this.model, this.training.optimizer)
  }

  read(): void {}

  dispose(): void {
    this.load()
  }

  #backward(batch: Batch, parts: number): { prediction: Tensor; value: Tensor } {
    const result = forward(this.model, this.training.loss, batch)
    const { shape } = result.value
    result.value.backward(parts === 1 ? undefined : new Tensor(shape, 'float32', this.emitter.constant([1 / parts])))
    return result
  }

  /** The mean loss of the parts and its gradients, which are there already when it is called first. */
  #closure(parts: readonly Part[]): () => Tensor {
    const { optimizer, clipGradNorm: clip } = this.training
    let known = true
    return () => {
      if (!known) dropGradients(this.model, optimizer)
      const values = parts.map(({ batch, value }) => (known ? value : this.#backward(batch, parts.length).value))
      known = false
      const parameters = optimizer.paramGroups.flatMap(({ params }) => params)
      if (clip !== undefined) clipGradNorm(parameters, clip)
      return meanOf(values)
    }
  }
}
