/** Training with TensorFlow.js: a model of ours, its forward pass on its kernels, its gradients and its optimizer. */

import { AnnealError } from '../../base/errors.js'
import type { Buf } from '../../emitters/emitter.js'
import { type Batch, forward } from '../../engine/batch.js'
import type { Model } from '../../engine/options.js'
import type { BatchResult, Trainer, Training } from '../../engine/trainer.js'
import type { Optimizer } from '../../optim/index.js'
import { noGrad, Tensor } from '../../tensor/index.js'
import { withEmitter } from '../../tensor/tape.js'
import type { Updater } from '../backend.js'
import { Box, type Enter, TfEmitter } from './kernels.js'
import { setRate, tfOptimizer } from './optimizers.js'
import type { Tf, TfTensor, TfVariable } from './types.js'

/** Our tensors as variables of TensorFlow.js; matrices are kept as its layers keep weights, [in, out]. */
class Variables {
  readonly #pairs: readonly (readonly [Tensor, TfVariable])[]
  readonly byBuffer: ReadonlyMap<Buf, TfVariable>

  constructor(
    private readonly tf: Tf,
    parameters: readonly Tensor[],
  ) {
    this.#pairs = parameters.map(p => [p, tf.tidy(() => tf.variable(this.#values(p)))] as const)
    this.byBuffer = new Map(this.#pairs.map(([p, variable]) => [p.buf, variable]))
  }

  get list(): TfVariable[] {
    return this.#pairs.map(([, variable]) => variable)
  }

  load(): void {
    this.tf.tidy(() => {
      for (const [p, variable] of this.#pairs) variable.assign(this.#values(p))
    })
  }

  read(): void {
    this.tf.tidy(() => {
      for (const [p, variable] of this.#pairs) p.values.set(this.#turned(variable).dataSync())
    })
  }

  /** Gradients by the variables' names. */
  gradients(): Record<string, TfTensor> {
    const pairs = this.#pairs.filter(([p]) => p.grad)
    return Object.fromEntries(pairs.map(([p, { name }]) => [name, this.tf.tidy(() => this.#values(p.grad!))]))
  }

  #values(p: Tensor): TfTensor {
    return this.#turned(this.tf.tensor(p.values as Float32Array, [...p.shape]))
  }

  #turned(t: TfTensor): TfTensor {
    return t.shape.length === 2 ? this.tf.transpose(t) : t
  }
}

const parametersOf = (optimizer: Optimizer) => optimizer.paramGroups.flatMap(group => group.params)

export function makeUpdater(tf: Tf, enter: Enter, optimizer: Optimizer): Updater {
  return enter(() => {
    const updates = tfOptimizer(tf, optimizer)
    const variables = new Variables(tf, parametersOf(optimizer))
    const smallest = variables.list.reduce((a, b) => (b.size < a.size ? b : a))
    let gradients: Record<string, TfTensor> = {}
    return {
      load() {
        tf.dispose(Object.values(gradients))
        gradients = enter(() => variables.gradients())
      },
      step: () =>
        enter(() => {
          setRate(updates, optimizer.paramGroups[0].lr)
          updates.applyGradients(gradients)
          smallest.dataSync()
        }),
      read: () => enter(() => variables.read()),
      dispose() {
        tf.dispose([...variables.list, ...Object.values(gradients)])
        updates.dispose()
      },
    }
  })
}

function boxed({ buf }: Tensor, what: string): TfTensor {
  if (buf instanceof Box && buf.tensor) return buf.tensor
  throw new AnnealError('ERR_BACKEND', `tfjs: expected the ${what} to be computed from the batch`)
}

export function makeTrainer(tf: Tf, enter: Enter, model: Model, training: Training): Trainer {
  const { loss, optimizer, clipGradNorm } = training
  if (clipGradNorm !== undefined)
    throw new AnnealError('ERR_BACKEND', 'tfjs: expected no clipGradNorm, which it has not')
  const trained = new Set(parametersOf(optimizer))
  if (model.parameters().some(p => !trained.has(p)))
    throw new AnnealError('ERR_BACKEND', "tfjs: expected the optimizer to hold all of the model's parameters")
  return enter(() => new TfTrainer(tf, enter, model, loss, optimizer))
}

class TfTrainer implements Trainer {
  readonly #updates
  readonly #variables: Variables
  readonly #emitter: TfEmitter
  /** Of the batches since the last update, by the variables' names. */
  #gradients: Record<string, TfTensor> = {}

  constructor(
    private readonly tf: Tf,
    private readonly enter: Enter,
    private readonly model: Model,
    private readonly loss: Training['loss'],
    private readonly optimizer: Optimizer,
  ) {
    this.#updates = tfOptimizer(tf, optimizer)
    this.#variables = new Variables(tf, parametersOf(optimizer))
    this.#emitter = new TfEmitter(tf, this.#variables.byBuffer)
  }

  gradients(batch: Batch, parts = 1): BatchResult {
    return this.enter(() =>
      this.#result(loss => {
        const { value, grads } = this.#updates.computeGradients(() => loss(batch), this.#variables.list)
        this.#collect(grads, parts)
        return value
      }),
    )
  }

  update(): void {
    this.enter(() => {
      setRate(this.#updates, this.optimizer.paramGroups[0].lr)
      this.#updates.applyGradients(this.#gradients)
      this.#dropGradients()
    })
  }

  evaluate(batch: Batch): BatchResult {
    return this.enter(() => this.#result(loss => loss(batch)))
  }

  load(): void {
    this.enter(() => this.#variables.load())
    this.#dropGradients()
  }

  read(): void {
    this.enter(() => this.#variables.read())
  }

  dispose(): void {
    this.#dropGradients()
    this.tf.dispose(this.#variables.list)
    this.#updates.dispose()
  }

  #collect(grads: Readonly<Record<string, TfTensor>>, parts: number): void {
    const { tf } = this
    for (const [name, grad] of Object.entries(grads)) {
      const share = parts === 1 ? grad : tf.div(grad, parts)
      const before = this.#gradients[name]
      this.#gradients[name] = tf.keep(before ? tf.add(before, share) : share)
      before?.dispose()
    }
  }

  #dropGradients(): void {
    this.tf.dispose(Object.values(this.#gradients))
    this.#gradients = {}
  }

  /** Runs `compute`, which may ask for the loss of a batch, and reads what came out. */
  #result(compute: (loss: (batch: Batch) => TfTensor) => TfTensor): BatchResult {
    const { tf } = this
    return tf.tidy(() => {
      let output: { kept: TfTensor; shape: readonly number[] } | undefined
      const loss = compute(batch => {
        const { prediction, value } = withEmitter(this.#emitter, () =>
          noGrad(() => forward(this.model, this.loss, batch)),
        )
        output = { kept: tf.keep(boxed(prediction, 'prediction').clone()), shape: prediction.shape }
        return boxed(value, 'loss')
      })
      const { kept, shape } = output!
      const result = { loss: loss.dataSync()[0], prediction: new Tensor(shape, 'float32', kept.dataSync()) }
      kept.dispose()
      return result
    })
  }
}
