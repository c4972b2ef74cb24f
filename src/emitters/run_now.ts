/** The emitter that runs every kernel call at once: the eager engine, on native kernels or on their float64 twins. */

import { AnnealError, phrase } from '../base/errors.js'
import { defaultGenerator } from '../streams/index.js'
import type { Buf, DType, Emitter, Floats, KernelCalls, LabelNames } from './emitter.js'
import { partOf } from './writes.js'

/** Arrays a backend computes in. Native: float32; reference: float64. */
type FloatArray = Float32ArrayConstructor | Float64ArrayConstructor

/** What is kept of freed buffers: those of few elements, which a step needs again and again, some of each of so many lengths. */
const KEPT = { elements: 4096, each: 4, lengths: 64 }

export class RunNow implements Emitter {
  /** Freed buffers by length: V8 takes longer to make one and to give it back than a small net's kernels to fill it. */
  readonly #freed = new Map<number, Floats[]>()

  constructor(
    readonly kernels: KernelCalls,
    private readonly Floats: FloatArray,
  ) {}

  alloc(dtype: DType | 'float64', length: number): Buf {
    if (dtype === 'float32') return this.#freed.get(length)?.pop() ?? new this.Floats(length)
    return dtype === 'int32' ? new Int32Array(length) : new Float64Array(length)
  }

  free(buf: Buf): void {
    const { length } = buf
    if (length > KEPT.elements) return
    const kept = this.#freed.get(length)
    if (!kept && this.#freed.size === KEPT.lengths) this.#freed.clear()
    if (!kept) this.#freed.set(length, [buf as Floats])
    else if (kept.length < KEPT.each) kept.push(buf as Floats)
  }

  isOnes(buf: Buf): boolean {
    return buf.length === 1 && (buf as Floats)[0] === 1
  }

  constant(values: readonly number[]): Buf {
    const made = new this.Floats(values.length)
    made.set(values)
    return made
  }

  slice(buf: Buf, start: number, length: number): Buf {
    return partOf(buf as Float32Array, start, start + length)
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
