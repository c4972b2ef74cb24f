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

export interface NativeAddon {
  /** Version and list of kernels that this binary was built from. */
  readonly build: string
  /** The instruction set in use: avx512, avx2, sse2 or neon. */
  readonly isa: string
  readonly kernels: Kernels
  readonly signatures: Readonly<Record<string, Signature>>
  readonly [name: string]: unknown
}
