/** Normalisation of each row over its last dimensions. */

import { checkInt, checkNumber, checkOptions } from '../base/check.js'
import { rangeError, shapeError } from '../base/errors.js'
import type { Buf, Twins } from '../emitters/emitter.js'
import { constantOf } from './onnx.js'
import { type Application, checkDtype, checkOperand, defineOp, type Operand, shapeText, sizeOf } from './spec.js'

export interface LayerNormOptions {
  /** Scale and shift of the result, of the normalised shape. Default 1 and 0. */
  weight?: Operand | null
  bias?: Operand | null
  /** Added to the variance. Default 1e-5. */
  eps?: number
}

interface Attrs {
  readonly normalizedShape: readonly number[]
  readonly hasWeight: boolean
  readonly hasBias: boolean
  readonly eps: number
}

const where = 'layerNorm'

/** The last dimensions that are normalised over, as an array; throws TypeError or RangeError. */
export function checkNormalizedShape(caller: string, shape: number | readonly number[]): readonly number[] {
  const sizes = Array.isArray(shape) ? [...shape] : [shape as number]
  if (sizes.length === 0) throw rangeError(caller, 'normalizedShape to have at least one dimension', sizes)
  return sizes.map(size => checkInt(caller, 'sizes in normalizedShape', size, { min: 1, max: 2 ** 31 - 1 }))
}

/** Rows, and values in each. */
function sizes({ shape, attrs }: Application<Attrs>): [m: number, n: number] {
  const { normalizedShape } = attrs
  return [sizeOf(shape.slice(0, shape.length - normalizedShape.length)), sizeOf(normalizedShape)]
}

function weightOf({ inputs, attrs }: Application<Attrs>): Buf | null {
  return attrs.hasWeight ? inputs[1].buf : null
}

/** float64 twins of the row kernels. */
const reference: Twins = {
  layer_norm_fwd({ x, weight, bias, y, mean, rstd, m, n, eps }) {
    for (let i = 0; i < m; i++) {
      let [center, variance] = [0, 0]
      for (let j = 0; j < n; j++) center += x[i * n + j] / n
      for (let j = 0; j < n; j++) variance += (x[i * n + j] - center) ** 2 / n
      mean[i] = center
      rstd[i] = 1 / Math.sqrt(variance + eps)
      for (let j = 0; j < n; j++) {
        y[i * n + j] = (x[i * n + j] - center) * rstd[i] * (weight?.[j] ?? 1) + (bias?.[j] ?? 0)
      }
    }
  },
  layer_norm_input_bwd({ dy, x, mean, rstd, weight, dx, m, n }) {
    for (let i = 0; i < m; i++) {
      const slope = (j: number) => dy[i * n + j] * (weight?.[j] ?? 1)
      const normal = (j: number) => (x[i * n + j] - mean[i]) * rstd[i]
      let [total, dot] = [0, 0]
      for (let j = 0; j < n; j++) {
        total += slope(j)
        dot += slope(j) * normal(j)
      }
      for (let j = 0; j < n; j++) dx[i * n + j] = rstd[i] * (slope(j) - (total + normal(j) * dot) / n)
    }
  },
  layer_norm_weight_bwd({ dy, x, mean, rstd, dweight, dbias, m, n }) {
    dweight?.fill(0, 0, n)
    dbias?.fill(0, 0, n)
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        if (dweight) dweight[j] += dy[i * n + j] * (x[i * n + j] - mean[i]) * rstd[i]
        if (dbias) dbias[j] += dy[i * n + j]
      }
    }
  },
}

/**
 * `(x - mean) / √(var + eps) · weight + bias`, mean and (biased) variance taken over the last dimensions, which are
 * `normalizedShape`. Source: Ba, Kiros and Hinton (2016); torch.nn.functional.layer_norm.
 */
export const layerNorm = defineOp({
  name: where,
  parse: (x: Operand, normalizedShape: number | readonly number[], options: LayerNormOptions = {}) => {
    const { weight, bias, eps = 1e-5 } = checkOptions(where, options, ['weight', 'bias', 'eps'])
    const operands = [checkOperand(where, 'x', x)]
    if (weight) operands.push(checkOperand(where, 'weight', weight))
    if (bias) operands.push(checkOperand(where, 'bias', bias))
    const attrs: Attrs = {
      normalizedShape: checkNormalizedShape(where, normalizedShape),
      hasWeight: Boolean(weight),
      hasBias: Boolean(bias),
      eps: checkNumber(where, 'eps', eps, { min: 0 }),
    }
    return { operands, attrs }
  },
  infer([x, ...vectors], { normalizedShape, hasWeight }) {
    checkDtype(where, 'x', x, 'float32')
    const wanted = shapeText(normalizedShape)
    if (shapeText(x.shape.slice(-normalizedShape.length)) !== wanted)
      throw shapeError(where, `x to have a shape that ends in ${wanted}`, shapeText(x.shape))
    vectors.forEach((vector, i) => {
      const name = i === 0 && hasWeight ? 'weight' : 'bias'
      checkDtype(where, name, vector, 'float32')
      if (shapeText(vector.shape) !== wanted)
        throw shapeError(where, `${name} to have shape ${wanted}`, shapeText(vector.shape))
    })
    return x
  },
  forward(e, app) {
    const { inputs, attrs } = app
    const [m, n] = sizes(app)
    const [y, mean, rstd] = [e.alloc('float32', m * n), e.alloc('float32', m), e.alloc('float32', m)]
    const bias = attrs.hasBias ? inputs[inputs.length - 1].buf : null
    e.kernels.layer_norm_fwd({ x: inputs[0].buf, weight: weightOf(app), bias, y, mean, rstd, m, n, eps: attrs.eps })
    app.saved = [mean, rstd]
    return y
  },
  backward(e, app, grad) {
    const { inputs, attrs, needs, saved } = app
    const [m, n] = sizes(app)
    const places = { weight: attrs.hasWeight ? 1 : -1, bias: attrs.hasBias ? inputs.length - 1 : -1 }
    const dx = needs[0] ? e.alloc('float32', m * n) : null
    const dweight = needs[places.weight] ? e.alloc('float32', n) : null
    const dbias = needs[places.bias] ? e.alloc('float32', n) : null
    const [dy, x, [mean, rstd]] = [grad.buf, inputs[0].buf, saved]
    if (dx) e.kernels.layer_norm_input_bwd({ dy, x, mean, rstd, weight: weightOf(app), dx, m, n })
    if (dweight || dbias) e.kernels.layer_norm_weight_bwd({ dy, x, mean, rstd, dweight, dbias, m, n })
    return inputs.map((_, i) => (i === 0 ? dx : i === places.weight ? dweight : dbias))
  },
  reference,
  onnx(graph, app) {
    const { inputs, attrs } = app
    const { normalizedShape, hasWeight, hasBias, eps } = attrs
    const weight = hasWeight ? inputs[1] : constantOf(graph, 1, normalizedShape)
    const operands = [inputs[0], weight, ...(hasBias ? [inputs[inputs.length - 1]] : [])]
    return graph.node('LayerNormalization', operands, {
      ints: { axis: -normalizedShape.length },
      floats: { epsilon: eps },
    })
  },
  samples: () => [
    { x: [[4, 5]], args: [5] },
    { x: [[2, 3, 4]], args: [[3, 4], { weight: { parameter: [3, 4] }, bias: { parameter: [3, 4] } }] },
    { x: [[6, 19]], args: [[19], { weight: { parameter: [19] }, eps: 0.01 }] },
    { x: [[2, 3]], args: [[3], { bias: { parameter: [3] } }] },
    { x: [[3]], args: [3] },
    { x: [[0, 3]], args: [3] },
  ],
  badSamples: () => [
    { x: [[2, 3]], args: [4], message: 'x to have a shape that ends in [4] but received [2, 3]' },
    { x: [[2, 3]], args: [[]], message: 'normalizedShape to have at least one dimension' },
    { x: [[2, 3]], args: [[2.5]], message: 'sizes in normalizedShape' },
    { x: [[2, 3]], args: [3, { weight: { shape: [2] } }], message: 'weight to have shape [3]' },
    { x: [[2, 3]], args: [3, { bias: { shape: [2] } }], message: 'bias to have shape [3]' },
    { x: [[2, 3]], args: [3, { eps: -1 }], message: 'eps to be' },
  ],
})
