/** What losses over classes share: their options, the class dimension, and the way of gradients back. Not an op. */

import { checkInt } from '../base/check.js'
import { AnnealError, shapeError } from '../base/errors.js'
import type { Buf, Emitter } from '../emitters/emitter.js'
import { checkReduction, emitChain, type LossOptions, type Reduction } from './reduced_loss.js'
import { fromRows, rowSizes } from './rows.js'
import type { Application, Meta, Operand, Value } from './spec.js'
import { checkDtype, checkOperand, shapeText } from './spec.js'

export interface ClassLossOptions extends LossOptions {
  /** Weight of each class, float32 [classes]. Default: all 1. */
  weight?: Operand | null
  /** Label of rows that do not count. Default -100. */
  ignoreIndex?: number
}

export interface ClassLossAttrs {
  readonly reduction: Reduction
  readonly ignoreIndex: number
}

/** The options with defaults filled in; throws TypeError or RangeError. */
export function checkClassLoss(where: string, { weight, ignoreIndex = -100, reduction }: ClassLossOptions) {
  if (weight != null) checkOperand(where, 'weight', weight)
  return {
    ignoreIndex: checkInt(where, 'ignoreIndex', ignoreIndex, { min: -(2 ** 31), max: 2 ** 31 - 1 }),
    reduction: checkReduction(where, reduction),
  }
}

/** The dimension of the classes: the second, or the only one. */
export function classDim(shape: readonly number[]): number {
  return shape.length === 1 ? 0 : 1
}

/** Shape of the losses of all rows, and of their labels. */
export function labelShape(shape: readonly number[]): number[] {
  return shape.filter((_, i) => i !== classDim(shape))
}

/** Checks the scores' and the weights' dtype and shape. */
export function checkScores(where: string, name: string, scores: Meta, weight: Meta | undefined): void {
  checkDtype(where, name, scores, 'float32')
  const { shape } = scores
  if (shape.length === 0) throw shapeError(where, `${name} to have shape [rows, classes]`, '[]')
  const classes = shape[classDim(shape)]
  if (classes === 0) throw new AnnealError('ERR_EMPTY', `${where}: expected at least one class but received none`)
  if (!weight) return
  checkDtype(where, 'weight', weight, 'float32')
  if (weight.shape.length !== 1 || weight.shape[0] !== classes) {
    throw shapeError(where, `weight to have shape [${classes}]`, shapeText(weight.shape))
  }
}

/** Throws unless there is one label per row. */
export function checkLabelShape(where: string, scores: Meta, labels: Meta): void {
  const wanted = shapeText(labelShape(scores.shape))
  if (shapeText(labels.shape) !== wanted) {
    throw shapeError(where, `labels to have shape ${wanted}`, shapeText(labels.shape))
  }
}

/** `slopes` in rows of classes, times the gradient that came, in the scores' own shape. */
export function emitClassChain(e: Emitter, app: Application<ClassLossAttrs>, slopes: Buf, grad: Value): Buf {
  const { shape } = app.inputs[0]
  const [m, n] = rowSizes(shape, classDim(shape))
  return fromRows(e, emitChain(e, slopes, grad.buf, app.attrs.reduction, m, n), shape, classDim(shape))
}
