/** Records one training or evaluation step of a model as a program. Not here: placing or running it. */

import { Unplannable } from '../emitters/emitter.js'
import type { Loss } from '../nn/index.js'
import { emitClipNorm } from '../ops/clip.js'
import { sizeOf } from '../ops/spec.js'
import {
  type Advance,
  type Draw,
  drawsPerStep,
  type LabelCheck,
  type Memory,
  type Slot,
  type SlotCall,
} from '../plan/program.js'
import { Recorder } from '../plan/recorder.js'
import { noGrad, Tensor } from '../tensor/index.js'
import { withEmitter } from '../tensor/tape.js'
import { emitCorrect, labelsOf } from './accuracy.js'
import { forward } from './batch.js'
import type { Model } from './options.js'
import { dropGradients, keepModes } from './state.js'
import type { Training } from './trainer.js'
import type { UpdateScalars } from './update_scalars.js'

/** A recorded program and what its data must satisfy. */
export interface RecordedStep {
  readonly calls: readonly SlotCall[]
  readonly advance: Advance
  readonly labelChecks: readonly LabelCheck[]
  /** The random numbers of each step, in the order of the explicit loop. */
  readonly draws: readonly Draw[]
}

/** x and y of a data set, as far as a recording needs them. */
export interface Columns {
  readonly x: Tensor
  readonly y: Tensor
}

function batchTensor(r: Recorder, from: Tensor, column: number, start: number, rows: number): Tensor {
  const rest = from.shape.slice(1)
  const origin = { kind: 'batch', column, start, rows, width: sizeOf(rest) } as const
  return new Tensor([rows, ...rest], from.dtype, r.slot(from.dtype, rows * origin.width, origin))
}

function temp({ buf }: Tensor, what: string): Slot {
  const slot = buf as Slot
  if (ArrayBuffer.isView(buf) || slot.origin.kind === 'constant')
    throw new Unplannable(`the ${what} does not depend on the batch`)
  return slot
}

/** Sends the loss of the step's batch number `part` out, and the count of its correct rows. */
function emitResults(r: Recorder, loss: Loss, value: Tensor, prediction: Tensor, y: Tensor, part: number): void {
  r.kernels.copy(temp(value, 'loss'), r.slot('float32', 1, { kind: 'loss', offset: part }), 1)
  if (!loss.classifies) return
  temp(prediction, 'prediction')
  if (prediction.shape.length !== 2) throw new Unplannable('a row has several labels')
  const labels = labelsOf(prediction, y)
  const slot = labels.dtype === 'int32' ? labels.buf : r.slot('int32', labels.size, (labels.buf as Slot).origin)
  emitCorrect(r, prediction, slot, r.slot('int32', 1, { kind: 'count', offset: part }))
}

/** The recording as a step on batches of these numbers of rows, with so many scalars for its update. */
function recorded(r: Recorder, parts: readonly number[], loss: Loss, scalars: number): RecordedStep {
  const { calls, labelChecks, draws } = r
  const order = parts.reduce((sum, n) => sum + n, 0)
  const counts = loss.classifies ? parts.length : 0
  const advance = { order, rows: scalars, losses: parts.length, counts, draws: drawsPerStep(draws) }
  return { calls, advance, labelChecks, draws }
}

function emitUpdates({ optimizer }: Training, r: Recorder, scalars: UpdateScalars): void {
  for (const group of optimizer.paramGroups) {
    for (const p of group.params) {
      if (!p.grad) continue
      const state = optimizer.stateOf(group, p)
      const offset = scalars.offsetFor(group, state)
      optimizer.emitUpdate(group, p, p.grad, state, r.slot('float64', 0, { kind: 'row', offset }))
    }
  }
}

/** Records the step that trains on batches of these numbers of rows, one update for all of them. */
export function recordTraining(
  model: Model,
  training: Training,
  { x, y }: Columns,
  parts: readonly number[],
  scalars: UpdateScalars,
  memory: Memory,
): RecordedStep {
  const r = new Recorder(memory)
  const { loss, optimizer, clipGradNorm } = training
  const { name, evaluatesLoss } = optimizer.rule
  if (evaluatesLoss) throw new Unplannable(`${name} evaluates the loss several times per update`)
  withEmitter(r, () => {
    dropGradients(model, optimizer)
    let start = 0
    parts.forEach((count, part) => {
      const [bx, by] = [batchTensor(r, x, 0, start, count), batchTensor(r, y, 1, start, count)]
      const { prediction, value } = forward(model, loss, { inputs: [bx], target: by })
      const share = parts.length === 1 ? undefined : new Tensor(value.shape, 'float32', r.constant([1 / parts.length]))
      value.backward(share)
      emitResults(r, loss, value, prediction, by, part)
      start += count
    })
    const grads = optimizer.paramGroups.flatMap(group => group.params.flatMap(p => (p.grad ? [p.grad] : [])))
    if (clipGradNorm !== undefined) emitClipNorm(r, grads, clipGradNorm)
    emitUpdates(training, r, scalars)
    dropGradients(model, optimizer)
  })
  return recorded(r, parts, loss, scalars.width)
}

/** Records the evaluation of one batch. */
export function recordEvaluation(
  model: Model,
  loss: Loss,
  { x, y }: Columns,
  count: number,
  memory: Memory,
): RecordedStep {
  const r = new Recorder(memory)
  const restore = keepModes(model)
  model.eval()
  try {
    withEmitter(r, () =>
      noGrad(() => {
        const [bx, by] = [batchTensor(r, x, 0, 0, count), batchTensor(r, y, 1, 0, count)]
        const { prediction, value } = forward(model, loss, { inputs: [bx], target: by })
        emitResults(r, loss, value, prediction, by, 0)
      }),
    )
  } finally {
    restore()
  }
  return recorded(r, [count], loss, 0)
}
