/**
 * What functions of one number share: a kernel `<kernel>_fwd` of x, a kernel `<kernel>_bwd` of dy and of x or y, both with
 * the same scalars, and their float64 twins. Not an op.
 */

import type { Buf, Emitter, Floats, Twins } from '../emitters/emitter.js'
import type { KernelDims, KernelName } from '../native/types.js'
import { sameShape } from './elementwise.js'
import type { OnnxForm } from './onnx.js'
import { type BadSample, checkOperand, defineOp, type Operand, type Sample, sizeOf } from './spec.js'

/** The names of pairs of kernels on n numbers, without their endings. */
export type CurveKernel = {
  [K in KernelName]: K extends `${infer C}_fwd`
    ? [`${C}_bwd`, KernelDims[K]] extends [KernelName, 'n']
      ? C
      : never
    : never
}[KernelName]

type Scalars = Readonly<Record<string, number>>

/** The twins of a pair of kernels, for one element. */
export interface Curve {
  readonly value: (x: number, scalars: Scalars) => number
  /** dx from dy and from x, or y where the spec says so. */
  readonly gradient: (dy: number, v: number, scalars: Scalars) => number
}

/** The kernels and scalars that a call's options stand for. */
export interface Chosen {
  readonly kernel: CurveKernel
  /** By the kernels' names for them; none where it has none. */
  readonly scalars?: Scalars
}

interface CurveSpec<P extends readonly unknown[]> {
  readonly name: string
  /** What the slope is a function of: the operand or the result. */
  readonly slopeOf: 'x' | 'y'
  /** By the kernels' names without their endings. */
  readonly curves: { readonly [K in CurveKernel]?: Curve }
  readonly choose: (...options: P) => Chosen
  readonly onnx: OnnxForm<Chosen>
  /** Where the function has values. Default: everywhere. */
  readonly domain?: { readonly from: number; readonly to: number }
  /** Options that every sample of a shape is given. Default: none. */
  readonly args?: P
  readonly samples?: readonly Sample[]
  readonly badSamples?: readonly BadSample[]
}

/** The arguments of a curve's kernel as its twin gets them, scalars among them. */
type TwinArgs = Scalars & Readonly<Record<'x' | 'y' | 'dy' | 'dx', Floats>>

function twins(kernel: string, { value, gradient }: Curve, slopeOf: 'x' | 'y'): Twins {
  return {
    [`${kernel}_fwd`](args: TwinArgs) {
      for (let i = 0; i < args.n; i++) args.y[i] = value(args.x[i], args)
    },
    [`${kernel}_bwd`](args: TwinArgs) {
      for (let i = 0; i < args.n; i++) args.dx[i] = gradient(args.dy[i], args[slopeOf][i], args)
    },
  }
}

/** Emits one of a curve's kernels: these arguments and, where it has some, its scalars. */
function emitCurve(e: Emitter, kernel: string, args: Record<string, Buf | number>, scalars: Scalars | undefined): void {
  const kernels = e.kernels as unknown as Record<string, (args: object) => void>
  kernels[kernel](scalars ? Object.assign(args, scalars) : args)
}

/** The op y = f(x), elementwise, with options that choose among its curves. */
export function defineCurve<P extends readonly unknown[]>(spec: CurveSpec<P>) {
  const { name, slopeOf, curves, choose, onnx, domain, args, samples = [], badSamples = [] } = spec
  return defineOp({
    name,
    parse: (x: Operand, ...options: P) => ({ operands: [checkOperand(name, 'x', x)], attrs: choose(...options) }),
    infer: sameShape(name),
    forward(e, { inputs: [x], shape, attrs: { kernel, scalars } }) {
      const n = sizeOf(shape)
      const y = e.alloc('float32', n)
      emitCurve(e, `${kernel}_fwd`, { x: x.buf, y, n }, scalars)
      return y
    },
    backward(e, { inputs: [x], out, attrs: { kernel, scalars } }, { buf: dy, shape }) {
      const n = sizeOf(shape)
      const dx = e.alloc('float32', n)
      emitCurve(e, `${kernel}_bwd`, slopeOf === 'x' ? { dy, x: x.buf, dx, n } : { dy, y: out, dx, n }, scalars)
      return [dx]
    },
    givesOwnGradients: true,
    reference: Object.assign({}, ...Object.entries(curves).map(([kernel, curve]) => twins(kernel, curve, slopeOf))),
    onnx,
    samples: () => [...shapes.map(shape => ({ x: [domain ? { shape, ...domain } : shape], args })), ...samples],
    badSamples: () => [{ x: [undefined], message: 'x to be a Tensor' }, ...badSamples],
  })
}

const shapes = [[2, 3], [17], [], [0]]

/** For ops without options: the kernels are named like the op. */
export function only(kernel: CurveKernel): () => Chosen {
  const chosen = { kernel }
  return () => chosen
}
