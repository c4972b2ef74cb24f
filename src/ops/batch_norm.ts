/** Normalisation of each channel over a batch, with the running statistics that stand in for a batch's own. */

import { checkBoolean, checkNumber, checkOptions } from '../base/check.js'
import { shapeError, typeError } from '../base/errors.js'
import type { Buf, Emitter, Twins } from '../emitters/emitter.js'
import { constantOf, type OnnxGraph, type OnnxName, type OnnxValue, scalar } from './onnx.js'
import { fromRows, rowSizes, toRows } from './rows.js'
import {
  type Application,
  checkDtype,
  checkOperand,
  defineOp,
  isSameShape,
  type Meta,
  type Operand,
  shapeText,
} from './spec.js'

/** The tensors of a batch norm besides x; [channels] each, but for the count. */
interface Tensors<T> {
  /** Scale and shift of the result. Default 1 and 0. */
  weight?: T | null
  bias?: T | null
  /** Statistics for evaluation; updated in training where given. */
  runningMean?: T | null
  runningVar?: T | null
  /** Batches that the running statistics have seen: int32 []. */
  batchesTracked?: T | null
}

export interface BatchNormOptions extends Tensors<Operand> {
  /** Use the batch's own statistics. Default false: the running ones. */
  training?: boolean
  /** Share of the batch in the running statistics; null: their plain mean over all batches. Default 0.1. */
  momentum?: number | null
  /** Added to the variance. Default 1e-5. */
  eps?: number
}

interface Attrs {
  /** Which operand is what. */
  readonly names: readonly string[]
  readonly training: boolean
  readonly momentum: number | null
  readonly eps: number
}

const where = 'batchNorm'
const tensors = ['weight', 'bias', 'runningMean', 'runningVar', 'batchesTracked'] as const
type Name = (typeof tensors)[number]
/** Those that training writes. */
const tracked = ['runningMean', 'runningVar', 'batchesTracked'] as const

function parse(x: Operand, options: BatchNormOptions = {}) {
  checkOptions(where, options, [...tensors, 'training', 'momentum', 'eps'])
  const { training = false, momentum = 0.1, eps = 1e-5 } = options
  const given = tensors.filter(name => options[name] !== undefined && options[name] !== null)
  const operands = [checkOperand(where, 'x', x), ...given.map(name => checkOperand(where, name, options[name]))]
  const attrs: Attrs = {
    names: ['x', ...given],
    training: checkBoolean(where, 'training', training),
    momentum: momentum === null ? null : checkNumber(where, 'momentum', momentum, { min: 0, max: 1 }),
    eps: checkNumber(where, 'eps', eps, { min: 0 }),
  }
  const tracking = tracked.filter(name => attrs.names.includes(name)).length
  if (!attrs.training && tracking < 2)
    throw typeError(where, 'runningMean and runningVar unless in training', undefined)
  if (attrs.training && tracking % 3 !== 0)
    throw typeError(where, 'all or none of runningMean, runningVar and batchesTracked in training', undefined)
  return { operands, attrs }
}

function infer(inputs: readonly Meta[], { names, training }: Attrs): Meta {
  const [x, ...others] = inputs
  checkDtype(where, 'x', x, 'float32')
  if (x.shape.length < 2) throw shapeError(where, 'x to have shape [rows, channels, ...]', shapeText(x.shape))
  others.forEach(({ shape, dtype }, i) => {
    const name = names[i + 1]
    const wanted = name === 'batchesTracked' ? [] : [x.shape[1]]
    checkDtype(where, name, { shape, dtype }, name === 'batchesTracked' ? 'int32' : 'float32')
    if (!isSameShape(shape, wanted))
      throw shapeError(where, `${name} to have shape ${shapeText(wanted)}`, shapeText(shape))
  })
  if (training && rowSizes(x.shape, 1)[0] < 2) {
    throw shapeError(where, 'more than 1 value per channel in training', `x of shape ${shapeText(x.shape)}`)
  }
  return x
}

function bufOf({ inputs, attrs }: Application<Attrs>, name: Name): Buf | null {
  return inputs[attrs.names.indexOf(name)]?.buf ?? null
}

/** Mean and variance of the batch, which the running ones take a share of. */
function emitMoments(e: Emitter, app: Application<Attrs>, rows: Buf, m: number, n: number): [mean: Buf, variance: Buf] {
  const [mean, variance] = [e.alloc('float32', n), e.alloc('float32', n)]
  e.kernels.column_moments({ x: rows, mean, var: variance, m, n })
  const [running_mean, running_var] = [bufOf(app, 'runningMean'), bufOf(app, 'runningVar')]
  const batches = bufOf(app, 'batchesTracked')
  if (running_mean && running_var && batches) {
    const momentum = app.attrs.momentum ?? -1
    const unbias = m / (m - 1)
    e.kernels.track_moments({ mean, var: variance, running_mean, running_var, batches, n, momentum, unbias })
  }
  return [mean, variance]
}

function forward(e: Emitter, app: Application<Attrs>): Buf {
  const { inputs, shape, attrs } = app
  const [m, n] = rowSizes(shape, 1)
  const rows = toRows(e, inputs[0].buf, shape, 1)
  const [mean, variance] = attrs.training
    ? emitMoments(e, app, rows, m, n)
    : [bufOf(app, 'runningMean') as Buf, bufOf(app, 'runningVar') as Buf]
  const y = e.alloc('float32', m * n)
  const [weight, bias] = [bufOf(app, 'weight'), bufOf(app, 'bias')]
  e.kernels.batch_norm_fwd({ x: rows, mean, var: variance, weight, bias, y, m, n, eps: attrs.eps })
  app.saved = [rows, mean, variance]
  return fromRows(e, y, shape, 1)
}

/** By the running statistics a node of ONNX, by the batch's own several. */
function onnx(graph: OnnxGraph, app: Application<Attrs>): OnnxName {
  const { inputs, shape, attrs } = app
  const channels = [shape[1]]
  const given = (name: Name, value: number) => inputs[attrs.names.indexOf(name)] ?? constantOf(graph, value, channels)
  const [x, scale, shift] = [inputs[0], given('weight', 1), given('bias', 0)]
  if (!attrs.training) {
    const operands = [x, scale, shift, given('runningMean', 0), given('runningVar', 1)]
    return graph.node('BatchNormalization', operands, { floats: { epsilon: attrs.eps } })
  }
  const others = graph.constant(
    'int64',
    shape.flatMap((_, i) => (i === 1 ? [] : [i])),
  )
  const mean = (value: OnnxValue) => graph.node('ReduceMean', [value, others])
  const wide = (value: OnnxValue) =>
    graph.node('Reshape', [value, graph.constant('int64', [...channels, ...shape.slice(2).map(() => 1)])])
  const centered = graph.node('Sub', [x, mean(x)])
  const variance = mean(graph.node('Mul', [centered, centered]))
  const deviation = graph.node('Sqrt', [graph.node('Add', [variance, scalar(graph, attrs.eps)])])
  const normal = graph.node('Div', [centered, deviation])
  return graph.node('Add', [graph.node('Mul', [normal, wide(scale)]), wide(shift)])
}

/** float64 twins of the column kernels. */
const reference: Twins = {
  column_moments({ x, mean, var: variance, m, n }) {
    for (let j = 0; j < n; j++) {
      mean[j] = 0
      variance[j] = 0
      for (let i = 0; i < m; i++) mean[j] += x[i * n + j] / m
      for (let i = 0; i < m; i++) variance[j] += (x[i * n + j] - mean[j]) ** 2 / m
    }
  },
  track_moments({ mean, var: variance, running_mean, running_var, batches, n, momentum, unbias }) {
    batches[0] = Math.min(batches[0] + 1, 2 ** 31 - 1)
    const share = momentum < 0 ? 1 / batches[0] : momentum
    for (let j = 0; j < n; j++) {
      running_mean[j] = share * mean[j] + (1 - share) * running_mean[j]
      running_var[j] = share * variance[j] * unbias + (1 - share) * running_var[j]
    }
  },
  batch_norm_fwd({ x, mean, var: variance, weight, bias, y, m, n, eps }) {
    for (let i = 0; i < m * n; i++) {
      const [j, scale] = [i % n, 1 / Math.sqrt(variance[i % n] + eps)]
      y[i] = (x[i] - mean[j]) * scale * (weight?.[j] ?? 1) + (bias?.[j] ?? 0)
    }
  },
  batch_norm_bwd({ dy, x, mean, var: variance, weight, dx, dweight, dbias, m, n, eps, batch_moments }) {
    for (let j = 0; j < n; j++) {
      const rstd = 1 / Math.sqrt(variance[j] + eps)
      const normal = (i: number) => (x[i * n + j] - mean[j]) * rstd
      let [total, dot] = [0, 0]
      for (let i = 0; i < m; i++) {
        total += dy[i * n + j]
        dot += dy[i * n + j] * normal(i)
      }
      if (dweight) dweight[j] = dot
      if (dbias) dbias[j] = total
      for (let i = 0; dx && i < m; i++) {
        const through = batch_moments ? (total + normal(i) * dot) / m : 0
        dx[i * n + j] = rstd * (weight?.[j] ?? 1) * (dy[i * n + j] - through)
      }
    }
  },
}

/**
 * `(x - mean) / √(var + eps) · weight + bias` per channel: x [rows, channels, ...]. In training mean and (biased) variance
 * are those of the batch, and the running ones become `(1 - momentum)·running + momentum·(mean, unbiased variance)`; else
 * they are the running ones. Throws ERR_SHAPE in training for a single value per channel.
 * Source: Ioffe and Szegedy (2015); torch.nn.functional.batch_norm.
 */
export const batchNorm = defineOp({
  name: where,
  parse,
  infer,
  writes: ({ names, training }) => (training ? tracked.map(name => names.indexOf(name)).filter(i => i >= 0) : []),
  forward,
  backward(e, app, grad) {
    const { attrs, shape, saved, needs } = app
    const [m, n] = rowSizes(shape, 1)
    const wanted = (name: string, size: number) => {
      const i = attrs.names.indexOf(name)
      return i >= 0 && needs[i] ? e.alloc('float32', size) : null
    }
    const [dx, dweight, dbias] = [wanted('x', m * n), wanted('weight', n), wanted('bias', n)]
    const [x, mean, variance] = saved
    const [dy, weight] = [toRows(e, grad.buf, shape, 1), bufOf(app, 'weight')]
    const { eps, training } = attrs
    const batch_moments = Number(training)
    e.kernels.batch_norm_bwd({ dy, x, mean, var: variance, weight, dx, dweight, dbias, m, n, eps, batch_moments })
    const grads: Record<string, Buf | null> = { x: dx && fromRows(e, dx, shape, 1), weight: dweight, bias: dbias }
    return attrs.names.map(name => grads[name] ?? null)
  },
  reference,
  onnx,
  samples: () => [
    { x: [[5, 3]], args: [{ training: true }] },
    { x: [[6, 2]], args: [{ training: true, weight: { parameter: [2] }, bias: { parameter: [2] } }] },
    { x: [[2, 3, 4]], args: [{ training: true, weight: { parameter: [3] }, eps: 0.01 }] },
    { x: [[35, 18]], args: [{ training: true, bias: { parameter: [18] } }] },
    { x: [[4, 3]], args: [{ runningMean: { shape: [3] }, runningVar: { shape: [3] }, weight: { parameter: [3] } }] },
    { x: [[1, 3, 2]], args: [{ runningMean: { shape: [3] }, runningVar: { shape: [3] }, bias: { parameter: [3] } }] },
  ],
  badSamples: () => [
    { x: [[1, 3]], args: [{ training: true }], message: 'more than 1 value per channel in training' },
    { x: [[4]], args: [{ training: true }], message: 'x to have shape [rows, channels, ...]' },
    { x: [[4, 3]], message: 'runningMean and runningVar unless in training' },
    { x: [[4, 3]], args: [{ training: true, weight: { shape: [4] } }], message: 'weight to have shape [3]' },
    { x: [[4, 3]], args: [{ training: true, momentum: 2 }], message: 'momentum to be' },
    { x: [[4, 3]], args: [{ training: true, runningMean: { shape: [3] } }], message: 'all or none of' },
    { x: [[4, 3]], args: [{ training: 1 }], message: 'training to be a boolean' },
  ],
})
