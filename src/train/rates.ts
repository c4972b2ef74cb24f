/** The rates of a run's updates: noted as stretches of equal ones, which is what schedules make, and spelt out at the end. */

type Rate = number | number[]

/** So many equal ones are worth a call. */
const WORTH_FILLING = 16

/** As plain data: where each stretch ends, how many rates it has (0: one that is no array), and all of them. */
export interface RatesState {
  readonly ends: Float64Array
  readonly widths: Float64Array
  readonly values: Float64Array
}

export class Rates {
  /** Each stretch's rate, and the update it ends before. */
  readonly #rates: Rate[] = []
  readonly #ends: number[] = []

  /** Updates noted. */
  get count(): number {
    return this.#startOf(this.#ends.length)
  }

  /** The rate of the last one; undefined before the first. */
  get last(): Rate {
    return this.#rates[this.#rates.length - 1]
  }

  /** The rate of an update, counted from 0. */
  at(update: number): Rate {
    let [low, high] = [0, this.#ends.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#ends[middle] > update) high = middle
      else low = middle + 1
    }
    return this.#rates[low]
  }

  note(rate: Rate): void {
    if (rate === this.last) {
      this.repeat(1)
      return
    }
    this.#ends.push(this.count + 1)
    this.#rates.push(rate)
  }

  /** The last again, for `times` more updates. */
  repeat(times: number): void {
    this.#ends[this.#ends.length - 1] += times
  }

  /** Forgets all but the first `count`. */
  rewind(count: number): void {
    let stretches = this.#ends.length
    while (stretches > 0 && this.#startOf(stretches - 1) >= count) stretches--
    this.#rates.length = stretches
    this.#ends.length = stretches
    if (stretches > 0) this.#ends[stretches - 1] = count
  }

  /** One for every update; where a rate is an array, one of its own. */
  toArray(): Rate[] {
    const values: Rate[] = this.#rates.slice(0, 1)
    values.length = this.count // from the first rate on it is known what it holds: numbers lie side by side
    this.#rates.forEach((rate, i) => {
      const [start, end] = [this.#startOf(i), this.#ends[i]]
      if (typeof rate === 'number' && end - start >= WORTH_FILLING) values.fill(rate, start, end)
      else for (let at = start; at < end; at++) values[at] = typeof rate === 'number' ? rate : rate.slice()
    })
    return values
  }

  stateDict(): RatesState {
    return {
      ends: Float64Array.from(this.#ends),
      widths: Float64Array.from(this.#rates, rate => (typeof rate === 'number' ? 0 : rate.length)),
      values: Float64Array.from(this.#rates.flat()),
    }
  }

  loadStateDict({ ends, widths, values }: RatesState): void {
    let at = 0
    this.#rates.length = 0
    this.#ends.length = 0
    for (const [i, width] of widths.entries()) {
      this.#rates.push(width === 0 ? values[at] : Array.from(values.subarray(at, at + width)))
      this.#ends.push(ends[i])
      at += Math.max(1, width)
    }
  }

  #startOf(stretch: number): number {
    return stretch === 0 ? 0 : this.#ends[stretch - 1]
  }
}
