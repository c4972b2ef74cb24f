/** A training step by itself, recorded from the forms of its inputs instead of data. Not here: what is done with it. */

import { checkInt, checkOneOf, checkOptions } from '../base/check.js'
import { rangeError, typeError } from '../base/errors.js'
import { isPlainObject } from '../base/kinds.js'
import type { Model } from '../engine/options.js'
import { recordTraining } from '../engine/record_step.js'
import { withoutSideEffects } from '../engine/side_effects.js'
import { keepState, startTraining } from '../engine/state.js'
import { UpdateScalars } from '../engine/update_scalars.js'
import type { Loss } from '../nn/index.js'
import { sizeOf } from '../ops/spec.js'
import type { Optimizer } from '../optim/index.js'
import { Placement } from '../plan/placement.js'
import { Memory, type Recording } from '../plan/program.js'
import { Recorder } from '../plan/recorder.js'
import { noGrad, Tensor } from '../tensor/index.js'
import { withEmitter } from '../tensor/tape.js'
import type { Names } from './describe.js'

/** A column of a data set that the model reads, without its rows. */
export interface InputForm {
  /** Shape of one row. */
  shape: readonly number[]
  /** Default float32; an Embedding takes int32. */
  dtype?: 'float32' | 'int32'
}

/** A model with everything that a training step depends on. */
export interface TrainingStep {
  readonly model: Model
  readonly loss: Loss
  readonly optimizer: Optimizer
  readonly batchSize: number
  readonly inputs: readonly Required<InputForm>[]
}

/** The forms of a model's inputs, checked; those of the first layer where none are given. */
export function inputsOf(where: string, model: Model, given: unknown): Required<InputForm>[] {
  if (given === undefined) return [{ shape: firstFeatures(where, model), dtype: 'float32' }]
  if (!Array.isArray(given)) throw typeError(where, 'inputs to be an array', given)
  if (given.length === 0) throw rangeError(where, 'inputs to have at least one', given)
  return Array.from(given, (input, i) => {
    if (!isPlainObject(input)) throw typeError(where, `inputs[${i}] to be { shape, dtype }`, input)
    const { shape, dtype = 'float32' } = checkOptions(where, input as unknown as InputForm, ['shape', 'dtype'])
    if (!Array.isArray(shape)) throw typeError(where, `inputs[${i}].shape to be an array`, shape)
    const sizes = Array.from(shape, (size, d) => checkInt(where, `inputs[${i}].shape[${d}]`, size, { min: 0 }))
    return { shape: sizes, dtype: checkOneOf(where, `inputs[${i}].dtype`, dtype, ['float32', 'int32']) }
  })
}

function firstFeatures(where: string, model: Model): readonly number[] {
  for (const module of model.modules()) {
    const { inFeatures } = module as { inFeatures?: unknown }
    if (typeof inFeatures === 'number') return [inFeatures]
  }
  throw typeError(where, 'inputs, as no layer has inFeatures', undefined)
}

/** Columns of a batch's form, without values; the target last, where the loss needs one. */
function standIns({ model, loss, batchSize, inputs }: TrainingStep): Tensor[] {
  const empty = (shape: readonly number[], dtype: 'float32' | 'int32') =>
    new Tensor(shape, dtype, { length: sizeOf(shape) })
  const columns = inputs.map(({ shape, dtype }) => empty([batchSize, ...shape], dtype))
  if (loss.classifies) return [...columns, empty([batchSize], 'int32')]
  if (!loss.needsTarget) return columns
  const r = new Recorder()
  const recorded = columns.map(({ shape, dtype, size }, column) => {
    const origin = { kind: 'batch', column, start: 0, rows: batchSize, width: size / batchSize } as const
    return new Tensor(shape, dtype, r.slot(dtype, size, origin))
  })
  const { shape } = withEmitter(r, () => noGrad(() => model.forward(...recorded)))
  return [...columns, empty(shape, 'float32')]
}

/** What the columns are called: `x` and `y`, or `x1`, `x2` … and `y`. */
function columnNames(inputs: number): string[] {
  return [...(inputs === 1 ? ['x'] : Array.from({ length: inputs }, (_, i) => `x${i + 1}`)), 'y']
}

/** What the arrays of the recording are called: parameters and buffers by their names, state by PyTorch's keys. */
function namesOf({ model, optimizer, inputs }: TrainingStep, { arrays }: Memory): Names {
  const named = new Map<unknown, string>()
  for (const [name, t] of [...model.namedParameters(), ...model.namedBuffers()]) named.set(t.buf, name)
  for (const [p, { tensors }] of optimizer.state) {
    for (const [key, t] of Object.entries(tensors)) named.set(t.buf, `${named.get(p.buf) ?? 'parameter'}.${key}`)
  }
  const memory = new Map(arrays.flatMap((array, i) => (named.has(array) ? [[i, named.get(array)!] as const] : [])))
  return { memory, columns: columnNames(inputs.length) }
}

/** A recorded step, placed, and what its buffers are called. */
interface RecordedTraining {
  readonly recording: Recording
  readonly placement: Placement
  readonly names: Names
}

/** Records a step, leaving everything as it was. Throws Unplannable, with the reason, where no plan can express it. */
export function recordStep(step: TrainingStep): RecordedTraining {
  const { model, optimizer, batchSize } = step
  const restore = keepState(model, { optimizer })
  const memory = new Memory()
  try {
    startTraining(model)
    const scalars = new UpdateScalars(optimizer)
    const recorded = withoutSideEffects([model, step.loss], () => {
      return recordTraining(model, step, { tensors: standIns(step) }, [batchSize], scalars, memory)
    })
    const recording = { ...recorded, dataSet: 0 }
    return { recording, placement: new Placement([recording]), names: namesOf(step, memory) }
  } finally {
    restore()
  }
}
