/**
 * What a backend is to a comparison: who it is, its kernels, an optimizer's update, a training step, a whole fit. One
 * interface for ours and for TensorFlow.js, so that tests and benchmarks treat all of them alike.
 */

import type { Engine } from '../engine/engine.js'
import type { Model, TrainingOptions } from '../engine/options.js'
import type { Trainer, Training } from '../engine/trainer.js'
import type { Optimizer } from '../optim/index.js'

/** An argument of a kernel: a buffer, null for one that is left out, a size or a scalar. */
export type KernelArg = Float32Array | Float64Array | Int32Array | null | number

/** The arguments of a kernel by their names in its line of native/kernels/kernels.def. */
export type KernelArgs = Readonly<Record<string, KernelArg>>

/** A kernel that writes its outputs to the buffers given. */
export type KernelFunction = (args: KernelArgs) => void

/** A kernel call whose operands are where the backend wants them, to be run many times. */
export interface PreparedCall {
  /** Computes and waits for the result. */
  run(): void
  /** Writes the outputs of the last run to the buffers that were given. */
  read(): void
  dispose(): void
}

/** Updates of the parameters from their gradients, by a backend's own optimizer. */
export interface Updater {
  /** Takes the gradients from `p.grad`. */
  load(): void
  /** One update, waited for, with the gradients loaded last; the rates are those of the optimizer's groups now. */
  step(): void
  /** Writes the parameters back to the tensors. */
  read(): void
  dispose(): void
}

/** Who a backend is and what it runs on. */
export interface Identity {
  /** `native`, `reference` or the kind of TensorFlow.js. */
  readonly name: string
  /** Versions of what computes. */
  readonly version: string
  /** What it runs on: the GPU's name, or that it is the CPU. */
  readonly device: string
  /** At most this many threads. */
  readonly threads: number
  /** The instruction set or the SIMD level. */
  readonly isa: string
}

/** What computes the same kernels and trainings, to compare with: anneal, its float64 reference, TensorFlow.js. */
export interface Backend extends Identity {
  /** The kernels that it has, by their names in kernels.def. */
  readonly kernels: Readonly<Record<string, KernelFunction>>
  /** Readies a call of one of `kernels` for being run many times. */
  prepare(kernel: string, args: KernelArgs): PreparedCall
  /** Throws ERR_BACKEND where this backend has no such optimizer or not these options. */
  updater(optimizer: Optimizer): Updater
  /** Throws ERR_BACKEND where this backend cannot train this model. */
  trainer(model: Model, training: Training): Trainer
  /** What `fit({ backend })` runs on; null: fit's own engines. */
  engine(model: Model, options: TrainingOptions): Engine | null
}

/** A backend's identity alone, to be written to a file. */
export function identityOf({ name, version, device, threads, isa }: Identity): Identity {
  return { name, version, device, threads, isa }
}

/** A line that says who a backend is and what it runs on. */
export function describeBackend({ name, version, device, threads, isa }: Identity): string {
  return `${name}: ${version}; ${device}; ${threads} ${threads === 1 ? 'thread' : 'threads'}; ${isa}`
}
