/** The emitter that runs every kernel call at once: the eager engine, on native kernels or on their float64 twins. */

import { AnnealError, phrase } from '../base/errors.js'
import { defaultGenerator } from '../streams/index.js'
import type { Buf, DType, Emitter, KernelCalls, LabelNames } from './emitter.js'

/** Arrays a backend computes in. Native: float32; reference: float64. */
type FloatArray = Float32ArrayConstructor | Float64ArrayConstructor

export class RunNow implements Emitter {
  constructor(
    readonly kernels: KernelCalls,
    private readonly Floats: FloatArray,
  ) {}

  alloc(dtype: DType | 'float64', length: number): Buf {
    if (dtype === 'float32') return new this.Floats(length)
    return dtype === 'int32' ? new Int32Array(length) : new Float64Array(length)
  }

  constant(values: readonly number[]): Buf {
    return this.Floats.from(values)
  }

  slice(buf: Buf, start: number, length: number): Buf {
    return (buf as Float32Array).subarray(start, start + length)
  }

  bernoulli(length: number, probability: number): Buf {
    return defaultGenerator.bernoulli_(new this.Floats(length), probability)
  }

  labels(where: string, labels: Buf, classes: number, ignoreIndex: number, as?: LabelNames): Buf {
    return checkedLabels(where, labels as Float32Array | Int32Array, classes, ignoreIndex, as)
  }

  probabilities(where: string, name: string, values: Buf): void {
    checkProbabilities(where, name, values as Float32Array)
  }
}

/** Refuses the first value that is no probability. */
export function checkProbabilities(where: string, name: string, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) {
    if (values[i] >= 0 && values[i] <= 1) continue
    throw new AnnealError('ERR_LABEL_RANGE', phrase(where, `${name}[${i}] to be in [0, 1]`, values[i]))
  }
}

/** `labels` as int32; the first one that is no class and not `ignoreIndex` is an ERR_LABEL_RANGE that names its place. */
export function checkedLabels(
  where: string,
  labels: Float32Array | Float64Array | Int32Array,
  classes: number,
  ignoreIndex: number,
  { name, width }: LabelNames = { name: 'labels', width: 1 },
): Int32Array {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]
    if ((label >= 0 && label < classes && Number.isInteger(label)) || label === ignoreIndex) continue
    const place = width === 1 ? i : `${Math.floor(i / width)}, ${i % width}`
    const hint = labels.every(x => x >= 1 && x <= classes)
      ? ' (labels start at 0: preprocessing.LabelEncoder makes such)'
      : ''
    throw new AnnealError(
      'ERR_LABEL_RANGE',
      phrase(where, `${name}[${place}] to be in [0, ${classes - 1}]${hint}`, label),
    )
  }
  return labels instanceof Int32Array ? labels : Int32Array.from(labels)
}
