/**
 * Broadcasting as in NumPy and PyTorch, made of two kernels that are each other's adjoint: `repeat` widens one axis,
 * `sum_axis` adds it up again. Not an op: elementwise ops use it on the way in and on the way back.
 */

import { shapeError } from '../base/errors.js'
import type { Buf, Emitter, Twins } from '../emitters/emitter.js'
import { isSameShape, shapeText, sizeOf } from './spec.js'

/** The common shape of two operands; throws ERR_SHAPE where two sizes differ and neither is 1. */
export function broadcastShape(where: string, a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length)
  const shape = new Array<number>(rank)
  for (let i = 1; i <= rank; i++) {
    const p = a[a.length - i] ?? 1
    const q = b[b.length - i] ?? 1
    if (p !== q && p !== 1 && q !== 1) {
      throw shapeError(where, 'shapes that broadcast together', `${shapeText(a)} and ${shapeText(b)}`)
    }
    shape[rank - i] = p === 1 ? q : p
  }
  return shape
}

/** A run of neighbouring axes of size 1 in the narrow shape: widened by one `repeat` of [outer, times, inner]. */
interface Run {
  outer: number
  times: number
  inner: number
}

/** The repeats that widen `from` to `to`, last axes first, so that `inner` is already wide and `outer` still narrow. */
function runs(from: readonly number[], to: readonly number[]): Run[] {
  const padded = [...new Array<number>(to.length - from.length).fill(1), ...from]
  const found: Run[] = []
  let inner = 1
  for (let i = to.length - 1; i >= 0; ) {
    let times = 1
    const narrow = padded[i] !== to[i]
    for (; i >= 0 && (padded[i] !== to[i]) === narrow; i--) times *= to[i]
    if (narrow) found.push({ outer: sizeOf(padded.slice(0, i + 1)), times, inner })
    inner *= times
  }
  return found
}

/** `buf` of shape `from` widened to `to`; itself where nothing is to be done. */
export function expand(e: Emitter, buf: Buf, from: readonly number[], to: readonly number[]): Buf {
  if (isSameShape(from, to)) return buf
  let wide = buf
  for (const { outer, times, inner } of runs(from, to)) {
    const out = e.alloc('float32', outer * times * inner)
    e.kernels.repeat({ x: wide, y: out, outer, times, inner })
    wide = out
  }
  return wide
}

/** The adjoint of `expand`: a gradient of shape `to` added up to shape `from`. */
export function reduceTo(e: Emitter, grad: Buf, to: readonly number[], from: readonly number[]): Buf {
  if (isSameShape(from, to)) return grad
  let narrow = grad
  for (const { outer, times, inner } of runs(from, to).reverse()) {
    const out = e.alloc('float32', outer * inner)
    e.kernels.sum_axis({ x: narrow, y: out, outer, axis: times, inner })
    narrow = out
  }
  return narrow
}

export const reference: Twins = {
  repeat({ x, y, outer, times, inner }) {
    for (let o = 0; o < outer; o++) {
      for (let t = 0; t < times; t++) {
        for (let i = 0; i < inner; i++) y[(o * times + t) * inner + i] = x[o * inner + i]
      }
    }
  },
  sum_axis({ x, y, outer, axis, inner }) {
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        let sum = 0
        for (let a = 0; a < axis; a++) sum += x[(o * axis + a) * inner + i]
        y[o * inner + i] = sum
      }
    }
  },
}
