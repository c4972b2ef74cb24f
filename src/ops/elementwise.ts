/** What the elementwise ops share: two operands that broadcast, or one whose shape stays. Not an op. */

import type { Buf, Emitter, KernelsTaking, TwinArguments, Twins } from '../emitters/emitter.js'
import { broadcastShape, expand, reduceTo } from './broadcast.js'
import { sameNode } from './onnx.js'
import {
  type Application,
  checkDtype,
  checkOperand,
  type Meta,
  type Operand,
  type OpSpec,
  sizeOf,
  type Value,
} from './spec.js'

export type Scalar = Operand | number

/** Gradients with respect to the two widened operands; null where `needs` says so. */
type BinaryBackward = (e: Emitter, grad: Buf, a: Buf, b: Buf, n: number, needs: readonly boolean[]) => (Buf | null)[]

/** An operand, or a number that stands for one. */
export function operandOrNumber(where: string, name: string, value: unknown): Scalar {
  return typeof value === 'number' ? value : checkOperand(where, name, value)
}

function wide(e: Emitter, app: Application<void>, i: number): Buf {
  const input = app.inputs[i]
  return expand(e, input.buf, input.shape, app.shape)
}

/** Kernels of one operand or two whose result has the same length. */
type UnaryKernel = KernelsTaking<{ x: Buf; y: Buf; n: number }>
type BinaryKernel = KernelsTaking<{ a: Buf; b: Buf; y: Buf; n: number }>

/** An op on two float32 operands with broadcasting; `of` makes a shape the operand of a sample. */
export function binary(
  name: string,
  kernel: BinaryKernel,
  backward: BinaryBackward,
  twin: (a: number, b: number) => number,
  opType: string,
  of: (shape: readonly number[]) => unknown = shape => shape,
) {
  return {
    name,
    parse: (a: Scalar, b: Scalar) => ({
      operands: [operandOrNumber(name, 'a', a), operandOrNumber(name, 'b', b)],
      attrs: undefined,
    }),
    infer([a, b]: readonly Meta[]) {
      checkDtype(name, 'a', a, 'float32')
      checkDtype(name, 'b', b, 'float32')
      return { shape: broadcastShape(name, a.shape, b.shape), dtype: 'float32' as const }
    },
    forward(e: Emitter, app: Application<void>) {
      const [a, b] = [wide(e, app, 0), wide(e, app, 1)]
      app.saved = [a, b]
      return emitBinary(e, kernel, a, b, sizeOf(app.shape))
    },
    backward(e: Emitter, app: Application<void>, grad: Value) {
      const [a, b] = app.saved
      const grads = backward(e, grad.buf, a, b, sizeOf(grad.shape), app.needs)
      return grads.map((g, i) => g && reduceTo(e, g, grad.shape, app.inputs[i].shape))
    },
    reference: {
      [kernel]: ({ a, b, y, n }: TwinArguments<BinaryKernel>) => {
        for (let i = 0; i < n; i++) y[i] = twin(a[i], b[i])
      },
    } as Twins,
    onnx: sameNode(opType),
    samples: () => binaryShapes.map(shapes => ({ x: shapes.map(of) })),
    badSamples: () => [
      { x: [[2, 3], [2]], message: 'broadcast' },
      { x: [[2], null], message: 'b to be a Tensor' },
      { x: [{ labels: [0, 1] }, [2]], message: 'a to be float32' },
    ],
  } satisfies OpSpec
}

const binaryShapes = [
  [[3], [3]],
  [[2, 3], [3]],
  [
    [2, 1],
    [1, 3],
  ],
  [
    [4, 1, 2],
    [3, 1],
  ],
  [[], [2, 2]],
  [[2, 2], []],
  [[0, 3], [3]],
]

/** A new float32 buffer with the kernel's y. */
export function emitBinary(e: Emitter, kernel: BinaryKernel, a: Buf, b: Buf, n: number): Buf {
  const y = e.alloc('float32', n)
  e.kernels[kernel]({ a, b, y, n })
  return y
}

/** A new float32 buffer with the kernel's y. */
export function emitUnary(e: Emitter, kernel: UnaryKernel, x: Buf, n: number): Buf {
  const y = e.alloc('float32', n)
  e.kernels[kernel]({ x, y, n })
  return y
}

/** A new float32 buffer with x times or by the same number everywhere. */
export function emitScaled(e: Emitter, kernel: 'mul_scalar' | 'div_scalar', x: Buf, n: number, s: number): Buf {
  const y = e.alloc('float32', n)
  e.kernels[kernel]({ x, y, n, s })
  return y
}

/** The single float32 operand of an op whose result has the same shape. */
export function sameShape(name: string) {
  return ([x]: readonly Meta[]): Meta => {
    checkDtype(name, 'x', x, 'float32')
    return x
  }
}

/** A new float32 buffer: a where the condition is not 0, else b; 0 for one that is null. */
export function emitChoose(e: Emitter, condition: Buf, a: Buf | null, b: Buf | null, n: number): Buf {
  const y = e.alloc('float32', n)
  e.kernels.choose({ condition, a, b, y, n })
  return y
}

/** As float32: integers are converted. */
export function asFloats(e: Emitter, { buf, dtype, shape }: Value): Buf {
  if (dtype === 'float32') return buf
  const n = sizeOf(shape)
  const y = e.alloc('float32', n)
  e.kernels.float_of_ints({ x: buf, y, n })
  return y
}

/** Sorts the arguments of an op with one operand and nothing else. */
export function parseUnary(name: string) {
  return (x: Operand) => ({ operands: [checkOperand(name, 'x', x)], attrs: undefined })
}
