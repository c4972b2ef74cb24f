/**
 * The one interface between the definition of an op and what happens to it: ops *emit* kernel calls, an emitter runs
 * them now (native or float64 reference) or records them (the compiled plan). Not here: any arithmetic.
 */

import type { KernelArguments, KernelName, Kernels, ScalarsOf, UpdateKernel } from '../native/types.js'

export type DType = 'float32' | 'int32'

/** A buffer in the hands of an emitter: a typed array, or the name of one in a recording. Ops only pass it on. */
export interface Buf {
  readonly length: number
}

/** One function per kernel, called with its buffers, dims and scalars by name (native/kernels/kernels.def). */
export type KernelCalls = Kernels<Buf, Buf, Buf>

/** The kernels that take these arguments. */
export type KernelsTaking<A> = {
  [K in KernelName]: A extends KernelArguments<K, Buf, Buf, Buf>
    ? keyof KernelArguments<K, Buf, Buf, Buf> extends keyof A
      ? K
      : never
    : never
}[KernelName]

/** How an error names labels: `labels[3]`, and `indices[3, 1]` where each row has several (`width`). */
export interface LabelNames {
  readonly name: string
  readonly width: number
}

export interface Emitter {
  readonly kernels: KernelCalls
  /** A new buffer; the first call that names it as an output writes all of it. */
  alloc(dtype: DType | 'float64', length: number): Buf
  /** Nobody reads `buf` any more, which `alloc` gave: its memory may be given out again. */
  free(buf: Buf): void
  /** Whether `buf` is known to hold ones alone, so that a product with it can be left out. */
  isOnes(buf: Buf): boolean
  /** A buffer with these values: numbers that are the same on every run of the program. */
  constant(values: readonly number[]): Buf
  /** `length` elements of `buf` from `start`, sharing its memory. */
  slice(buf: Buf, start: number, length: number): Buf
  /** `length` numbers, 1 with this probability and else 0, from the default generator; in a recording anew in every step. */
  bernoulli(length: number, probability: number): Buf
  /**
   * `labels` as int32, every one in [0, classes) or equal to `ignoreIndex`; else ERR_LABEL_RANGE, which names the place.
   * Labels that a recording will only see later are checked when they become known. `as`: how messages name them.
   */
  labels(where: string, labels: Buf, classes: number, ignoreIndex: number, as?: LabelNames): Buf
  /** Refuses values outside of [0, 1] with ERR_LABEL_RANGE, which names the place; a recording takes what is sure to be inside. */
  probabilities(where: string, name: string, values: Buf): void
}

/** float32 arrays, or float64 ones in the reference. */
export type Floats = Float32Array | Float64Array

/** A kernel's arguments as its float64 twin gets them: the scalars of an update by name. */
export type TwinArguments<K extends KernelName> = K extends UpdateKernel
  ? Omit<KernelArguments<K, Floats, Int32Array, Floats>, 'scalars'> & { readonly scalars: ScalarsOf<K> }
  : KernelArguments<K, Floats, Int32Array, Floats>

/** Float64 twins of kernels in TypeScript: the same arguments, plain loops. */
export type Twins = { readonly [K in KernelName]?: (args: TwinArguments<K>) => void }
