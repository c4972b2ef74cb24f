/**
 * The reference backend: every kernel's float64 twin in plain TypeScript, gathered from the ops and optimizers that
 * bring them. Slow and simple on purpose: it is what the native kernels and every gradient are tested against.
 */

import type { KernelCalls, ReferenceKernels } from './emitter.js'
import { RunNow } from './run_now.js'

/** An emitter that runs ops in float64 on these twins. */
export function referenceEmitter(twins: ReferenceKernels): RunNow {
  return new RunNow(twins as unknown as KernelCalls, Float64Array)
}
