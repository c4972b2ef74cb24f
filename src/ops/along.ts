/** What the ops along one dimension share (softmax, logSoftmax): rows, samples and float64 row helpers. Not an op. */

import type { Buf, Emitter, Floats } from '../emitters/emitter.js'
import { fromRows, rowSizes, toRows } from './rows.js'
import {
  type Application,
  checkDtype,
  checkOperand,
  type Meta,
  normalizeDim,
  type Operand,
  sizeOf,
  type Value,
} from './spec.js'

interface Along {
  readonly dim: number
}

export function parseAlong(name: string) {
  return (x: Operand, dim: number) => {
    const rank = checkOperand(name, 'x', x).shape.length
    return { operands: [x], attrs: { dim: normalizeDim(name, dim, rank) } }
  }
}

export function inferAlong(name: string) {
  return ([x]: readonly Meta[]): Meta => {
    checkDtype(name, 'x', x, 'float32')
    return x
  }
}

/** Brings `dim` to the end, runs `kernel(...rows, out, m, n)` and takes it back. */
function onRows(e: Emitter, kernel: string, operands: readonly Buf[], shape: readonly number[], dim: number): Buf {
  const rows = operands.map(x => toRows(e, x, shape, dim))
  const y = e.alloc('float32', sizeOf(shape))
  e.kernels[kernel](...rows, y, ...rowSizes(shape, dim))
  return fromRows(e, y, shape, dim)
}

/** kernel(x, y, m, n) along `dim`. */
export function emitAlong(e: Emitter, kernel: string, { inputs: [x], shape, attrs: { dim } }: Application<Along>): Buf {
  return onRows(e, kernel, [x.buf], shape, dim)
}

/** kernel(dy, y, dx, m, n) along `dim`. */
export function emitAlongBackward(e: Emitter, kernel: string, app: Application<Along>, grad: Value): Buf {
  return onRows(e, kernel, [grad.buf, app.out], app.shape, app.attrs.dim)
}

export function sumRow(n: number, term: (c: number) => number): number {
  let sum = 0
  for (let c = 0; c < n; c++) sum += term(c)
  return sum
}

/** Row `r` of `x` minus its maximum, and the logarithm of the sum of its exponentials. */
export function softmaxRow(x: Floats, r: number, n: number): { shifted: number[]; logSum: number } {
  const row = Array.from(x.subarray(r * n, (r + 1) * n))
  const top = row.reduce((a, b) => Math.max(a, b), -Infinity)
  const shifted = row.map(v => v - top)
  return { shifted, logSum: Math.log(shifted.reduce((sum, v) => sum + Math.exp(v), 0)) }
}

export const rowSamples = {
  samples: () => [
    { x: [[2, 3]], args: [1] },
    { x: [[2, 3]], args: [0] },
    { x: [[2, 3, 4]], args: [1] },
    { x: [[2, 3, 4]], args: [-3] },
    { x: [[3, 20]], args: [-1] },
    { x: [[]], args: [0] },
    { x: [[0, 3]], args: [1] },
  ],
  badSamples: () => [
    { x: [[2, 3]], args: [2], message: 'dim to be in [-2, 1]' },
    { x: [[2, 3]], message: 'dim to be an integer' },
  ],
}
