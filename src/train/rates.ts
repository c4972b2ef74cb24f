/** The rates of a run's updates, as its history shows them. */

type Rate = number | number[]

/** An array is made as long as the run at once, up to this: growing it step by step costs more than filling it. */
const MOST_AT_ONCE = 2 ** 17
/** So many equal ones are worth a call. */
const WORTH_FILLING = 16

export class Rates {
  readonly #values: Rate[] = []
  #count = 0

  /** `expected`: how many will be noted, unless the run ends early. */
  constructor(private readonly expected: number) {}

  get count(): number {
    return this.#count
  }

  /** Those of the last update; undefined before the first. */
  get last(): Rate {
    return this.#values[this.#count - 1]
  }

  note(rate: Rate): void {
    this.#values[this.#count++] = rate
    if (this.#count === 1) this.#values.length = Math.max(1, Math.min(this.expected, MOST_AT_ONCE))
  }

  /** The last again, for `times` more updates. */
  repeat(times: number): void {
    const rate = this.last
    const end = this.#count + times
    if (typeof rate === 'number' && times >= WORTH_FILLING && end <= this.#values.length) {
      this.#values.fill(rate, this.#count, end)
    } else {
      for (let i = this.#count; i < end; i++) this.#values[i] = typeof rate === 'number' ? rate : rate.slice()
    }
    this.#count = end
  }

  /** Forgets all but the first `count`. */
  rewind(count: number): void {
    this.#count = count
  }

  /** All of them; the array is this object's. */
  toArray(): Rate[] {
    this.#values.length = this.#count
    return this.#values
  }
}
