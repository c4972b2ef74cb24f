/** RobustScaler: columns by median and quantiles. Not here: reading X (transformer.ts). */

import { checkBoolean, checkNumber, checkOptions } from '../base/check.js'
import { rangeError, typeError } from '../base/errors.js'
import type { OnnxGraph, OnnxName } from '../ops/onnx.js'
import { type Frame, numericFrame } from './frame.js'
import { normalQuantile } from './normal_quantile.js'
import { medianOf, percentileOf, sortedPresent, withoutZeros } from './statistics.js'
import { Scaler } from './transformer.js'

/** Options of `RobustScaler`. */
export interface RobustScalerOptions {
  /** Subtract the median. Default true. */
  withCentering?: boolean
  /** Divide by the range between the quantiles. Default true. */
  withScaling?: boolean
  /** The quantiles in per cent, 0 to 100. Default [25, 75]. */
  quantileRange?: readonly [number, number]
  /** Scale so that normally distributed columns have variance 1. Default false. */
  unitVariance?: boolean
}

/**
 * Scales columns by what outliers do not move: z = (x - center) / scale, the median and the range between two quantiles.
 *
 * A range of 0 is replaced by 1. NaN is left out of the statistics and stays NaN. Throws TypeError for text,
 * ERR_NONFINITE for infinite values. Source: sklearn.preprocessing.RobustScaler.
 *
 * ```ts
 * new preprocessing.RobustScaler().fitTransform([[1], [2], [3], [4], [1000]]).toArray() // [[-1], [-0.5], [0], [0.5], [498.5]]
 * ```
 */
export class RobustScaler extends Scaler<Required<RobustScalerOptions>> {
  center: Float64Array | null = null
  scale: Float64Array | null = null

  constructor(options: RobustScalerOptions = {}) {
    super('RobustScaler', checkRobust(options), { center: 'numbers', scale: 'numbers' })
  }

  /** @internal */
  fitFrame(frame: Frame): void {
    const { withCentering, withScaling } = this.options
    const sorted = numericFrame(this.name, frame).columns.map(sortedPresent)
    this.center = withCentering ? Float64Array.from(sorted, medianOf) : null
    this.scale = withScaling ? this.#scaleOf(sorted) : null
  }

  /** @internal */
  forwardOf(c: number): (x: number) => number {
    const [center, scale] = [this.center?.[c] ?? 0, this.scale?.[c] ?? 1]
    return x => (x - center) / scale
  }

  /** @internal */
  inverseOf(c: number): (x: number) => number {
    const [center, scale] = [this.center?.[c] ?? 0, this.scale?.[c] ?? 1]
    return x => x * scale + center
  }

  /** @internal */
  onnxScaled(graph: OnnxGraph, x: OnnxName): OnnxName {
    const centered = this.center ? graph.node('Sub', [x, graph.constant('float64', this.center)]) : x
    return this.scale ? graph.node('Div', [centered, graph.constant('float64', this.scale)]) : centered
  }

  #scaleOf(sorted: Float64Array[]): Float64Array {
    const { quantileRange, unitVariance } = this.options
    const [low, high] = quantileRange
    const ranges = Float64Array.from(sorted, values => percentileOf(values, high) - percentileOf(values, low))
    const unit = unitVariance ? normalQuantile(high / 100) - normalQuantile(low / 100) : 1
    return withoutZeros(ranges).map(range => range / unit)
  }
}

function checkRobust(options: RobustScalerOptions): Required<RobustScalerOptions> {
  const name = 'RobustScaler'
  checkOptions(name, options, ['withCentering', 'withScaling', 'quantileRange', 'unitVariance'])
  const { withCentering = true, withScaling = true, quantileRange = [25, 75], unitVariance = false } = options
  checkBoolean(name, 'withCentering', withCentering)
  checkBoolean(name, 'withScaling', withScaling)
  checkBoolean(name, 'unitVariance', unitVariance)
  if (!Array.isArray(quantileRange) || quantileRange.length !== 2)
    throw typeError(name, 'quantileRange to be two numbers', quantileRange)
  quantileRange.forEach((x, i) => void checkNumber(name, `quantileRange[${i}]`, x, { min: 0, max: 100 }))
  if (quantileRange[0] > quantileRange[1]) throw rangeError(name, 'quantileRange to rise', quantileRange)
  return { withCentering, withScaling, quantileRange: [...quantileRange] as [number, number], unitVariance }
}
