/** What sum and mean share: which dimensions go, and how a gradient comes back through them. Not an op. */

import { checkBoolean, checkOptions } from '../base/check.js'
import { rangeError } from '../base/errors.js'
import type { Buf, Emitter } from '../emitters/emitter.js'
import { reduceTo } from './broadcast.js'
import type { OnnxForm } from './onnx.js'
import { checkDtype, checkOperand, type Meta, normalizeDim, type Operand } from './spec.js'

export interface ReductionAttrs {
  /** The reduced dimensions. */
  readonly dims: readonly number[]
  readonly keepdim: boolean
}

export interface ReductionOptions {
  /** Keep reduced dimensions with size 1. Default false. */
  keepdim?: boolean
}

/** One dimension or several. */
export type Dims = number | readonly number[]

/** Each of them non-negative. */
export function parseDims(where: string, name: string, dims: unknown, rank: number): number[] {
  const wanted: unknown[] = Array.isArray(dims) ? dims : [dims]
  const found = Array.from(wanted, dim => normalizeDim(where, dim, rank, name)) // of holes, too
  if (new Set(found).size !== found.length) throw rangeError(where, 'each dim to appear once', wanted)
  return found
}

export function parseReduction(name: string) {
  return (x: Operand, dim?: Dims | null, options: ReductionOptions = {}) => {
    const rank = checkOperand(name, 'x', x).shape.length
    const { keepdim = false } = checkOptions(name, options, ['keepdim'])
    const dims = parseDims(name, 'dim', dim ?? x.shape.map((_, i) => i), rank)
    return { operands: [x], attrs: { dims, keepdim: checkBoolean(name, 'keepdim', keepdim) } }
  }
}

/** The shape with the reduced dimensions kept as 1. */
export function keptShape(shape: readonly number[], dims: readonly number[]): number[] {
  return shape.map((size, i) => (dims.includes(i) ? 1 : size))
}

export function inferReduction(name: string) {
  return ([x]: readonly Meta[], { dims, keepdim }: ReductionAttrs): Meta => {
    checkDtype(name, 'x', x, 'float32')
    const shape = keepdim ? keptShape(x.shape, dims) : x.shape.filter((_, i) => !dims.includes(i))
    return { shape, dtype: 'float32' }
  }
}

/** The dimensions are an input in ONNX; a scalar has none. */
export function onnxReduction(opType: string): OnnxForm<ReductionAttrs> {
  return (graph, { inputs: [x], attrs: { dims, keepdim } }) => {
    const axes = graph.constant(
      'int64',
      dims.filter(d => d < x.shape.length),
    )
    return graph.node(opType, [x, axes], { ints: { keepdims: Number(keepdim), noop_with_empty_axes: 1 } })
  }
}

/** Sums `x` over `dims`. */
export function emitSum(e: Emitter, x: Buf, shape: readonly number[], dims: readonly number[]): Buf {
  return reduceTo(e, x, shape, keptShape(shape, dims))
}

export const reductionSamples = () => [
  { x: [[2, 3]] },
  { x: [[2, 3]], args: [0] },
  { x: [[2, 3, 4]], args: [[0, 2]] },
  { x: [[2, 3, 4]], args: [-2, { keepdim: true }] },
  { x: [[]] },
  { x: [[40, 3]], args: [0] },
]

export const badReductions = () => [
  { x: [[2, 3]], args: [2], message: 'dim to be in [-2, 1]' },
  { x: [[2, 3]], args: [[0, 0]], message: 'each dim to appear once' },
  { x: [[2, 3]], args: [new Array(1)], message: 'dim to be an integer' },
  { x: [[2, 3]], args: [0, { keepdim: 1 }], message: 'keepdim to be a boolean' },
  { x: [[2, 3]], args: [0, { keepDim: true }], message: 'among keepdim' },
]
