/** `compile`: the plan of a model by itself, to look at and to run. `fit` makes the same plan on its own. */

import { checkInt, checkNumber, checkOptions } from '../base/check.js'
import { type Both, bothWays, type Steps } from '../base/drive.js'
import { AnnealError, rangeError, typeError } from '../base/errors.js'
import { DataLoader } from '../data/index.js'
import { Unplannable } from '../emitters/unplannable.js'
import type { Dispatch } from '../engine/chunks.js'
import { checkModel, checkPlace, checkTrainer, type Model } from '../engine/options.js'
import { PlanEngine } from '../engine/plan_engine.js'
import type { Loss } from '../nn/index.js'
import type { Optimizer } from '../optim/index.js'
import { describeProgram } from './describe.js'
import { fitSteps } from './fit.js'
import type { History } from './history.js'
import { type InputForm, inputsOf, recordStep, type TrainingStep } from './training_step.js'

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

function asRefusal(error: unknown): unknown {
  if (!(error instanceof Unplannable)) return error
  return new AnnealError('ERR_STATE', `compile: expected what a plan can express but received this: ${error.message}`)
}

function refusing<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw asRefusal(error)
  }
}

function describe(step: TrainingStep): string {
  const { recording, placement, names } = recordStep(step)
  const { model, optimizer, batchSize } = step
  const text = describeProgram(recording, placement, 0, names)
  return `${model.constructor.name}, ${optimizer.rule.name}, batches of ${batchSize}: ${text}`
}

function* runSteps(step: TrainingStep, loader: DataLoader, options: RunOptions, dispatch: Dispatch): Steps<History> {
  const { model, loss, optimizer, batchSize } = step
  const { epochs, lr } = checkOptions('run', options, ['epochs', 'lr'])
  if (!(loader instanceof DataLoader)) throw typeError('run', 'loader to be a DataLoader', loader)
  if (loader.batchSize !== batchSize) throw rangeError('run', `loader.batchSize to be ${batchSize}`, loader.batchSize)
  if (lr !== undefined) {
    checkNumber('run', 'lr', lr, { min: 0 })
    for (const group of optimizer.paramGroups) group.lr = lr
  }
  checkPlace('run', dispatch, loader)
  const given = { train: loader, loss, optimizer, epochs }
  try {
    return yield* fitSteps(model, given, () => new PlanEngine(model, given, dispatch))
  } catch (error) {
    throw asRefusal(error)
  }
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
  const step = { model, loss, optimizer, batchSize, inputs: inputsOf('compile', model, options.inputs) }
  refusing(() => describe(step))
  const run = bothWays('run', (place, loader: DataLoader, given: RunOptions) => runSteps(step, loader, given, place))
  return { run, describe: () => refusing(() => describe(step)) }
}
