/** MinMaxScaler: columns within a range. Not here: reading X (transformer.ts). */

import { checkBoolean, checkNumber, checkOptions } from '../base/check.js'
import { rangeError, typeError } from '../base/errors.js'
import type { OnnxGraph, OnnxName } from '../ops/onnx.js'
import { type Features, type Frame, frameOf, numericFrame } from './frame.js'
import { withoutZeros } from './statistics.js'
import { type Learned, Scaler } from './transformer.js'

/** Options of `MinMaxScaler`. */
export interface MinMaxScalerOptions {
  /** Where the least and the largest value of a column go. Default [0, 1]. */
  featureRange?: readonly [number, number]
  /** Keep what is outside of what `fit` saw within the range. Default false. */
  clip?: boolean
}

const LEARNED: Learned = {
  min: 'numbers',
  scale: 'numbers',
  dataMin: 'numbers',
  dataMax: 'numbers',
  dataRange: 'numbers',
  nSamplesSeen: 'counts',
}

/**
 * Scales columns to a range [a, b]: z = x·scale + min, with scale = (b - a) / (dataMax - dataMin), min = a - dataMin·scale.
 *
 * A constant column is divided by 1. NaN is left out of the statistics and stays NaN. Throws TypeError for text,
 * ERR_NONFINITE for infinite values. Source: sklearn.preprocessing.MinMaxScaler.
 *
 * ```ts
 * const scaler = new preprocessing.MinMaxScaler({ featureRange: [-1, 1] })
 * scaler.fitTransform([[1], [2], [3]]).toArray() // [[-1], [0], [1]]
 * ```
 */
export class MinMaxScaler extends Scaler<Required<MinMaxScalerOptions>> {
  min: Float64Array | null = null
  scale: Float64Array | null = null
  dataMin: Float64Array | null = null
  dataMax: Float64Array | null = null
  dataRange: Float64Array | null = null
  nSamplesSeen: number | null = null

  constructor(options: MinMaxScalerOptions = {}) {
    const name = 'MinMaxScaler'
    const { featureRange = [0, 1], clip = false } = checkOptions(name, options, ['featureRange', 'clip'])
    if (!Array.isArray(featureRange) || featureRange.length !== 2)
      throw typeError(name, 'featureRange to be two numbers', featureRange)
    featureRange.forEach((x, i) => void checkNumber(name, `featureRange[${i}]`, x))
    if (featureRange[0] >= featureRange[1]) throw rangeError(name, 'featureRange to rise', featureRange)
    checkBoolean(name, 'clip', clip)
    super(name, { featureRange: [featureRange[0], featureRange[1]], clip }, LEARNED)
  }

  /** Learns from X beside what it has learned already. Returns itself. */
  partialFit(X: Features): this {
    const frame = frameOf(this.name, X)
    if (this.nFeaturesIn === null) this.learn(frame)
    else this.#update(this.checkFeatures(frame), true)
    return this
  }

  /** @internal */
  fitFrame(frame: Frame): void {
    this.#update(frame, false)
  }

  /** @internal */
  forwardOf(c: number): (x: number) => number {
    const { clip, featureRange } = this.options
    const [scale, min] = [this.scale![c], this.min![c]]
    if (!clip) return x => x * scale + min
    return x => Math.min(Math.max(x * scale + min, featureRange[0]), featureRange[1])
  }

  /** @internal */
  inverseOf(c: number): (x: number) => number {
    const [scale, min] = [this.scale![c], this.min![c]]
    return x => (x - min) / scale
  }

  /** @internal */
  onnxScaled(graph: OnnxGraph, x: OnnxName): OnnxName {
    const [scale, min] = [this.scale!, this.min!].map(values => graph.constant('float64', values))
    const scaled = graph.node('Add', [graph.node('Mul', [x, scale]), min])
    const { clip, featureRange } = this.options
    if (!clip) return scaled
    return graph.node('Clip', [scaled, ...featureRange.map(bound => graph.constant('float64', [bound], []))])
  }

  #update(frame: Frame, onward: boolean): void {
    const { columns } = numericFrame(this.name, frame)
    const [low, high] = this.options.featureRange
    const [leasts, mosts] = [Math.min, Math.max].map(pick => columns.map(values => extreme(values, pick)))
    const dataMin = Float64Array.from(leasts, (x, c) => (onward ? Math.min(this.dataMin![c], x) : x))
    const dataMax = Float64Array.from(mosts, (x, c) => (onward ? Math.max(this.dataMax![c], x) : x))
    this.dataRange = dataMax.map((most, c) => most - dataMin[c])
    const scale = withoutZeros(this.dataRange).map(range => (high - low) / range)
    this.min = scale.map((s, c) => low - dataMin[c] * s)
    Object.assign(this, { dataMin, dataMax, scale, nSamplesSeen: frame.rows + (onward ? this.nSamplesSeen! : 0) })
  }
}

/** The least or the largest value that is no NaN; NaN of none. */
function extreme(values: Float64Array, pick: (a: number, b: number) => number): number {
  return values.reduce((best, x) => (Number.isNaN(x) ? best : Number.isNaN(best) ? x : pick(best, x)), NaN)
}
