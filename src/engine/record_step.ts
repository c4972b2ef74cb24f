/** Records one training or evaluation step of a model as a program. Not here: placing or running it. */

import { type DataColumn, isNarrow } from '../data/rows.js'
import { Unplannable } from '../emitters/unplannable.js'
import type { Loss } from '../nn/index.js'
import { emitClipNorm } from '../ops/clip.js'
import { sizeOf } from '../ops/spec.js'
import { replacedMethod } from '../optim/optimizer.js'
import {
  type Advance,
  type ColumnCheck,
  type Draw,
  drawsPerStep,
  type Memory,
  type Slot,
  type SlotCall,
} from '../plan/program.js'
import { Recorder } from '../plan/recorder.js'
import { noGrad, Tensor } from '../tensor/index.js'
import { withEmitter } from '../tensor/tape.js'
import { withValuesHidden } from '../tensor/tensor.js'
import { emitCorrect, labelsOf } from './accuracy.js'
import { type Batch, batchOf, firstForward, forward } from './batch.js'
import type { Model } from './options.js'
import type { PassColumns } from './resident.js'
import { dropGradients } from './state.js'
import type { Training } from './trainer.js'
import type { UpdateScalars } from './update_scalars.js'

/** A recorded program and what its data must satisfy. */
export interface RecordedStep {
  readonly calls: readonly SlotCall[]
  readonly advance: Advance
  readonly labelChecks: readonly ColumnCheck[]
  /** The random numbers of each step, in the order of the explicit loop. */
  readonly draws: readonly Draw[]
  /** The shape of a row of the predictions that follow the losses of each step; null where none are asked for. */
  readonly predicted: readonly number[] | null
  /** Rows of each batch of a step. */
  readonly parts: readonly number[]
  /** The label of rows that do not count; null where rows have no labels. */
  readonly ignoreIndex: number | null
}

/** What a step reads rows of. */
type StepColumns = Pick<PassColumns, 'tensors' | 'weighted'>

/** Rows `start` to `start + rows` of a step's order, of every column. */
function batchTensors(r: Recorder, columns: readonly DataColumn[], start: number, rows: number): Tensor[] {
  return columns.map((values, column) => {
    const rest = values.shape.slice(1)
    const narrow = isNarrow(values) ? { dtype: values.dtype, scale: values.scale } : undefined
    const origin = { kind: 'batch', column, start, rows, width: sizeOf(rest), narrow } as const
    const dtype = isNarrow(values) ? 'float32' : values.dtype
    return new Tensor([rows, ...rest], dtype, r.slot(dtype, rows * origin.width, origin))
  })
}

function temp({ buf }: Tensor, what: string): Slot {
  const slot = buf as Slot
  if (ArrayBuffer.isView(buf) || slot.origin.kind === 'constant')
    throw new Unplannable(`the ${what} does not depend on the batch`)
  return slot
}

/** Sends the loss of the step's batch number `part` out, and the count of its correct rows. */
function emitResults(
  r: Recorder,
  { classifies, ignoreIndex }: Loss,
  { value, prediction }: { value: Tensor; prediction: Tensor },
  { target }: Batch,
  part: number,
): void {
  r.kernels.copy({ x: temp(value, 'loss'), y: r.slot('float32', 1, { kind: 'losses', offset: part }), n: 1 })
  if (!classifies) return
  temp(prediction, 'prediction')
  if (prediction.shape.length !== 2) throw new Unplannable('a row has several labels')
  const labels = labelsOf(prediction, target!)
  if (ignoreIndex >= 0 && ignoreIndex < prediction.shape[1] && labels === target)
    throw new Unplannable('the label that is ignored is a class too')
  const slot = labels.dtype === 'int32' ? labels.buf : r.slot('int32', labels.size, (labels.buf as Slot).origin)
  emitCorrect(r, prediction, slot, r.slot('int32', 1, { kind: 'counts', offset: part }))
}

/** The recording as a step on batches of these numbers of rows, with so many scalars for its update. */
function recorded(
  r: Recorder,
  parts: readonly number[],
  loss: Loss,
  scalars: number,
  predicted: readonly number[] | null,
): RecordedStep {
  const { calls, labelChecks, draws } = r
  const order = parts.reduce((sum, n) => sum + n, 0)
  const counts = loss.classifies ? parts.length : 0
  const losses = parts.length + (predicted ? order * sizeOf(predicted) : 0)
  const advance = { order, scalars, losses, counts, draws: drawsPerStep(draws) }
  const ignoreIndex = loss.classifies ? loss.ignoreIndex : null
  return { calls, advance, labelChecks, draws, predicted, parts, ignoreIndex }
}

/** Sends predictions out behind the losses of the step. Returns the shape of a row. */
function emitPredictions(
  r: Recorder,
  prediction: Tensor,
  rows: number,
  start: number,
  losses: number,
): readonly number[] {
  if (prediction.shape[0] !== rows || prediction.dtype !== 'float32')
    throw new Unplannable('a prediction is no row of float32 for each sample')
  const rest = prediction.shape.slice(1)
  const offset = losses + start * sizeOf(rest)
  const [x, n] = [temp(prediction, 'prediction'), prediction.size]
  r.kernels.copy({ x, y: r.slot('float32', n, { kind: 'losses', offset }), n })
  return rest
}

function emitUpdates({ optimizer }: Training, r: Recorder, scalars: UpdateScalars): void {
  for (const group of optimizer.paramGroups) {
    for (const p of group.params) {
      if (!p.grad) continue
      const state = optimizer.stateOf(group, p)
      const offset = scalars.offsetFor(group, state)
      optimizer.emitUpdate(group, p, p.grad, state, r.slot('float64', 0, { kind: 'scalars', offset }))
    }
  }
}

/** The only code of the model's that is recorded. */
const recordForward: typeof forward = (...args) => withValuesHidden(() => forward(...args))

/** Records the step that trains on batches of these numbers of rows, one update for all of them. */
export function recordTraining(
  model: Model,
  training: Training,
  columns: StepColumns,
  parts: readonly number[],
  scalars: UpdateScalars,
  memory: Memory,
): RecordedStep {
  const r = new Recorder(memory)
  const { loss, optimizer, clipGradNorm } = training
  const { name, evaluatesLoss } = optimizer.rule
  if (evaluatesLoss) throw new Unplannable(`${name} evaluates the loss several times per update`)
  const replaced = replacedMethod(optimizer)
  if (replaced) throw new Unplannable(`the optimizer has a ${replaced} of its own`)
  let predicted: readonly number[] | null = null
  withEmitter(r, () => {
    dropGradients(model, optimizer)
    let start = 0
    const asked = training.metrics !== undefined
    parts.forEach((count, part) => {
      const batch = batchOf(batchTensors(r, columns.tensors, start, count), loss, columns.weighted)
      const result = firstForward(model, batch.inputs, inputs => recordForward(model, loss, { ...batch, inputs }))
      const { value } = result
      const share = parts.length === 1 ? undefined : new Tensor(value.shape, 'float32', r.constant([1 / parts.length]))
      value.backward(share)
      emitResults(r, loss, result, batch, part)
      if (asked) predicted = emitPredictions(r, result.prediction, count, start, parts.length)
      start += count
    })
    const grads = optimizer.paramGroups.flatMap(group => group.params.flatMap(p => (p.grad ? [p.grad] : [])))
    if (clipGradNorm !== undefined) emitClipNorm(r, grads, clipGradNorm)
    emitUpdates(training, r, scalars)
    dropGradients(model, optimizer)
  })
  return recorded(r, parts, loss, scalars.width, predicted)
}

/** Records the evaluation of one batch. */
export function recordEvaluation(
  model: Model,
  { loss, metrics }: Pick<Training, 'loss' | 'metrics'>,
  columns: StepColumns,
  count: number,
  memory: Memory,
): RecordedStep {
  const r = new Recorder(memory)
  let predicted: readonly number[] | null = null
  const restore = model.keepModes()
  model.eval()
  try {
    withEmitter(r, () =>
      noGrad(() => {
        const batch = batchOf(batchTensors(r, columns.tensors, 0, count), loss, columns.weighted)
        const result = recordForward(model, loss, batch)
        emitResults(r, loss, result, batch, 0)
        if (metrics) predicted = emitPredictions(r, result.prediction, count, 0, 1)
      }),
    )
  } finally {
    restore()
  }
  return recorded(r, [count], loss, 0, predicted)
}
