/**
 * The scalars of coming updates as a table: one row per step for each group of parameters that are at the same count.
 * Both engines compute rows by the optimizer's rule; the plan needs them ahead of time.
 */

import type { Optimizer, ParamGroup } from '../optim/index.js'
import { checkRate, type ParamState } from '../optim/optimizer.js'
import type { StateScalars } from '../optim/rule.js'

interface Entry {
  readonly group: ParamGroup
  readonly key: string
  readonly offset: number
  readonly length: number
  readonly states: ParamState[]
  /** The scalars as of the last row written. */
  scalars: StateScalars
}

export class UpdateRows {
  readonly #entries: Entry[] = []
  /** Numbers per step. */
  width = 0

  constructor(private readonly optimizer: Optimizer) {}

  /** Where in a step's row the scalars of this parameter's update are. */
  offsetFor(group: ParamGroup, state: ParamState): number {
    const key = JSON.stringify(state.scalars)
    let entry = this.#entries.find(e => e.group === group && e.key === key)
    if (!entry) {
      const { length } = this.optimizer.rule.row(group, { ...state.scalars, step: state.scalars.step + 1 })
      entry = { group, key, offset: this.width, length, states: [], scalars: { ...state.scalars } }
      this.#entries.push(entry)
      this.width += length
    }
    if (!entry.states.includes(state)) entry.states.push(state)
    return entry.offset
  }

  /** Writes the next step's rows to `table` from `at`, with the groups' options as they are now. */
  write(table: Float64Array, at: number): void {
    for (const { group, offset, scalars } of this.#entries) {
      checkRate(this.optimizer.rule.name, group)
      scalars.step++
      table.set(this.optimizer.rule.row(group, scalars), at + offset)
    }
  }

  /** Remembers the counts; the function returned puts them back. */
  snapshot(): () => void {
    const kept = this.#entries.map(({ scalars }) => ({ ...scalars }))
    return () => {
      this.#entries.forEach((entry, i) => {
        entry.scalars = { ...kept[i] }
      })
    }
  }

  /** Hands the counts to the parameters' states. */
  handBack(): void {
    for (const { states, scalars } of this.#entries) for (const state of states) Object.assign(state.scalars, scalars)
  }
}
