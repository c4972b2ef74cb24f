/** Training with TensorFlow.js: a model of ours, its forward pass on its kernels, its gradients and its optimizer. */

import { AnnealError } from '../../base/errors.js'
import type { Buf } from '../../emitters/emitter.js'
import type { Optimizer } from '../../optim/index.js'
import { noGrad, type Tensor } from '../../tensor/index.js'
import { withEmitter } from '../../tensor/tape.js'
import type { Model } from '../../train/options.js'
import type { BatchResult, Trainer, Training, Updater } from '../backend.js'
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
      for (const [p, variable] of this.#pairs) p.data.set(this.#turned(variable).dataSync())
    })
  }

  /** Gradients by the variables' names. */
  gradients(): Record<string, TfTensor> {
    const pairs = this.#pairs.filter(([p]) => p.grad)
    return Object.fromEntries(pairs.map(([p, { name }]) => [name, this.tf.tidy(() => this.#values(p.grad!))]))
  }

  #values(p: Tensor): TfTensor {
    return this.#turned(this.tf.tensor(p.data as Float32Array, [...p.shape]))
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

export function makeTrainer(tf: Tf, enter: Enter, model: Model, { loss, optimizer }: Training): Trainer {
  const trained = new Set(parametersOf(optimizer))
  if (model.parameters().some(p => !trained.has(p)))
    throw new AnnealError('ERR_BACKEND', "tfjs: expected the optimizer to hold all of the model's parameters")
  return enter(() => new TfTrainer(tf, enter, model, loss, optimizer))
}

class TfTrainer implements Trainer {
  readonly #updates
  readonly #variables: Variables
  readonly #emitter: TfEmitter

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

  step(x: Tensor, y: Tensor): BatchResult {
    return this.enter(() => {
      setRate(this.#updates, this.optimizer.paramGroups[0].lr)
      return this.#result(forward => this.#updates.minimize(() => forward(x, y), true, this.#variables.list)!)
    })
  }

  evaluate(x: Tensor, y: Tensor): BatchResult {
    return this.enter(() => this.#result(forward => forward(x, y)))
  }

  load(): void {
    this.enter(() => this.#variables.load())
  }

  read(): void {
    this.enter(() => this.#variables.read())
  }

  dispose(): void {
    this.tf.dispose(this.#variables.list)
    this.#updates.dispose()
  }

  /** Runs `compute` on the forward pass and reads what came out. */
  #result(compute: (forward: (x: Tensor, y: Tensor) => TfTensor) => TfTensor): BatchResult {
    const { tf } = this
    return tf.tidy(() => {
      let prediction: TfTensor | undefined
      const value = compute((x, y) => {
        const [output, result] = this.#forward(x, y)
        prediction = tf.keep(boxed(output, 'prediction').clone())
        return boxed(result, 'loss')
      })
      const result = { loss: value.dataSync()[0], prediction: prediction!.dataSync() }
      prediction!.dispose()
      return result
    })
  }

  #forward(x: Tensor, y: Tensor): [prediction: Tensor, loss: Tensor] {
    return withEmitter(this.#emitter, () =>
      noGrad(() => {
        const prediction = this.model.forward(x)
        return [prediction, this.loss.forward(prediction, y)]
      }),
    )
  }
}
