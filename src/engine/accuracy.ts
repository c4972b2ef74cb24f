/** How predictions of classes are compared with their targets. Not here: sums over batches (engine.ts). */

import type { DataColumn } from '../data/rows.js'
import type { Buf, Emitter } from '../emitters/emitter.js'
import { nativeEmitter } from '../emitters/native.js'
import { classDim } from '../ops/class_loss.js'
import { rowSizes, toRows } from '../ops/rows.js'
import { isSameShape } from '../ops/spec.js'
import { Tensor } from '../tensor/index.js'

/** The labels themselves; of distributions over the classes, the likeliest class. */
export function labelsOf(prediction: Tensor, target: Tensor): Tensor {
  return isSameShape(target.shape, prediction.shape) ? target.argmax(classDim(target.shape)) : target
}

/** Counts the labels (int32) that are the largest score of their row. */
export function emitCorrect(e: Emitter, { buf, shape }: Tensor, labels: Buf, count: Buf): void {
  const dim = classDim(shape)
  const [m, n] = rowSizes(shape, dim)
  e.kernels.count_correct({ logits: toRows(e, buf, shape, dim), labels, count, m, n })
}

/** How many labels there are that count, and how many of them are the largest score of their row. */
export function countCorrect(
  prediction: Tensor,
  target: Tensor,
  ignoreIndex: number,
): { correct: number; rows: number } {
  const count = new Int32Array(1)
  const labels = labelsOf(prediction, target)
  const values = labels.dtype === 'int32' ? (labels.values as Int32Array) : Int32Array.from(labels.values)
  const ignored = labels === target ? ignoredIn(values, ignoreIndex) : 0
  // An ignored label may be a class as well: of no row it is the largest score as -1.
  const y = ignored > 0 ? values.map(label => (label === ignoreIndex ? -1 : label)) : values
  // Computed in float64 where another emitter than the native one trains.
  const scores = prediction.values instanceof Float32Array ? prediction.buf : Float32Array.from(prediction.values)
  emitCorrect(nativeEmitter, new Tensor(prediction.shape, 'float32', scores), y, count)
  return { correct: count[0], rows: labels.size - ignored }
}

/** Whether some labels of a data set do not count. */
export function hasIgnoredLabels(target: DataColumn | undefined, ignoreIndex: number | null): boolean {
  return ignoreIndex !== null && target?.shape.length === 1 && target.values.includes(ignoreIndex)
}

function ignoredIn(labels: Int32Array, ignoreIndex: number): number {
  return labels.includes(ignoreIndex) ? labels.filter(label => label === ignoreIndex).length : 0
}
