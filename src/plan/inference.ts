/**
 * A forward pass as a plan: rows in, rows out, on weights that stay in the layout of the products. Not here: recording it,
 * or whether the weights are still the model's (engine/inference.ts).
 */

import type { TypedArray } from '../native/types.js'
import { CompiledPlan } from './compiled.js'
import type { Physical } from './layout.js'
import { Placement } from './placement.js'
import type { Memory, Origin, Recording } from './program.js'

const PROGRAM = 0
const ONE_STEP = Int32Array.of(PROGRAM, 1)
const NO_ORDER = new Int32Array(0)
const NO_SCALARS = new Float64Array(0)

export class InferencePlan {
  readonly #plan: CompiledPlan
  readonly #output: number
  /** Where each input goes; undefined for one that nothing reads. */
  readonly #inputs: (number | undefined)[] = []

  /** `recording`: of a program with rows, its inputs and its output. */
  constructor(recording: Recording) {
    const placement = new Placement([recording])
    this.#plan = new CompiledPlan(placement, [])
    let output = 0
    for (const { slot, at } of rowMajorBuffers(placement)) {
      const origin: Origin = slot.origin
      if (origin.kind === 'input') this.#inputs[origin.index] = at
      else if (origin.kind === 'output') output = at
    }
    this.#output = output
  }

  /** Takes the weights as they are now. */
  load(memory: Memory): void {
    for (const _ of this.#plan.load(memory));
  }

  /** Computes so many rows. */
  run(rows: number, inputs: readonly TypedArray[], output: Float32Array, threads: number): void {
    const { native } = this.#plan
    const [at] = this.#inputs
    for (let i = 1; i < inputs.length; i++) this.#write(i, inputs[i])
    if (at === undefined) throw new Error('InferencePlan: expected a program that reads its first input')
    native.infer(PROGRAM, rows, this.#output, output, at, inputs[0], threads)
  }

  /** The same off the event loop, on so many threads. */
  async runAsync(rows: number, inputs: readonly TypedArray[], output: Float32Array, threads: number): Promise<void> {
    const { native } = this.#plan
    native.setRows(PROGRAM, rows)
    inputs.forEach((values, i) => {
      this.#write(i, values)
    })
    await native.runAsync(ONE_STEP, NO_ORDER, NO_SCALARS, threads)
    native.read(this.#output, output)
  }

  #write(i: number, values: TypedArray): void {
    const at = this.#inputs[i]
    if (at !== undefined) this.#plan.native.write(at, values)
  }
}

/** Buffers of the program that lie in the arena row by row, and where. */
function rowMajorBuffers(placement: Placement): { slot: Physical['slot']; at: number }[] {
  const buffers = placement.programs.flatMap(({ calls }) =>
    calls.flatMap(call => Object.values<Physical>(call.buffers)),
  )
  return buffers
    .filter(({ layout }) => !layout.pack)
    .map(buffer => ({ slot: buffer.slot, at: placement.offsetOf(buffer) }))
}
