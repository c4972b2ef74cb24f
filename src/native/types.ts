/** What the native addon exports: the TypeScript face of native/binding, nothing else. */

import type { KernelBuffers, KernelDims, KernelScalars, scalarFields } from './kernels.gen.js'

export type TypedArray = Float32Array | Float64Array | Int32Array

/** What data sets are stored in; those of the last two are widened by the kernels that read them. */
export type StoredType = 'float32' | 'int32' | NarrowType
export type NarrowType = 'uint8' | 'float16'
/** Arrays of these types; of float16, its bits. */
export type StoredArray = Float32Array | Int32Array | NarrowArray
export type NarrowArray = Uint8Array | Uint16Array

export type { KernelBuffers, KernelDims, KernelScalars }

export type KernelName = keyof KernelDims

/** The arguments of a kernel by name, with buffers of float32, int32, float64, uint8 and float16 of these types. */
export type KernelArguments<K extends KernelName, F32, I32, F64, U8 = never, F16 = never> = KernelBuffers<
  F32,
  I32,
  F64,
  U8,
  F16
>[K] &
  Readonly<Record<KernelDims[K] | KernelScalars[K], number>>

/** One function per line of native/kernels/kernels.def, called with its buffers, dims and scalars by name. */
export type Kernels<F32, I32, F64, U8 = never, F16 = never> = {
  readonly [K in KernelName]: (args: KernelArguments<K, F32, I32, F64, U8, F16>) => void
}

/** Kernels with a buffer `scalars`, whose elements have names. */
export type UpdateKernel = keyof typeof scalarFields

/** The scalars of an update by name. */
export type ScalarsOf<K extends UpdateKernel> = Readonly<Record<(typeof scalarFields)[K][number], number>>

/** A buffer of a kernel. */
export interface BufferSignature {
  readonly name: string
  readonly dtype: StoredType | 'float64'
  readonly role: 'in' | 'out' | 'inout'
  readonly optional: boolean
  /** The dims in its brackets; none for a fixed size. */
  readonly dims: readonly string[]
  /** Which of them are rounded up to whole panels. */
  readonly padded: readonly boolean[]
  /** The elements for each of the dims' product. */
  readonly factor: number
  /** The names of its elements, where they have names. */
  readonly fields?: readonly string[]
}

/** One line of kernels.def as data. */
export interface Signature {
  readonly id: number
  readonly buffers: readonly BufferSignature[]
  readonly dims: readonly string[]
  readonly scalars: readonly string[]
  /** The error bound: none for EXACT, else so many terms as these dims and `plus` add up to. */
  readonly bound: { readonly exact: boolean; readonly dims: readonly string[]; readonly plus: number }
  /** Whether it can put the next batch in the place of x. */
  readonly prefetches: boolean
  /** The dim a range of which, in the inputs, gives that range of the outputs; none where other parts reach them. */
  readonly along?: string
}

/** Elements of each table and result of a run that one step of a program goes through. */
export interface PerStep {
  readonly order: number
  readonly scalars: number
  readonly losses: number
  readonly counts: number
  readonly draws: number
}

/** What the numbers of a program mean (native/plan/program.h). */
export interface ProgramFormat {
  /** Regions by name: what the first number of a buffer's place means. */
  readonly regions: Readonly<Record<'absent' | 'arena' | 'store' | keyof PerStep, number>>
  /** The numbers that a program begins with. */
  readonly header: readonly (keyof PerStep | 'gather' | 'reader' | 'rows')[]
  /** Bytes that an offset in the arena counts. */
  readonly word: number
  /** Columns of a panel. */
  readonly panel: number
  /** What begins, in the place of a kernel's id, an exchange of blocks with other ranks, and what finishes it. */
  readonly exchange: number
  readonly arrival: number
}

/** Native memory of one column of a data set. */
export interface NativeStore {
  readonly length: number
  /** Copies values in, from element `offset`. */
  write(offset: number, values: StoredArray): void
  /** Whether these are its bits, from element `offset`. */
  holds(offset: number, values: StoredArray): boolean
}

/** What a run did: fewer steps than asked for where it was stopped. */
export interface PlanResult {
  readonly steps: number
  readonly losses: Float32Array
  readonly counts: Int32Array
}

/** A validated program set with its arena (native/plan). */
export interface NativePlan {
  /**
   * Has store number `number` be another, values where they lie, in memory that `allocate` made, or zeros. Returns whether
   * it is: other memory of JavaScript's may go away.
   */
  bind(number: number, source: NativeStore | Float32Array | NarrowArray | null): boolean
  write(offset: number, values: TypedArray): void
  read(offset: number, values: TypedArray): void
  /**
   * Runs one step of a program on so many rows, which reads store number `number` from where the input lies, if there is
   * one; the output comes from its offset in the arena.
   */
  infer(
    program: number,
    rows: number,
    from: number,
    output: TypedArray,
    number: number,
    input: Float32Array | null,
    threads: number,
  ): void
  /** Has a program that was made for several numbers of rows compute so many. */
  setRows(program: number, rows: number): void
  /** `segments`: pairs of program and steps. */
  run(segments: Int32Array, order: Int32Array, scalars: Float64Array, threads: number, draws?: Float32Array): PlanResult
  runAsync(
    segments: Int32Array,
    order: Int32Array,
    scalars: Float64Array,
    threads: number,
    draws?: Float32Array,
  ): Promise<PlanResult>
  /** Ends a run after the current step. */
  stop(): void
}

/** What communicating has cost a rank: in bytes and in seconds. */
export interface Traffic {
  readonly bytesSent: number
  readonly waiting: number
  readonly copying: number
}

/** MPI's world, which is one for a process (native/binding/world.cc). */
export interface NativeWorld {
  describe(): { rank: number; size: number; library: string }
  /** Sends `bytes` to every other rank; resolves to those of all, as many each, one after the other by rank. */
  gather(bytes: Uint8Array): Promise<Uint8Array>
  statistics(): Traffic
  /** Waits until all ranks have come here, and ends MPI. */
  finalize(): void
  /** Ends all ranks. */
  abort(code: number): void
}

export interface NativeAddon {
  /** Version of the package that this binary was built from. */
  readonly version: string
  /** That version and a fingerprint of its program format, as kernels.gen.ts has it. */
  readonly build: string
  readonly format: ProgramFormat
  /** The instruction set in use: avx512, avx2, sse2, neon or wasm. */
  readonly isa: string
  /** Physical cores that this process may use. */
  readonly cores: number
  /** Bytes of the caches that a core reads through, the first the nearest. */
  readonly caches: readonly [number, number, number]
  readonly kernels: Kernels<Float32Array, Int32Array, Float64Array, Uint8Array, Uint16Array>
  readonly signatures: Readonly<Record<string, Signature>>
  /** Zeros in native memory; null where the engine takes none but its own. */
  allocate(bytes: number): ArrayBuffer | null
  readonly Store: new (dtype: StoredType, length: number) => NativeStore
  readonly Plan: new (description: {
    arena: number
    programs: Float64Array[]
    /** Stores, or the forms of such that are bound later. */
    stores: readonly (NativeStore | { dtype: StoredType; length: number })[]
    /** The ranks that the programs exchange blocks with, where they do. */
    world?: NativeWorld
  }) => NativePlan
  /** Opens the first of these MPI libraries that there is; a rank may be waited for so many seconds. None on Windows. */
  readonly World?: new (
    files: string[],
    timeout: number,
  ) => NativeWorld
  readonly [name: string]: unknown
}
