/** Random cases from a seed: sizes and values. A stream of its own, so that validating the library does not lean on it. */

/** What the numbers of a case look like. */
type Texture = 'bell' | 'ties' | 'wide'

/** Sizes at and around the widths of vectors and blocks. */
const edges = [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65]

export class Draw {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** In [0, 1); splitmix32. */
  uniform(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0
    let z = this.#state
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32
  }

  /** An integer in [low, high]. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.uniform() * (high - low + 1))
  }

  chance(percent: number): boolean {
    return this.uniform() * 100 < percent
  }

  pick<T>(from: readonly T[]): T {
    return from[this.integer(0, from.length - 1)]
  }

  /** Mostly small, often at an edge of the kernels' blocks, now and then larger. */
  size(): number {
    if (this.chance(50)) return this.integer(1, 24)
    return this.chance(80) ? this.pick(edges) : this.integer(66, 130)
  }

  texture(): Texture {
    return this.pick(['bell', 'bell', 'ties', 'wide'])
  }

  /** Float32 values: bell-shaped around 0, small integers, or of very different sizes. */
  floats(length: number, texture: Texture = 'bell'): Float32Array {
    const bell = () => (this.uniform() + this.uniform() + this.uniform() - 1.5) * 2
    return Float32Array.from({ length }, () => {
      if (texture === 'ties') return this.integer(-2, 2)
      return texture === 'wide' ? bell() * 2 ** this.integer(-20, 20) : bell()
    })
  }

  /** Float32 values of either sign and of 1e-2 to 1: none is near 0. */
  nonzero(length: number): Float32Array {
    return Float32Array.from({ length }, () => (this.chance(50) ? 1 : -1) * 10 ** (-2 * this.uniform()))
  }
}
