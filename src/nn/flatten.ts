/** Several dimensions as one. */

import { checkInt, checkOptions } from '../base/check.js'
import { shapeError } from '../base/errors.js'
import { normalizeDim, sizeOf } from '../ops/spec.js'
import { checkTensor, type Tensor } from '../tensor/index.js'
import { Module } from './module.js'

/** Options of `Flatten`; negative dimensions count from the end. */
export interface FlattenOptions {
  /** The first dimension that is merged. Default 1. */
  startDim?: number
  /** The last one. Default -1. */
  endDim?: number
}

/**
 * Merges dimensions `startDim` to `endDim` into one: by default [rows, a, b, …] becomes [rows, a·b·…].
 *
 * ```ts
 * const model = new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 10)) // for x [rows, 28, 28]
 * ```
 * Throws ERR_SHAPE where a dimension does not exist or the first comes after the last. Source: torch.nn.Flatten.
 */
export class Flatten extends Module {
  readonly startDim: number
  readonly endDim: number

  constructor(options: FlattenOptions = {}) {
    super()
    const { startDim = 1, endDim = -1 } = checkOptions('Flatten', options, ['startDim', 'endDim'])
    this.startDim = checkInt('Flatten', 'startDim', startDim)
    this.endDim = checkInt('Flatten', 'endDim', endDim)
  }

  override constructorArguments(): readonly unknown[] {
    return [{ startDim: this.startDim, endDim: this.endDim }]
  }

  override forward(x: Tensor): Tensor {
    const { shape } = checkTensor('Flatten', 'x', x)
    const first = normalizeDim('Flatten', this.startDim, shape.length, 'startDim')
    const last = normalizeDim('Flatten', this.endDim, shape.length, 'endDim')
    if (first > last) throw shapeError('Flatten', `startDim (${first}) to be at most endDim`, String(last))
    return x.reshape([...shape.slice(0, first), sizeOf(shape.slice(first, last + 1)), ...shape.slice(last + 1)])
  }
}
