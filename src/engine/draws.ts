/**
 * The random numbers of coming steps as a table, since native code draws none. They come from the default generator in
 * the order of the explicit loop. Not here: what they are for (the ops), or when a loader draws (cursor.ts).
 */

import { type Draw, drawsPerStep } from '../plan/program.js'
import { defaultGenerator } from '../streams/index.js'
import type { RecordedStep } from './record_step.js'

/** Numbers of a table: 4 MB, and less than 10 ms of drawing. */
const MAX_NUMBERS = 2 ** 20

/** Steps whose numbers make a table, at most; at least one. */
export function stepsPerTable(steps: readonly RecordedStep[]): number {
  const most = steps.reduce((max, { advance }) => Math.max(max, advance.draws), 0)
  return Math.max(1, Math.floor(MAX_NUMBERS / most))
}

/** A chunk's numbers, drawn as it is put together, into memory for at least as many. */
export class DrawTable {
  readonly #memory: Float32Array
  #length = 0

  constructor(memory: Float32Array) {
    this.#memory = memory
  }

  /** Draws for so many steps of one kind. Numbers of one probability that follow each other are drawn at once. */
  add(draws: readonly Draw[], steps: number): void {
    if (draws.length === 0) return
    const [{ probability }] = draws
    if (draws.every(draw => draw.probability === probability)) this.#draw(steps * drawsPerStep(draws), probability)
    else for (let step = 0; step < steps; step++) for (const draw of draws) this.#draw(draw.length, draw.probability)
  }

  /** All of them, in order. */
  numbers(): Float32Array {
    return this.#memory.subarray(0, this.#length)
  }

  #draw(length: number, probability: number): void {
    defaultGenerator.bernoulli_(this.#memory.subarray(this.#length, this.#length + length), probability)
    this.#length += length
  }
}
