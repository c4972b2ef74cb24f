/** What the ops along one dimension share (softmax, logSoftmax): rows, samples and float64 row helpers. Not an op. */

import type { Buf, Emitter, Floats, KernelsTaking } from '../emitters/emitter.js'
import { NoOnnxForm, type OnnxForm } from './onnx.js'
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

/** Kernels on rows, forward and backward. */
type RowKernel = KernelsTaking<{ x: Buf; y: Buf; m: number; n: number }>
type RowBackwardKernel = KernelsTaking<{ dy: Buf; y: Buf; dx: Buf; m: number; n: number }>

/** The kernel along `dim`, which is brought to the end and taken back. */
export function emitAlong(e: Emitter, kernel: RowKernel, app: Application<Along>): Buf {
  const { inputs, shape, attrs } = app
  const [m, n] = rowSizes(shape, attrs.dim)
  const x = toRows(e, inputs[0].buf, shape, attrs.dim)
  const y = e.alloc('float32', sizeOf(shape))
  e.kernels[kernel]({ x, y, m, n })
  return fromRows(e, y, shape, attrs.dim)
}

/** ONNX has the same ops, for ranks from 1. */
export function onnxAlong(opType: string): OnnxForm<Along> {
  return (graph, { inputs, shape, attrs }) => {
    if (shape.length === 0) throw new NoOnnxForm('the operand is a scalar')
    return graph.node(opType, inputs, { ints: { axis: attrs.dim } })
  }
}

/** Its gradient, from the result. */
export function emitAlongBackward(
  e: Emitter,
  kernel: RowBackwardKernel,
  { shape, out, attrs: { dim } }: Application<Along>,
  grad: Value,
): Buf {
  const [m, n] = rowSizes(shape, dim)
  const [dy, y] = [toRows(e, grad.buf, shape, dim), toRows(e, out, shape, dim)]
  const dx = e.alloc('float32', sizeOf(shape))
  e.kernels[kernel]({ dy, y, dx, m, n })
  return fromRows(e, dx, shape, dim)
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
