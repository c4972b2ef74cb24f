/**
 * A forward pass as a plan: rows in, rows out, on weights that stay in the layout of the products. Not here: recording it,
 * or whether the weights are still the model's (engine/inference.ts).
 */

import { addon } from '../native/addon.js'
import type { NativeStore } from '../native/types.js'
import { CompiledPlan } from './compiled.js'
import type { Physical } from './layout.js'
import { Placement } from './placement.js'
import type { Memory, Recording } from './program.js'

const PROGRAM = 0
const ONE_STEP = Int32Array.of(PROGRAM, 1)
const NO_ORDER = new Int32Array(0)
const NO_SCALARS = new Float64Array(0)
/**
 * The most elements of an array that V8 keeps in its own heap, until somebody wants its buffer, as native code does: that
 * would take a tenth of the smallest prediction.
 */
const IN_HEAP = 16

/** The values of an input. */
export type InputArray = Float32Array | Int32Array

/** What an input of a program is, with the most rows. */
export interface InputForm {
  readonly dtype: 'float32' | 'int32'
  readonly length: number
}

export class InferencePlan {
  readonly #plan: CompiledPlan
  readonly #output: number
  /** Of each input what the program reads, but of the first what the caller has where that is safe. */
  readonly #inputs: readonly NativeStore[]
  readonly #readsInPlace: boolean
  readonly #small = new Float32Array(new ArrayBuffer(IN_HEAP * Float32Array.BYTES_PER_ELEMENT))

  /** `recording`: of a program with rows, its inputs and its output; `inputs`: their form with the most rows. */
  constructor(recording: Recording, inputs: readonly InputForm[]) {
    const placement = new Placement([recording])
    this.#inputs = inputs.map(({ dtype, length }) => new addon.Store(dtype, length))
    this.#readsInPlace = inputs[0].dtype === 'float32' // nothing depends on a float's value but other values
    this.#plan = new CompiledPlan(placement, [], { inputs: this.#inputs })
    this.#output = outputOf(placement)
  }

  /** Takes the weights as they are now. */
  load(memory: Memory): void {
    for (const _ of this.#plan.load(memory));
  }

  /** Computes so many rows, of `length` numbers in all. */
  outputs(rows: number, inputs: readonly InputArray[], length: number, threads: number): Float32Array {
    const outputs = length > IN_HEAP ? new Float32Array(length) : this.#small
    this.run(rows, inputs, outputs, threads) // the arena has room for more rows than these
    return length > IN_HEAP ? outputs : outputs.slice(0, length)
  }

  /** Computes so many rows. */
  run(rows: number, inputs: readonly InputArray[], output: Float32Array, threads: number): void {
    const first = this.#readsInPlace ? (inputs[0] as Float32Array) : null
    for (let i = first ? 1 : 0; i < inputs.length; i++) this.#inputs[i].write(0, inputs[i])
    this.#plan.native.infer(PROGRAM, rows, this.#output, output, 0, first, threads)
  }

  /** The same off the event loop, on so many threads. */
  async runAsync(rows: number, inputs: readonly InputArray[], output: Float32Array, threads: number): Promise<void> {
    const { native } = this.#plan
    native.setRows(PROGRAM, rows)
    inputs.forEach((values, i) => {
      this.#inputs[i].write(0, values)
    })
    await native.runAsync(ONE_STEP, NO_ORDER, NO_SCALARS, threads)
    native.read(this.#output, output)
  }
}

/** Where the arena has the output, row by row. */
function outputOf(placement: Placement): number {
  for (const { buffers } of placement.programs[PROGRAM].calls) {
    for (const buffer of Object.values<Physical>(buffers)) {
      if (buffer.slot.origin.kind === 'output' && !buffer.layout.pack) return placement.offsetOf(buffer)
    }
  }
  throw new Error('InferencePlan: expected a program with an output')
}
