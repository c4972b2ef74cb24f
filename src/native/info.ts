/** What of this package runs here: for bug reports and logs. Not here: why something does not run (diagnose.ts). */

import { addon } from './addon.js'

/** What runs here. */
export interface Info {
  /** Version of the package. */
  readonly version: string
  /** Instruction set of the kernels: `sse2`, `avx2`, `avx512` or `neon`; `wasm` where no binary fits (docs/platforms.md). */
  readonly isa: string
  /** Physical cores that the process may use: the default of `fit`'s `threads`. */
  readonly threads: number
}

/**
 * The version, the instruction set chosen when the addon was loaded, and the cores.
 *
 * ```ts
 * console.log(info) // { version: '0.1.0', isa: 'avx512', threads: 8 }
 * ```
 */
export const info: Info = Object.freeze({
  version: addon.version,
  isa: addon.isa,
  threads: addon.cores,
})
