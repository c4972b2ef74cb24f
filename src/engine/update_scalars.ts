/**
 * The scalars of coming updates as a table: for every step those of each group of parameters that are at the same count.
 * Both engines compute them by the optimizer's rule; the plan needs them ahead of time.
 */

import { scalarFields, writeScalars } from '../native/kernels.gen.js'
import type { UpdateKernel } from '../native/types.js'
import type { Optimizer, ParamGroup } from '../optim/index.js'
import { checkGroup, type ParamState } from '../optim/optimizer.js'
import { checkRate, type StateScalars, slotsUnder } from '../optim/rule.js'

interface Entry {
  readonly group: ParamGroup
  readonly key: string
  readonly offset: number
  readonly length: number
  readonly states: ParamState[]
  /** The state's scalars as of the last update written. */
  scalars: StateScalars
  /** The options besides the rate, their values when last looked at, and the state tensors that they call for. */
  readonly options: readonly string[]
  readonly values: unknown[]
  readonly slots: string
}

export class UpdateScalars {
  readonly #entries: Entry[] = []
  /** Numbers per step. */
  width = 0

  constructor(private readonly optimizer: Optimizer) {}

  /** Where among a step's scalars those of this parameter's update are. */
  offsetFor(group: ParamGroup, state: ParamState): number {
    const key = JSON.stringify(state.scalars)
    let entry = this.#entries.find(e => e.group === group && e.key === key)
    if (!entry) {
      const { rule } = this.optimizer
      const { length } = scalarFields[rule.kernel as UpdateKernel]
      const options = Object.keys(rule.options).filter(name => name !== 'lr')
      const [values, slots] = [options.map(name => group[name]), this.#slotsOf(group)]
      const scalars = { ...state.scalars }
      entry = { group, key, offset: this.width, length, states: [], scalars, options, values, slots }
      this.#entries.push(entry)
      this.width += length
    }
    if (!entry.states.includes(state)) entry.states.push(state)
    return entry.offset
  }

  /** Writes the next step's scalars to `table` from `at`, with the groups' options as they are now. */
  write(table: Float64Array, at: number): void {
    const { rule } = this.optimizer
    for (let e = 0; e < this.#entries.length; e++) {
      const { group, offset, scalars } = this.#entries[e]
      checkRate(rule.name, group)
      scalars.step++
      writeScalars[rule.kernel as UpdateKernel](table, at + offset, rule.updateScalars(group, scalars) as never)
    }
  }

  /** Whether the update written last is followed by the same again, as long as no option moves. */
  get steady(): boolean {
    return this.optimizer.rule.steady === true && this.#entries.every(({ scalars }) => scalars.step > 1)
  }

  /** Writes the scalars at `at` again, for each of the `times` updates that follow. */
  repeat(table: Float64Array, at: number, times: number): void {
    const end = at + (times + 1) * this.width
    for (let done = at + this.width; done < end; done += done - at) {
      table.copyWithin(done, at, Math.min(done, at + end - done))
    }
    for (const { scalars } of this.#entries) scalars.step += times
  }

  /** Whether the next update is still the recorded one: an option that moves, as momentum from 0, may need more state. */
  get fit(): boolean {
    for (let e = 0; e < this.#entries.length; e++) if (!this.#fits(this.#entries[e])) return false
    return true
  }

  #fits({ group, options, values, slots }: Entry): boolean {
    let same = true
    for (let i = 0; i < options.length; i++) same &&= group[options[i]] === values[i]
    if (same) return true
    checkGroup(this.optimizer.rule, group)
    if (this.#slotsOf(group) !== slots) return false
    for (let i = 0; i < options.length; i++) values[i] = group[options[i]]
    return true
  }

  #slotsOf(group: ParamGroup): string {
    return slotsUnder(this.optimizer.rule, group)
      .map(({ key }) => key)
      .join()
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
