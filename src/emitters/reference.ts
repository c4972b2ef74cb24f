/**
 * The reference backend: every kernel's float64 twin in plain TypeScript, gathered from the ops and optimizers that
 * bring them. Slow and simple on purpose: it is what the native kernels and every gradient are tested against.
 */

import { scalarFields } from '../native/kernels.gen.js'
import type { Floats, KernelCalls, Twins } from './emitter.js'
import { RunNow } from './run_now.js'

/** A kernel's arguments, whichever it is. */
export type AnyArguments = Readonly<Record<string, Floats | Int32Array | number | null | undefined>>

/** The kernels that these twins stand for: the scalars of updates come as arrays. */
export function kernelsOf(twins: Twins): Readonly<Record<string, (args: AnyArguments) => void>> {
  const entries = Object.entries(twins).map(([name, twin]) => {
    const run = twin as (args: object) => void
    const fields = (scalarFields as Readonly<Record<string, readonly string[]>>)[name]
    if (!fields) return [name, run]
    const named = (array: Floats) => Object.fromEntries(fields.map((field, i) => [field, array[i]]))
    return [name, (args: AnyArguments) => run({ ...args, scalars: named(args.scalars as Floats) })]
  })
  return Object.fromEntries(entries)
}

/** An emitter that runs ops in float64 on these twins. */
export function referenceEmitter(twins: Twins): RunNow {
  return new RunNow(kernelsOf(twins) as unknown as KernelCalls, Float64Array)
}
