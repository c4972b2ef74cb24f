/** What the native addon exports: the TypeScript face of native/binding, nothing else. */

export type TypedArray = Float32Array | Float64Array | Int32Array

/** One function per kernel of native/kernels/kernels.def, called with its buffers, dims and scalars in that order. */
export type Kernels = Record<string, (...args: (TypedArray | null | number)[]) => void>

/** One line of kernels.def as data. */
export interface Signature {
  readonly id: number
  readonly buffers: readonly {
    readonly name: string
    readonly dtype: 'float32' | 'int32' | 'float64'
    readonly role: 'in' | 'out' | 'inout'
    readonly optional: boolean
    /** The dims in its brackets; none for a fixed size. */
    readonly dims: readonly string[]
  }[]
  readonly dims: readonly string[]
  readonly scalars: readonly string[]
}

/** Native memory of one column of a data set. */
export interface NativeStore {
  readonly length: number
  /** Copies values in, from element `offset`. */
  write(offset: number, values: TypedArray): void
}

/** What a run did: fewer steps than asked for where it was stopped. */
export interface PlanResult {
  readonly steps: number
  readonly losses: Float32Array
  readonly counts: Int32Array
}

/** A validated program set with its arena (native/plan). */
export interface NativePlan {
  write(offset: number, values: TypedArray): void
  read(offset: number, values: TypedArray): void
  /** `segments`: pairs of program and steps. */
  run(segments: Int32Array, order: Int32Array, rows: Float64Array, threads: number, draws?: Float32Array): PlanResult
  runAsync(
    segments: Int32Array,
    order: Int32Array,
    rows: Float64Array,
    threads: number,
    draws?: Float32Array,
  ): Promise<PlanResult>
  /** Ends a run after the current step. */
  stop(): void
}

export interface NativeAddon {
  /** Version and list of kernels that this binary was built from. */
  readonly build: string
  /** The instruction set in use: avx512, avx2, sse2 or neon. */
  readonly isa: string
  /** Physical cores that this process may use. */
  readonly cores: number
  readonly kernels: Kernels
  readonly signatures: Readonly<Record<string, Signature>>
  readonly Store: new (dtype: 'float32' | 'int32', length: number) => NativeStore
  readonly Plan: new (description: { arena: number; programs: Float64Array[]; stores: NativeStore[] }) => NativePlan
  readonly [name: string]: unknown
}
