/** The backends to compare with each other: ours, its float64 reference, and TensorFlow.js where it is installed. */

import type { Backend } from './backend.js'
import { native, reference } from './eager.js'
import { type TfjsKind, tfjs } from './tfjs/index.js'

export type {
  Backend,
  KernelArg,
  KernelFunction,
  PreparedCall,
  Updater,
} from './backend.js'
export type { TfjsKind } from './tfjs/index.js'

/**
 * What can compute a kernel, an optimizer's update, a training step or a whole fit, to be compared with each other.
 *
 * ```ts
 * const wasm = await backends.tfjs('wasm')
 * for (const { name, version, device, threads, isa } of [backends.native, backends.reference, wasm])
 *   console.log(name, version, device, threads, isa)
 * ```
 */
export const backends: {
  readonly native: Backend
  readonly reference: Backend
  readonly tfjs: (kind: TfjsKind) => Promise<Backend>
} = { native, reference, tfjs }
