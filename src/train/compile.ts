/** `compile`: the plan of a model by itself, to look at and to run. `fit` makes the same plan on its own. */

import { checkInt, checkNumber, checkOneOf, checkOptions } from '../base/check.js'
import { type Both, bothWays, type Steps } from '../base/drive.js'
import { AnnealError, rangeError, typeError } from '../base/errors.js'
import { DataLoader } from '../data/index.js'
import { Unplannable } from '../emitters/emitter.js'
import type { Dispatch } from '../engine/chunks.js'
import { checkModel, checkTrainer, type Model } from '../engine/options.js'
import { PlanEngine } from '../engine/plan_engine.js'
import { recordTraining } from '../engine/record_step.js'
import { keepState } from '../engine/state.js'
import { UpdateScalars } from '../engine/update_scalars.js'
import type { Loss } from '../nn/index.js'
import { sizeOf } from '../ops/spec.js'
import type { Optimizer } from '../optim/index.js'
import { Placement } from '../plan/compiled.js'
import { Memory } from '../plan/program.js'
import { Recorder } from '../plan/recorder.js'
import { noGrad, Tensor } from '../tensor/index.js'
import { withEmitter } from '../tensor/tape.js'
import { describeProgram, type Names } from './describe.js'
import { fitSteps } from './fit.js'
import type { History } from './history.js'

/** A column of a data set that the model reads, without its rows. */
export interface InputForm {
  /** Shape of one row. */
  shape: readonly number[]
  /** Default float32; an Embedding takes int32. */
  dtype?: 'float32' | 'int32'
}

/** Options of `compile`. */
export interface CompileOptions {
  /** Rows of a batch. */
  batchSize: number
  /** The model's inputs in order. Default: one, `[inFeatures]` of the first layer that has it. */
  inputs?: readonly InputForm[]
}

/** Options of a compiled plan's `run`. */
export interface RunOptions {
  /** Passes over the loader. */
  epochs: number
  /** Sets the learning rate of every parameter group before the first update. Default: the rates as they are. */
  lr?: number
}

/** What `compile` returns. */
export interface Plan {
  /** Trains on a loader of batches of the plan's size, with the numbers of `fit`. `run.sync` does not leave the thread. */
  readonly run: Both<[loader: DataLoader, options: RunOptions], History>
  /** The program of a full batch as text: kernels, shapes, bytes, fusions. */
  describe(): string
}

/** A model with everything that a training step depends on. */
interface Subject {
  readonly model: Model
  readonly loss: Loss
  readonly optimizer: Optimizer
  readonly batchSize: number
  readonly inputs: readonly Required<InputForm>[]
}

function unplannable(reason: string): AnnealError {
  return new AnnealError('ERR_STATE', `compile: expected what a plan can express but received this: ${reason}`)
}

function refusing<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw error instanceof Unplannable ? unplannable(error.message) : error
  }
}

function inputsOf(model: Model, given: unknown): Required<InputForm>[] {
  const where = 'compile'
  if (given === undefined) return [{ shape: firstFeatures(model), dtype: 'float32' }]
  if (!Array.isArray(given)) throw typeError(where, 'inputs to be an array', given)
  if (given.length === 0) throw rangeError(where, 'inputs to have at least one', given)
  return given.map((input, i) => {
    const { shape, dtype = 'float32' } = checkOptions<InputForm>(where, input, ['shape', 'dtype'])
    if (!Array.isArray(shape)) throw typeError(where, `inputs[${i}].shape to be an array`, shape)
    const sizes = shape.map((size, d) => checkInt(where, `inputs[${i}].shape[${d}]`, size, { min: 0 }))
    return { shape: sizes, dtype: checkOneOf(where, `inputs[${i}].dtype`, dtype, ['float32', 'int32']) }
  })
}

function firstFeatures(model: Model): readonly number[] {
  for (const module of model.modules()) {
    const { inFeatures } = module as { inFeatures?: unknown }
    if (typeof inFeatures === 'number') return [inFeatures]
  }
  throw typeError('compile', 'inputs, as no layer has inFeatures', undefined)
}

/** Columns of a batch's form, without values; the target last, where the loss needs one. */
function standIns({ model, loss, batchSize, inputs }: Subject): Tensor[] {
  const empty = (shape: readonly number[], dtype: 'float32' | 'int32') =>
    new Tensor(shape, dtype, { length: sizeOf(shape) })
  const columns = inputs.map(({ shape, dtype }) => empty([batchSize, ...shape], dtype))
  if (loss.classifies) return [...columns, empty([batchSize], 'int32')]
  if (!loss.needsTarget) return columns
  const r = new Recorder()
  const recorded = columns.map(({ shape, dtype, size }) => new Tensor(shape, dtype, r.alloc(dtype, size)))
  const { shape } = withEmitter(r, () => noGrad(() => model.forward(...recorded)))
  return [...columns, empty(shape, 'float32')]
}

/** What the columns are called: `x` and `y`, or `x1`, `x2` … and `y`. */
function columnNames(inputs: number): string[] {
  return [...(inputs === 1 ? ['x'] : Array.from({ length: inputs }, (_, i) => `x${i + 1}`)), 'y']
}

/** What the arrays of the recording are called: parameters and buffers by their names, state by PyTorch's keys. */
function namesOf({ model, optimizer, inputs }: Subject, { arrays }: Memory): Names {
  const named = new Map<unknown, string>()
  for (const [name, t] of [...model.namedParameters(), ...model.namedBuffers()]) named.set(t.buf, name)
  for (const [p, { tensors }] of optimizer.state) {
    for (const [key, t] of Object.entries(tensors)) named.set(t.buf, `${named.get(p.buf) ?? 'parameter'}.${key}`)
  }
  const memory = new Map(arrays.flatMap((array, i) => (named.has(array) ? [[i, named.get(array)!] as const] : [])))
  return { memory, columns: columnNames(inputs.length) }
}

/** Records a step, leaving everything as it was, and describes it. */
function describe(subject: Subject): string {
  const { model, optimizer, batchSize } = subject
  const restore = keepState(model, { optimizer })
  const memory = new Memory()
  try {
    model.train()
    const columns = { tensors: standIns(subject) }
    const recorded = recordTraining(model, subject, columns, [batchSize], new UpdateScalars(optimizer), memory)
    const recording = { ...recorded, dataSet: 0 }
    const text = describeProgram(recording, new Placement([recording]), 0, namesOf(subject, memory))
    return `${model.constructor.name}, ${optimizer.rule.name}, batches of ${batchSize}: ${text}`
  } finally {
    restore()
  }
}

function runSteps(subject: Subject, loader: DataLoader, options: RunOptions, dispatch: Dispatch): Steps<History> {
  const { model, loss, optimizer, batchSize } = subject
  const { epochs, lr } = checkOptions('run', options, ['epochs', 'lr'])
  if (!(loader instanceof DataLoader)) throw typeError('run', 'loader to be a DataLoader', loader)
  if (loader.batchSize !== batchSize) throw rangeError('run', `loader.batchSize to be ${batchSize}`, loader.batchSize)
  if (lr !== undefined) {
    checkNumber('run', 'lr', lr, { min: 0 })
    for (const group of optimizer.paramGroups) group.lr = lr
  }
  const given = { train: loader, loss, optimizer, epochs }
  return fitSteps(model, given, () => refusing(() => new PlanEngine(model, given, dispatch)))
}

/**
 * Compiles a training step (forward, loss, backward, update) for batches of `batchSize` rows. `fit` does so by itself:
 * this is for looking at the program, and for training where anything but the plan would be a mistake.
 *
 * ```ts
 * const plan = compile(model, new nn.CrossEntropyLoss(), optimizer, { batchSize: 32 })
 * console.log(plan.describe())
 * const history = await plan.run(loader, { epochs: 20, lr: 0.01 })
 * ```
 * Throws TypeError or RangeError for arguments, ERR_STATE, with the reason, where no plan can express the model.
 */
export function compile(model: Model, loss: Loss, optimizer: Optimizer, options: CompileOptions): Plan {
  checkModel('compile', model)
  checkOptions('compile', options, ['batchSize', 'inputs'])
  checkTrainer('compile', model, { loss, optimizer })
  const batchSize = checkInt('compile', 'batchSize', options.batchSize, { min: 1 })
  const subject = { model, loss, optimizer, batchSize, inputs: inputsOf(model, options.inputs) }
  refusing(() => describe(subject))
  const run = bothWays('run', (place, loader: DataLoader, given: RunOptions) => runSteps(subject, loader, given, place))
  return { run, describe: () => refusing(() => describe(subject)) }
}
