/** StandardScaler: columns with mean 0 and variance 1. Not here: reading X (transformer.ts). */

import { checkBoolean, checkOptions } from '../base/check.js'
import { checkSampleWeight } from '../data/labels.js'
import type { OnnxGraph, OnnxName } from '../ops/onnx.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Features, type Frame, frameOf, numericFrame } from './frame.js'
import { sumOf, withoutZeros } from './statistics.js'
import { Scaler } from './transformer.js'

/** Options of `StandardScaler`. */
export interface StandardScalerOptions {
  /** Subtract the mean. Default true. */
  withMean?: boolean
  /** Divide by the standard deviation. Default true. */
  withStd?: boolean
}

/** How much each row counts. */
export interface Weighted {
  /** One weight per row, at least 0. Default: all 1. */
  sampleWeight?: Tensor | ArrayLike<number>
}

/** Count, mean and variance of a column so far. */
interface Moments {
  count: number
  mean: number
  variance: number
}

/**
 * Scales columns to mean 0 and variance 1: z = (x - mean) / scale.
 *
 * `mean`, `var` (of the whole, divided by n), `scale` = √var, and 1 where a column is constant; `nSamplesSeen`: rows
 * without missing values, one number where all columns have as many. NaN is left out of the statistics and stays NaN.
 * Throws TypeError for text, ERR_NONFINITE for infinite values. Source: sklearn.preprocessing.StandardScaler.
 *
 * ```ts
 * const scaler = new preprocessing.StandardScaler()
 * const train = scaler.fitTransform(XTrain) // float32 [n, columns]
 * const test = scaler.transform(XTest)
 * ```
 */
export class StandardScaler extends Scaler<Required<StandardScalerOptions>> {
  mean: Float64Array | null = null
  var: Float64Array | null = null
  scale: Float64Array | null = null
  nSamplesSeen: number | Float64Array | null = null

  constructor(options: StandardScalerOptions = {}) {
    const name = 'StandardScaler'
    const { withMean = true, withStd = true } = checkOptions(name, options, ['withMean', 'withStd'])
    checkBoolean(name, 'withMean', withMean)
    checkBoolean(name, 'withStd', withStd)
    super(name, { withMean, withStd }, { mean: 'numbers', var: 'numbers', scale: 'numbers', nSamplesSeen: 'counts' })
  }

  /** Learns from X alone; `sampleWeight` weighs its rows. Returns itself. */
  override fit(X: Features, weighted: Weighted = {}): this {
    return this.#update(frameOf(this.name, X), weighted, null)
  }

  /** Learns from X beside what it has learned already. Returns itself. */
  partialFit(X: Features, weighted: Weighted = {}): this {
    return this.#update(frameOf(this.name, X), weighted, this.nFeaturesIn)
  }

  /** @internal */
  fitFrame(frame: Frame): void {
    this.#update(frame, {}, null)
  }

  /** @internal */
  forwardOf(c: number): (x: number) => number {
    const [mean, scale] = this.#affine(c)
    return x => (x - mean) / scale
  }

  /** @internal */
  inverseOf(c: number): (x: number) => number {
    const [mean, scale] = this.#affine(c)
    return x => x * scale + mean
  }

  /** @internal */
  onnxScaled(graph: OnnxGraph, x: OnnxName): OnnxName {
    const columns = Array.from({ length: this.nFeaturesIn! }, (_, c) => this.#affine(c))
    const [means, scales] = [0, 1].map(i =>
      graph.constant(
        'float64',
        columns.map(pair => pair[i]),
      ),
    )
    return graph.node('Div', [graph.node('Sub', [x, means]), scales])
  }

  #affine(c: number): [number, number] {
    return [this.options.withMean ? this.mean![c] : 0, this.options.withStd ? this.scale![c] : 1]
  }

  #update(frame: Frame, weighted: Weighted, features: number | null): this {
    const { withMean, withStd } = this.options
    const { columns, contiguous } = numericFrame(this.name, features === null ? frame : this.checkFeatures(frame))
    const { sampleWeight } = checkOptions(this.name, weighted, ['sampleWeight'])
    const weights = sampleWeight === undefined ? null : checkSampleWeight(this.name, sampleWeight, frame.rows)
    const all = columns.map((values, c) => merged(this.#momentsOf(c, features), momentsOf(values, weights, contiguous)))
    const of = (field: keyof Moments) => Float64Array.from(all, moments => moments[field])
    const seen = of('count')
    this.mean = withMean || withStd ? of('mean') : null
    this.var = withStd ? of('variance') : null
    this.scale = this.var && withoutZeros(this.var.map(Math.sqrt), (_, c) => isConstant(all[c]))
    this.nSamplesSeen = seen.every(count => count === seen[0]) ? seen[0] : seen
    this.nFeaturesIn = columns.length
    this.featureNamesIn = frame.names
    return this
  }

  #momentsOf(c: number, features: number | null): Moments | null {
    if (features === null) return null
    const seen = this.nSamplesSeen!
    return { count: typeof seen === 'number' ? seen : seen[c], mean: this.mean?.[c] ?? 0, variance: this.var?.[c] ?? 0 }
  }
}

/** Of one column, NaN left out: a second pass corrects the mean's rounding (Chan, Golub, LeVeque 1983). */
function momentsOf(x: Float64Array, weights: Float64Array | null, contiguous: boolean): Moments {
  const sum = (value: (i: number) => number) =>
    sumOf(x.length, contiguous && !weights, weights ? i => weights[i] * value(i) : value)
  const count = sum(i => (Number.isNaN(x[i]) ? 0 : 1))
  const mean = sum(i => x[i]) / count
  const correction = sum(i => x[i] - mean)
  const squares = sum(i => (x[i] - mean) ** 2) - correction ** 2 / count
  return { count, mean, variance: squares / count }
}

/** Of two lots together. Source: Youngs and Cramer 1971, as scikit-learn's partial_fit. */
function merged(last: Moments | null, now: Moments): Moments {
  if (!last || last.count === 0) return now
  const [lastSum, nowSum, count] = [last.mean * last.count, now.mean * now.count, last.count + now.count]
  const ratio = last.count / now.count
  const between = now.count === 0 ? 0 : (ratio / count) * (lastSum / ratio - nowSum) ** 2
  const within = last.variance * last.count + (now.count === 0 ? 0 : now.variance * now.count)
  return { count, mean: (lastSum + (now.count === 0 ? 0 : nowSum)) / count, variance: (within + between) / count }
}

/** Whether the variance is within what rounding leaves of a constant. */
function isConstant({ count, mean, variance }: Moments): boolean {
  return variance <= count * Number.EPSILON * variance + (count * mean * Number.EPSILON) ** 2
}
