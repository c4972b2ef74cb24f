/** Random zeros, made up for by a larger rest. */

import { checkNumber, checkOptions } from '../base/check.js'
import type { Buf, Emitter } from '../emitters/emitter.js'
import { emitScaled, sameShape } from './elementwise.js'
import { NoOnnxForm } from './onnx.js'
import { checkOperand, defineOp, type Operand, sizeOf } from './spec.js'

/** Options of dropout. */
export interface DropoutOptions {
  /** Probability that an element becomes zero, in [0, 1]. Default 0.5. */
  p?: number
}

/** Throws TypeError or RangeError for a probability that is none. */
export function checkDropout(where: string, options: DropoutOptions): { readonly p: number } {
  const { p = 0.5 } = checkOptions(where, options, ['p'])
  return { p: checkNumber(where, 'p', p, { min: 0, max: 1 }) }
}

/** `x` times the scaled mask; without one all elements are dropped, which needs no draw. The op is its own adjoint. */
function emitMasked(e: Emitter, x: Buf, mask: Buf | undefined, n: number, p: number): Buf {
  if (!mask) return emitScaled(e, 'mul_scalar', x, n, 0)
  const y = e.alloc('float32', n)
  e.kernels.dropout({ x, mask, y, n, scale: 1 / Math.fround(1 - p) })
  return y
}

/**
 * Each element of `x` is zero with probability `p`, else `x / (1 - p)`; always, whatever the mode of a module. The mask
 * is drawn from the default generator, PyTorch's bit for bit. Source: torch.nn.functional.dropout.
 */
export const dropout = defineOp({
  name: 'dropout',
  parse: (x: Operand, options: DropoutOptions = {}) => ({
    operands: [checkOperand('dropout', 'x', x)],
    attrs: checkDropout('dropout', options),
  }),
  infer: sameShape('dropout'),
  forward(e, app) {
    const { inputs, attrs, shape } = app
    const n = sizeOf(shape)
    if (attrs.p === 0 || n === 0) return inputs[0].buf
    if (attrs.p < 1) app.saved = [e.bernoulli(n, 1 - attrs.p)]
    return emitMasked(e, inputs[0].buf, app.saved[0], n, attrs.p)
  },
  backward(e, { attrs: { p }, saved: [mask] }, grad) {
    const n = sizeOf(grad.shape)
    return [p === 0 || n === 0 ? grad.buf : emitMasked(e, grad.buf, mask, n, p)]
  },
  reference: {
    dropout({ x, mask, y, n, scale }) {
      for (let i = 0; i < n; i++) y[i] = x[i] * (mask[i] * scale)
    },
    mul_scalar({ x, y, n, s }) {
      for (let i = 0; i < n; i++) y[i] = x[i] * s
    },
  },
  onnx(_graph, { inputs: [x], attrs: { p } }) {
    if (p > 0) throw new NoOnnxForm('it drops elements in evaluation too, which nn.Dropout does not')
    return x
  },
  samples: () => [
    { x: [[5, 7]] },
    { x: [[40]], args: [{ p: 0.25 }] },
    { x: [[2, 3]], args: [{ p: 0 }] },
    { x: [[2, 3]], args: [{ p: 1 }] },
    { x: [[0, 3]] },
  ],
  badSamples: () => [
    { x: [[2]], args: [{ p: 1.5 }], message: 'p to be a finite number at least 0 and at most 1' },
    { x: [[2]], args: [{ p: Number.NaN }], message: 'p to be' },
    { x: [[2]], args: [{ q: 0.5 }], message: 'among p' },
    { x: [{ labels: [1] }], message: 'x to be float32' },
  ],
})
