/** Nested arrays to flat values and back. Not here: dtypes. */

import { shapeError, typeError } from '../base/errors.js'
import { isNumberArray } from '../base/kinds.js'

/** A number or arrays of them, nested to any depth. */
export type Nested = number | readonly (Nested | ArrayLike<number>)[]

/** The shape of `values`, read along the first elements. */
export function checkNested(values: unknown): number[] {
  const shape: number[] = []
  let at = values
  while (Array.isArray(at) || isNumberArray(at)) {
    shape.push(at.length)
    if (shape.length > 64) throw shapeError('tensor', 'at most 64 dimensions', 'more')
    at = at[0]
  }
  return shape
}

/** All values in row-major order; throws where an array is ragged or a value is no number. */
export function flatten(values: unknown, shape: readonly number[]): ArrayLike<number> {
  if (isNumberArray(values)) return values
  const out: number[] = []
  gather(values, shape, 0, out)
  return out
}

function gather(values: unknown, shape: readonly number[], depth: number, out: number[]): void {
  if (depth === shape.length) {
    if (typeof values !== 'number')
      throw typeError('tensor', 'values to be numbers, nested arrays or a typed array', values)
    out.push(values)
    return
  }
  if (!(Array.isArray(values) || isNumberArray(values)) || values.length !== shape[depth]) {
    const got = Array.isArray(values) || isNumberArray(values) ? `${values.length}` : 'a single value'
    throw shapeError('tensor', `${shape[depth]} values at depth ${depth} as in the first row`, got)
  }
  for (const value of values) gather(value, shape, depth + 1, out)
}

/** Flat values as nested arrays of `shape`. */
export function nest(data: ArrayLike<number>, shape: readonly number[]): Nested {
  let at = 0
  const build = (depth: number): Nested =>
    depth === shape.length ? data[at++] : Array.from({ length: shape[depth] }, () => build(depth + 1))
  return build(0)
}
