/** Ops along one dimension run on rows: the dimension is moved to the end, and back afterwards. Not an op. */

import type { Buf, Emitter } from '../emitters/emitter.js'
import { sizeOf } from './spec.js'

interface Around {
  outer: number
  n: number
  inner: number
}

/** A shape as [outer, n, inner] with `dim` in the middle; a scalar is one row of one. */
export function around(shape: readonly number[], dim: number): Around {
  return { outer: sizeOf(shape.slice(0, dim)), n: shape[dim] ?? 1, inner: sizeOf(shape.slice(dim + 1)) }
}

/** Rows and their length along `dim`; a scalar is one row of one. */
export function rowSizes(shape: readonly number[], dim: number): [m: number, n: number] {
  const { outer, n, inner } = around(shape, dim)
  return [outer * inner, n]
}

/** [outer, a, b, inner] → [outer, b, a, inner]; itself where that moves nothing. */
export function emitExchange(e: Emitter, x: Buf, outer: number, a: number, b: number, inner: number): Buf {
  if (a === 1 || b === 1) return x
  const y = e.alloc('float32', outer * a * b * inner)
  e.kernels.transpose({ x, y, o: outer, r: a, m: 1, c: b, i: inner })
  return y
}

/** `x` of `shape` with `dim` moved to the end. */
export function toRows(e: Emitter, x: Buf, shape: readonly number[], dim: number): Buf {
  const { outer, n, inner } = around(shape, dim)
  return emitExchange(e, x, outer, n, inner, 1)
}

/** The inverse of `toRows`. */
export function fromRows(e: Emitter, rows: Buf, shape: readonly number[], dim: number): Buf {
  const { outer, n, inner } = around(shape, dim)
  return emitExchange(e, rows, outer, inner, n, 1)
}
