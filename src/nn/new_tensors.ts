/**
 * The tensors that layers make for themselves. While a stored model is being built they have shapes only: no memory, no
 * initial values, nothing drawn from a generator. Not here: what values a layer starts with (the layers, init.ts).
 */

import { sizeOf } from '../ops/spec.js'
import { Tensor } from '../tensor/index.js'
import { Parameter } from './module.js'

let shapesOnly = false

/** Runs `build`; the layers made meanwhile have tensors without values. Source: torch.device('meta'). */
export function withShapesOnly<T>(build: () => T): T {
  const before = shapesOnly
  shapesOnly = true
  try {
    return build()
  } finally {
    shapesOnly = before
  }
}

/** A parameter whose first values `init` writes. */
export function newParameter(shape: readonly number[], init: (values: Parameter) => unknown): Parameter {
  const parameter = new Parameter(new Tensor(shape, 'float32', new Float32Array(shapesOnly ? 0 : sizeOf(shape))))
  if (!shapesOnly) init(parameter)
  return parameter
}

/** A parameter with the same value everywhere. */
export function filled(shape: readonly number[], value: number): Parameter {
  return newParameter(shape, ({ values }) => values.fill(value))
}

/** A tensor of a layer's state that is not trained, with the same value everywhere. */
export function newBuffer(shape: readonly number[], dtype: 'float32' | 'int32', value: number): Tensor {
  const length = shapesOnly ? 0 : sizeOf(shape)
  const values = dtype === 'int32' ? new Int32Array(length) : new Float32Array(length)
  return new Tensor(shape, dtype, values.fill(value))
}
