/** `compile`: the plan of a model by itself, to look at and to run. `fit` makes the same plan on its own. */

import { checkInt, checkNumber, checkOneOf, checkOptions } from '../base/check.js'
import { driveAsync, driveSync, type Steps } from '../base/drive.js'
import { AnnealError, rangeError, typeError } from '../base/errors.js'
import { DataLoader } from '../data/index.js'
import { Unplannable } from '../emitters/emitter.js'
import type { Dispatch } from '../engine/chunks.js'
import { checkModel, checkTrainer, type Model } from '../engine/options.js'
import { PlanEngine } from '../engine/plan_engine.js'
import { type Columns, recordTraining } from '../engine/record_step.js'
import { keepState } from '../engine/state.js'
import { UpdateScalars } from '../engine/update_scalars.js'
import type { Loss } from '../nn/index.js'
import { sizeOf } from '../ops/spec.js'
import type { Optimizer } from '../optim/index.js'
import { Placement } from '../plan/compiled.js'
import { describeProgram, type MemoryNames } from '../plan/describe.js'
import { Memory } from '../plan/program.js'
import { Recorder } from '../plan/recorder.js'
import { noGrad, Tensor } from '../tensor/index.js'
import { withEmitter } from '../tensor/tape.js'
import { fitSteps } from './fit.js'
import type { History } from './history.js'

/** Options of `compile`. */
export interface CompileOptions {
  /** Rows of a batch. */
  batchSize: number
  /** Shape of one row of x. Default: `[inFeatures]` of the first layer that has it. */
  inputShape?: readonly number[]
  /** Type of x. Default float32; an Embedding takes int32. */
  inputDtype?: 'float32' | 'int32'
}

/** Options of a compiled plan's `run`. */
export interface RunOptions {
  epochs: number
  /** Sets the learning rate of every parameter group before the first update. Default: the rates as they are. */
  lr?: number
}

/** What `compile` returns. */
export interface Plan {
  /** Trains on a loader of batches of the plan's size, with the numbers of `fit`. `run.sync` does not leave the thread. */
  readonly run: {
    (loader: DataLoader, options: RunOptions): Promise<History>
    sync(loader: DataLoader, options: RunOptions): History
  }
  /** The program of a full batch as text: kernels, shapes, bytes, fusions. */
  describe(): string
}

/** A model with everything that a training step depends on. */
interface Subject {
  readonly model: Model
  readonly loss: Loss
  readonly optimizer: Optimizer
  readonly batchSize: number
  readonly inputShape: readonly number[]
  readonly inputDtype: 'float32' | 'int32'
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

function inputShapeOf(model: Model, given: unknown): readonly number[] {
  if (given !== undefined) {
    if (!Array.isArray(given)) throw typeError('compile', 'inputShape to be an array', given)
    return given.map((size, i) => checkInt('compile', `inputShape[${i}]`, size, { min: 0 }))
  }
  for (const module of model.modules()) {
    const { inFeatures } = module as { inFeatures?: unknown }
    if (typeof inFeatures === 'number') return [inFeatures]
  }
  throw typeError('compile', 'inputShape, as no layer has inFeatures', given)
}

/** Tensors of a batch's form, without values. */
function standIns({ model, loss, batchSize, inputShape, inputDtype }: Subject): Columns {
  const empty = (shape: readonly number[], dtype: 'float32' | 'int32') =>
    new Tensor(shape, dtype, { length: sizeOf(shape) })
  const x = empty([batchSize, ...inputShape], inputDtype)
  if (loss.classifies) return { x, y: empty([batchSize], 'int32') }
  const r = new Recorder()
  const input = new Tensor(x.shape, x.dtype, r.alloc(inputDtype, x.size))
  const { shape } = withEmitter(r, () => noGrad(() => model.forward(input)))
  return { x, y: empty(shape, 'float32') }
}

/** What the arrays of the recording are called: parameters and buffers by their names, state by PyTorch's keys. */
function namesOf({ model, optimizer }: Subject, { arrays }: Memory): MemoryNames {
  const named = new Map<unknown, string>()
  for (const [name, t] of [...model.namedParameters(), ...model.namedBuffers()]) named.set(t.buf, name)
  for (const [p, { tensors }] of optimizer.state) {
    for (const [key, t] of Object.entries(tensors)) named.set(t.buf, `${named.get(p.buf) ?? 'parameter'}.${key}`)
  }
  return new Map(arrays.flatMap((array, i) => (named.has(array) ? [[i, named.get(array)!] as const] : [])))
}

/** Records a step, leaving everything as it was, and describes it. */
function describe(subject: Subject): string {
  const { model, optimizer, batchSize } = subject
  const restore = keepState(model, { optimizer })
  const memory = new Memory()
  try {
    model.train()
    const columns = standIns(subject)
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
  checkOptions('compile', options, ['batchSize', 'inputShape', 'inputDtype'])
  checkTrainer('compile', model, { loss, optimizer })
  const batchSize = checkInt('compile', 'batchSize', options.batchSize, { min: 1 })
  const inputShape = inputShapeOf(model, options.inputShape)
  const inputDtype = checkOneOf('compile', 'inputDtype', options.inputDtype ?? 'float32', ['float32', 'int32'])
  const subject = { model, loss, optimizer, batchSize, inputShape, inputDtype }
  refusing(() => describe(subject))
  const run = async (loader: DataLoader, given: RunOptions) => driveAsync(runSteps(subject, loader, given, 'auto'))
  const sync = (loader: DataLoader, given: RunOptions) =>
    driveSync('run.sync', runSteps(subject, loader, given, 'here'))
  return { run: Object.assign(run, { sync }), describe: () => refusing(() => describe(subject)) }
}
