/**
 * The shape of an op's definition. An `OpSpec` is the only place that knows an op: how a user calls it, what shape it
 * gives, which kernels compute it forward and backward, their float64 twins, its form in ONNX, and samples for every
 * generic test.
 */

import { AnnealError, describe, phrase, shapeError, typeError } from '../base/errors.js'
import type { Buf, DType, Emitter, Twins } from '../emitters/emitter.js'
import type { OnnxForm } from './onnx.js'

/** What the user passes: a tensor, seen from here as no more than its shape and dtype. */
export interface Operand {
  readonly shape: readonly number[]
  readonly dtype: DType
}

/** Shape and dtype of a result. */
export interface Meta {
  readonly shape: readonly number[]
  readonly dtype: DType
}

/** A tensor's value in the hands of an emitter. */
export interface Value extends Meta {
  readonly buf: Buf
}

/** A user's call, sorted: the operands (numbers stand for 0-d tensors) and everything else. */
export interface Parsed<A> {
  readonly operands: readonly (Operand | number)[]
  readonly attrs: A
}

/** One application of an op: what forward and backward share. */
export interface Application<A> extends Meta {
  readonly inputs: readonly Value[]
  /** The result; known to backward only. */
  out: Buf
  readonly attrs: A
  /** needs[i]: whether the gradient with respect to input i is wanted. */
  readonly needs: readonly boolean[]
  /** Buffers that forward leaves for backward. */
  saved: readonly Buf[]
}

/** A call for the generic tests. */
export interface Sample {
  /**
   * Operands: a shape stands for random values, `{ shape, from, to }` for values in a range, `{ labels }` for an int32
   * tensor (with a `shape` where it has not one dimension), `{ list }` for several; anything else is passed as it is.
   */
  readonly x: readonly unknown[]
  /**
   * The other arguments, labels as above, `{ parameter }` one more operand of this shape; in options, `{ shape }` stands for
   * a tensor of positive values, `{ parameter }` for an operand.
   */
  readonly args?: readonly unknown[]
}

/** A call that must be refused. */
export interface BadSample extends Sample {
  /** Part of the message. */
  readonly message: string
}

// biome-ignore lint/suspicious/noExplicitAny: attrs differ per op; the registry holds them all.
export interface OpSpec<A = any, P extends readonly any[] = any[]> {
  readonly name: string
  /** Sorts the user's arguments; throws TypeError or RangeError. */
  readonly parse: (...args: P) => Parsed<A>
  /** Shape and dtype of the result; throws AnnealError. */
  readonly infer: (inputs: readonly Meta[], attrs: A) => Meta
  /** Emits the computation and returns the result's buffer, which may be an input's own. */
  readonly forward: (e: Emitter, app: Application<A>) => Buf
  /** Gradients with respect to each input, null where not needed. Absent: the result is a constant. */
  readonly backward?: (e: Emitter, app: Application<A>, grad: Value) => (Buf | null)[]
  /** Whether each gradient is a buffer that nobody else has: it is given back once it has been used. Absent: perhaps not. */
  readonly givesOwnGradients?: true
  /** Whether a tensor has it as a method. Not where the first argument is a list, or PyTorch's method has another order. */
  readonly isMethod?: false
  /** The inputs, by position, that forward also writes. Absent: none. */
  readonly writes?: (attrs: A) => readonly number[]
  /** float64 twins of the kernels this op brings. */
  readonly reference?: Twins
  /** The same computation in ONNX, as predictions need it. */
  readonly onnx: OnnxForm<A>
  readonly samples: () => Sample[]
  readonly badSamples: () => BadSample[]
}

/** Identity with inference of attrs and parameters. */
export function defineOp<A, P extends readonly unknown[]>(spec: OpSpec<A, [...P]>): OpSpec<A, [...P]> {
  return spec
}

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1
  for (let i = 0; i < shape.length; i++) size *= shape[i]
  return size
}

export function isSameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** A shape as text: `[2, 3]`. */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`
}

/** Refuses what is not a tensor. */
export function checkOperand(where: string, name: string, value: unknown): Operand {
  const operand = value as Operand | null
  if (
    typeof operand !== 'object' ||
    operand === null ||
    !Array.isArray(operand.shape) ||
    typeof operand.dtype !== 'string'
  ) {
    throw typeError(where, `${name} to be a Tensor`, value)
  }
  return operand
}

/** Refuses a dtype other than the one an op computes in. */
export function checkDtype(where: string, name: string, meta: Meta, dtype: DType): void {
  if (meta.dtype !== dtype) throw new AnnealError('ERR_DTYPE', phrase(where, `${name} to be ${dtype}`, meta.dtype))
}

/** A dimension in [-rank, rank), made non-negative. A scalar counts as rank 1, as in PyTorch. */
export function normalizeDim(where: string, dim: unknown, rank: number, name = 'dim'): number {
  const range = Math.max(rank, 1)
  if (typeof dim !== 'number') throw typeError(where, `${name} to be an integer`, dim)
  if (!Number.isInteger(dim) || dim < -range || dim >= range) {
    throw new AnnealError('ERR_SHAPE', phrase(where, `${name} to be in [${-range}, ${range - 1}]`, describe(dim)))
  }
  return dim < 0 ? dim + range : dim
}

/** The size of `x` along `dim`, as `normalizeDim` says it. Refuses a scalar, which has no such. */
export function sizeAlong(where: string, { shape }: Pick<Meta, 'shape'>, dim: number): number {
  if (shape.length === 0) throw shapeError(where, 'x to have at least 1 dimension', '[]')
  return shape[dim]
}
