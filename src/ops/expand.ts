/** Dimensions of size 1, repeated. */

import { AnnealError, phrase, typeError } from '../base/errors.js'
import { reduceTo, expand as widen } from './broadcast.js'
import { checkDtype, checkOperand, defineOp, type Meta, type Operand, shapeText } from './spec.js'

function checkSizes(sizes: unknown): readonly number[] {
  if (!Array.isArray(sizes)) throw typeError('expand', 'sizes to be an array of integers', sizes)
  for (const size of sizes) {
    if (!Number.isSafeInteger(size) || size < -1) throw typeError('expand', 'sizes to be integers of at least -1', size)
  }
  return sizes
}

function resolve({ shape }: Meta, sizes: readonly number[]): number[] {
  const added = sizes.length - shape.length
  const wide = sizes.map((size, i) => (size === -1 && i >= added ? shape[i - added] : size))
  const fits =
    added >= 0 &&
    wide.every((size, i) => size >= 0 && (i < added || shape[i - added] === 1 || shape[i - added] === size))
  if (!fits)
    throw new AnnealError(
      'ERR_SHAPE',
      phrase('expand', `sizes to which ${shapeText(shape)} can grow`, shapeText(sizes)),
    )
  return wide
}

/**
 * `x` with its dimensions of size 1 repeated, and new ones in front; -1 keeps a size. The result is a copy: PyTorch's is a
 * view. Source: torch.Tensor.expand.
 */
export const expand = defineOp({
  name: 'expand',
  parse: (x: Operand, sizes: readonly number[]) => ({
    operands: [checkOperand('expand', 'x', x)],
    attrs: { sizes: checkSizes(sizes) },
  }),
  infer([x], { sizes }) {
    checkDtype('expand', 'x', x, 'float32')
    return { shape: resolve(x, sizes), dtype: 'float32' }
  },
  forward: (e, { inputs: [x], shape }) => widen(e, x.buf, x.shape, shape),
  backward: (e, { inputs: [x] }, grad) => [reduceTo(e, grad.buf, grad.shape, x.shape)],
  onnx(graph, { inputs: [x], shape }) {
    const added = shape.length - x.shape.length
    const sizes = shape.map((size, i) => (size === x.shape[i - added] ? 1 : size)) // 1 keeps what is there
    return graph.node('Expand', [x, graph.constant('int64', sizes)])
  },
  samples: () => [
    { x: [[2, 1]], args: [[2, 3]] },
    { x: [[3, 1]], args: [[2, -1, 4]] },
    { x: [[]], args: [[2, 2]] },
    { x: [[2, 3]], args: [[-1, 3]] },
    { x: [[1, 3]], args: [[0, 3]] },
  ],
  badSamples: () => [
    { x: [[2, 3]], args: [[2, 4]], message: 'sizes to which [2, 3] can grow but received [2, 4]' },
    { x: [[2, 3]], args: [[3]], message: 'sizes to which [2, 3] can grow' },
    { x: [[3]], args: [[-1, 3]], message: 'sizes to which [3] can grow' },
    { x: [[3]], args: [3], message: 'sizes to be an array of integers' },
  ],
})
