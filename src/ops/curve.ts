/**
 * What functions of one number share: a kernel `<kernel>_fwd` of (x, y, n, ...scalars), a kernel `<kernel>_bwd` of
 * (dy, x or y, dx, n, ...scalars), and their float64 twins. Not an op.
 */

import type { Floats, ReferenceKernels } from '../emitters/emitter.js'
import { emitUnary, sameShape } from './elementwise.js'
import { type BadSample, checkOperand, defineOp, type Operand, type Sample, sizeOf } from './spec.js'

/** The twins of a pair of kernels, for one element. */
export interface Curve {
  readonly value: (x: number, ...scalars: number[]) => number
  /** dx from dy and from x, or y where the spec says so. */
  readonly gradient: (dy: number, v: number, ...scalars: number[]) => number
}

/** The kernels and scalars that a call's options stand for. */
export interface Chosen {
  readonly kernel: string
  readonly scalars: readonly number[]
}

interface CurveSpec<P extends readonly unknown[]> {
  readonly name: string
  /** What the slope is a function of: the operand or the result. */
  readonly slopeOf: 'x' | 'y'
  /** By the kernels' names without their endings. */
  readonly curves: Readonly<Record<string, Curve>>
  readonly choose: (...options: P) => Chosen
  /** Where the function has values. Default: everywhere. */
  readonly domain?: { readonly from: number; readonly to: number }
  readonly samples?: readonly Sample[]
  readonly badSamples?: readonly BadSample[]
}

function twins(kernel: string, { value, gradient }: Curve): ReferenceKernels {
  return {
    [`${kernel}_fwd`](x: Floats, y: Floats, n: number, ...scalars: number[]) {
      for (let i = 0; i < n; i++) y[i] = value(x[i], ...scalars)
    },
    [`${kernel}_bwd`](dy: Floats, v: Floats, dx: Floats, n: number, ...scalars: number[]) {
      for (let i = 0; i < n; i++) dx[i] = gradient(dy[i], v[i], ...scalars)
    },
  }
}

/** The op y = f(x), elementwise, with options that choose among its curves. */
export function defineCurve<P extends readonly unknown[]>(spec: CurveSpec<P>) {
  const { name, slopeOf, curves, choose, domain, samples = [], badSamples = [] } = spec
  return defineOp({
    name,
    parse: (x: Operand, ...options: P) => ({ operands: [checkOperand(name, 'x', x)], attrs: choose(...options) }),
    infer: sameShape(name),
    forward: (e, { inputs: [x], shape, attrs: { kernel, scalars } }) =>
      emitUnary(e, `${kernel}_fwd`, x.buf, sizeOf(shape), ...scalars),
    backward(e, { inputs: [x], out, attrs: { kernel, scalars } }, grad) {
      const dx = e.alloc('float32', grad.buf.length)
      const n = sizeOf(grad.shape)
      e.kernels[`${kernel}_bwd`](grad.buf, slopeOf === 'x' ? x.buf : out, dx, n, ...scalars)
      return [dx]
    },
    reference: Object.assign({}, ...Object.entries(curves).map(([kernel, curve]) => twins(kernel, curve))),
    samples: () => [...shapes.map(shape => ({ x: [domain ? { shape, ...domain } : shape] })), ...samples],
    badSamples: () => [{ x: [undefined], message: 'x to be a Tensor' }, ...badSamples],
  })
}

const shapes = [[2, 3], [17], [], [0]]

/** For ops without options: the kernels are named like the op. */
export function only(kernel: string): () => Chosen {
  const chosen = { kernel, scalars: [] }
  return () => chosen
}
