/** What of this package runs here: for bug reports and logs. Not here: why something does not run (diagnose.ts). */

import { addon } from './addon.js'
import { cpuClass } from './cpu.js'

/** What runs here. */
export interface Info {
  /** Version of the package. */
  readonly version: string
  /** Instruction set of the kernels: `sse2`, `avx2`, `avx512` or `neon`; `wasm` where no binary fits (docs/platforms.md). */
  readonly isa: string
  /** Physical cores that the process may use: the default of `fit`'s `threads`. */
  readonly threads: number
  /** What figures of speed depend on: the instruction set, and the caches that a core reads through. */
  readonly cpuClass: string
}

/**
 * The version, the instruction set chosen when the addon was loaded, the cores and the class of the CPU.
 *
 * ```ts
 * console.log(info) // { version: '0.1.0', isa: 'avx512', threads: 8, cpuClass: 'avx512, caches of 32 KB, 1 MB, 32 MB' }
 * ```
 */
export const info: Info = Object.freeze({
  version: addon.version,
  isa: addon.isa,
  threads: addon.cores,
  cpuClass,
})
