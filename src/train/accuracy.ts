/** How predictions of classes are compared with their targets. Not here: sums over batches (engine.ts). */

import type { Buf, Emitter } from '../emitters/emitter.js'
import { classDim } from '../ops/class_loss.js'
import { rowSizes, toRows } from '../ops/rows.js'
import { shapeText } from '../ops/spec.js'
import type { Tensor } from '../tensor/index.js'

/** The labels themselves; of distributions over the classes, the likeliest class. */
export function labelsOf(prediction: Tensor, target: Tensor): Tensor {
  return shapeText(target.shape) === shapeText(prediction.shape) ? target.argmax(classDim(target.shape)) : target
}

/** Counts the labels (int32) that are the largest score of their row. */
export function emitCorrect(e: Emitter, { buf, shape }: Tensor, labels: Buf, count: Buf): void {
  const dim = classDim(shape)
  e.kernels.count_correct(toRows(e, buf, shape, dim), labels, count, ...rowSizes(shape, dim))
}
