/** The native backend: kernels of the addon on float32. */

import { addon } from '../native/addon.js'
import type { KernelCalls } from './emitter.js'
import { RunNow } from './run_now.js'

/** Runs ops on the addon's SIMD kernels. */
export const nativeEmitter = new RunNow(addon.kernels as unknown as KernelCalls, Float32Array)
