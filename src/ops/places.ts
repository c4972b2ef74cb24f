/**
 * Places along one axis as kernel calls: some of them at equal distances, or parts put together. What the ops that move
 * values share. Not an op.
 */

import type { Buf, DType, Emitter, Twins } from '../emitters/emitter.js'
import { around } from './rows.js'
import { sizeOf } from './spec.js'

/** `count` places along `dim`, the first `start` and each `step` after the one before. */
export interface Places {
  readonly dim: number
  readonly start: number
  readonly count: number
  readonly step: 1 | -1
}

/** The places of `x`, zeros where it has none, in memory of their own. */
export function emitTake(e: Emitter, x: Buf, dtype: DType, shape: readonly number[], places: Places): Buf {
  const { dim, start, count, step } = places
  const { outer, n: axis, inner } = around(shape, dim)
  const y = e.alloc(dtype, outer * count * inner)
  e.kernels[dtype === 'int32' ? 'take_axis_ints' : 'take_axis']({ x, y, outer, axis, count, inner, start, step })
  return y
}

/** The adjoint of taking these places from `shape`: values at them, zeros elsewhere. */
export function emitPutBack(e: Emitter, taken: Buf, shape: readonly number[], places: Places): Buf {
  const { dim, start, count, step } = places
  const from = shape.map((size, i) => (i === dim ? count : size))
  const back = { dim, start: step === 1 ? -start : start, count: shape[dim], step }
  return emitTake(e, taken, 'float32', from, back)
}

/** A part of a tensor that is put together along an axis. */
export interface Part {
  readonly buf: Buf
  readonly shape: readonly number[]
}

/** The parts one behind the other along `dim`. */
export function emitJoin(e: Emitter, parts: readonly Part[], dtype: DType, shape: readonly number[], dim: number): Buf {
  const [first, ...rest] = parts
  const { outer, n: axis, inner } = around(shape, dim)
  const y = emitTake(e, first.buf, dtype, first.shape, { dim, start: 0, count: axis, step: 1 })
  let start = first.shape[dim]
  for (const { buf: x, shape: own } of rest) {
    const count = own[dim]
    e.kernels[dtype === 'int32' ? 'put_axis_ints' : 'put_axis']({ x, y, outer, axis, count, inner, start })
    start += count
  }
  return y
}

interface Numbers {
  [i: number]: number
}

type TakeArguments = Readonly<Record<'outer' | 'axis' | 'count' | 'inner' | 'start' | 'step', number>> & Moved
type PutArguments = Omit<TakeArguments, 'step'>
interface Moved {
  x: Numbers
  y: Numbers
}

function take({ x, y, outer, axis, count, inner, start, step }: TakeArguments): void {
  for (let at = 0; at < outer * count * inner; at++) {
    const place = start + (Math.floor(at / inner) % count) * step
    const o = Math.floor(at / (count * inner))
    y[at] = place >= 0 && place < axis ? x[(o * axis + place) * inner + (at % inner)] : 0
  }
}

function put({ x, y, outer, axis, count, inner, start }: PutArguments): void {
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < count * inner; i++) y[(o * axis + start) * inner + i] = x[o * count * inner + i]
}

export const reference: Twins = { take_axis: take, take_axis_ints: take, put_axis: put, put_axis_ints: put }

/** Whether the places lie behind each other in memory, so that they need no copy. */
export function areNeighbours(shape: readonly number[], { dim, step }: Places): boolean {
  return step === 1 && sizeOf(shape.slice(0, dim)) === 1
}
