/** NumPy's legacy random stream, `numpy.random.RandomState`. Not here: PyTorch's (generator.ts). */

import { checkInt, checkNumber, checkOptions } from '../base/check.js'
import { AnnealError, phrase, rangeError, typeError } from '../base/errors.js'
import { isDetached, isNumberArray, typedArrayName } from '../base/kinds.js'
import { type Engine, native } from '../native/random.js'
import { checkDraw } from './draws.js'

const MAX_LENGTH = 2 ** 31 - 1
const MAX_WORD = 2 ** 32 - 1

/** A state of `RandomState.getState()`: plain data that can be cloned and stored. */
export interface RandomStateData {
  /** The block of 624 words. */
  words: Uint32Array
  /** The next word of the block; 624 when it is used up. */
  position: number
  /** The second normal of a pair, not yet handed out, or null. */
  keptNormal: number | null
}

function checkLength(where: string, n: number): number {
  return checkInt(where, 'n', n, { min: 0, max: MAX_LENGTH })
}

function flatten(where: string, cov: readonly (readonly number[])[], d: number): Float64Array {
  if (!Array.isArray(cov) || !cov.every(row => Array.isArray(row))) {
    throw typeError(where, 'cov to be an array of arrays', cov)
  }
  if (cov.length !== d || cov.some(row => row.length !== d)) throw rangeError(where, `cov to be ${d} by ${d}`, cov)
  return Float64Array.from(cov.flatMap((row, i) => row.map((x, j) => checkNumber(where, `cov[${i}][${j}]`, x))))
}

/** A symmetric matrix [d, d] without negative eigenvalues as far as can be told cheaply: the diagonal, and 2x2. */
function checkCovariance(where: string, cov: readonly (readonly number[])[], d: number): Float64Array {
  const flat = flatten(where, cov, d)
  const scale = flat.reduce((most, x) => Math.max(most, Math.abs(x)), 1)
  const symmetric = flat.every((x, i) => Math.abs(x - flat[(i % d) * d + Math.floor(i / d)]) <= 1e-8 * scale)
  const [a, b, , e] = flat
  const least = d === 2 ? (a + e) / 2 - Math.hypot((a - e) / 2, b) : 0
  const positive = least >= -1e-8 * scale && flat.every((x, i) => x >= 0 || i % (d + 1) !== 0)
  if (!symmetric || !positive) throw rangeError(where, 'cov to be symmetric and positive semi-definite', cov)
  return flat
}

/**
 * A stream of random numbers equal to `numpy.random.RandomState(seed)` bit for bit. Arrays of values are flat.
 *
 * ```ts
 * const rs = new random.RandomState(42)
 * rs.permutation(5) // Int32Array [1, 4, 2, 0, 3]
 * rs.normal(0, 1, 3) // Float64Array
 * ```
 * Source: numpy.random.RandomState.
 */
export class RandomState {
  readonly #own: Engine = native.create()

  get #engine(): Engine {
    checkDraw()
    return this.#own
  }

  /** `seed`: an integer from 0 to 2^32 - 1, an array of such, or nothing for true randomness. */
  constructor(seed?: number | ArrayLike<number> | null) {
    this.seed(seed)
  }

  /** Starts the stream of `seed` and drops a kept normal. Throws RangeError outside 0 … 2^32 - 1. */
  seed(seed?: number | ArrayLike<number> | null): void {
    const where = 'RandomState'
    if (seed === undefined || seed === null) {
      native.seed_array(this.#engine, crypto.getRandomValues(new Uint32Array(8)))
    } else if (typeof seed === 'number') {
      native.seed(this.#engine, checkInt(where, 'seed', seed, { min: 0, max: MAX_WORD }))
    } else {
      if ((!Array.isArray(seed) && !isNumberArray(seed)) || seed.length === 0)
        throw typeError(where, 'seed to be an integer or an array of integers', seed)
      const key = Array.from(seed, (word, i) => checkInt(where, `seed[${i}]`, word, { min: 0, max: MAX_WORD }))
      native.seed_array(this.#engine, Uint32Array.from(key))
    }
  }

  /** What the stream depends on. */
  getState(): RandomStateData {
    const words = new Uint32Array(624)
    const normal = new Float64Array(2)
    const position = native.get_state(this.#engine, words, normal)
    return { words, position, keptNormal: normal[0] ? normal[1] : null }
  }

  /** Goes on from a state of `getState`. Throws ERR_STATE for anything else. */
  setState(state: RandomStateData): void {
    const { words, position, keptNormal } = state ?? {}
    const kept = keptNormal === null || typeof keptNormal === 'number'
    const placed = Number.isInteger(position) && position >= 0 && position <= 624
    if (typedArrayName(words) !== 'Uint32Array' || words.length !== 624 || !placed || !kept) {
      throw new AnnealError('ERR_STATE', phrase('RandomState.setState', 'a state of getState()', state))
    }
    native.set_state(this.#engine, words, Float64Array.of(keptNormal === null ? 0 : 1, keptNormal ?? 0), position, 0)
  }

  /** One uniform value in [0, 1), or `n` of them. */
  rand(): number
  rand(n: number): Float64Array
  rand(n?: number): number | Float64Array {
    return this.#values('RandomState.rand', n, out => native.numpy_uniform(this.#engine, out, 0, 1))
  }

  /** low + (high - low)·u. One value, or `n` of them. */
  uniform(low?: number, high?: number): number
  uniform(low: number, high: number, n: number): Float64Array
  uniform(low = 0, high = 1, n?: number): number | Float64Array {
    const where = 'RandomState.uniform'
    checkNumber(where, 'low', low)
    checkNumber(where, 'high', high)
    checkNumber(where, 'high - low', high - low)
    return this.#values(where, n, out => native.numpy_uniform(this.#engine, out, low, high))
  }

  /** One standard normal value, or `n` of them. */
  randn(): number
  randn(n: number): Float64Array
  randn(n?: number): number | Float64Array {
    return this.#values('RandomState.randn', n, out => native.numpy_normal(this.#engine, out, 0, 1))
  }

  /** mean + std·z, std >= 0. One value, or `n` of them. */
  normal(mean?: number, std?: number): number
  normal(mean: number, std: number, n: number): Float64Array
  normal(mean = 0, std = 1, n?: number): number | Float64Array {
    const where = 'RandomState.normal'
    checkNumber(where, 'mean', mean)
    checkNumber(where, 'std', std, { min: 0 })
    return this.#values(where, n, out => native.numpy_normal(this.#engine, out, mean, std))
  }

  /** One integer in [low, high), or `n` of them; -2^31 <= low < high <= 2^31. */
  randint(low: number, high: number): number
  randint(low: number, high: number, n: number): Int32Array
  randint(low: number, high: number, n?: number): number | Int32Array {
    const where = 'RandomState.randint'
    checkInt(where, 'low', low, { min: -(2 ** 31), max: 2 ** 31 - 1 })
    checkInt(where, 'high', high, { above: low, max: 2 ** 31 })
    const out = new Int32Array(n === undefined ? 1 : checkLength(where, n))
    native.numpy_integers(this.#engine, out, low, high)
    return n === undefined ? out[0] : out
  }

  /** A random order of 0 … n-1, or a shuffled copy of an array. */
  permutation(n: number): Int32Array
  permutation<T>(values: readonly T[]): T[]
  permutation<T>(values: number | readonly T[]): Int32Array | T[] {
    if (typeof values === 'number') return this.#order(checkLength('RandomState.permutation', values))
    if (!Array.isArray(values)) throw typeError('RandomState.permutation', 'an integer or an array', values)
    return Array.from(this.#order(values.length), i => values[i])
  }

  /** Shuffles an array in place. */
  shuffle(values: unknown[] | Float32Array | Float64Array | Int32Array): void {
    const array = values as unknown[]
    if (!Array.isArray(values) && (!isNumberArray(values) || isDetached(values)))
      throw typeError('RandomState.shuffle', 'an array', values)
    const copy = array.slice()
    this.#order(copy.length).forEach((from, to) => {
      array[to] = copy[from]
    })
  }

  /**
   * `n` of 0 … a-1, or of the elements of an array, each equally likely; `replace: false` takes each at most once.
   * Throws RangeError where there are too few to take from.
   */
  choice(a: number, n: number, options?: { replace?: boolean }): Int32Array
  choice<T>(a: readonly T[], n: number, options?: { replace?: boolean }): T[]
  choice<T>(a: number | readonly T[], n: number, options: { replace?: boolean } = {}): Int32Array | T[] {
    const where = 'RandomState.choice'
    const { replace = true } = checkOptions(where, options, ['replace'])
    if (typeof a !== 'number' && !Array.isArray(a)) throw typeError(where, 'a to be an integer or an array', a)
    const from = checkInt(where, 'the number to choose from', typeof a === 'number' ? a : a.length, {
      min: 1,
      max: MAX_LENGTH,
    })
    checkInt(where, 'n', n, { min: 0, max: replace ? MAX_LENGTH : from })
    const picks = replace ? this.randint(0, from, n) : this.#order(from).slice(0, n)
    return typeof a === 'number' ? picks : Array.from(picks, i => a[i])
  }

  /**
   * `n` rows of a normal distribution, flat [n, d] row-major: mean + Z·diag(√s)·Vᵀ, where cov = U·diag(s)·Vᵀ.
   *
   * `mean`: [d], `cov`: [d, d], symmetric and positive semi-definite, of at most 2 dimensions or diagonal (RangeError
   * otherwise: the signs of LAPACK's larger decompositions are not reproduced). Diagonal: equal bits; else to 1e-12.
   */
  multivariateNormal(mean: readonly number[], cov: readonly (readonly number[])[], n: number): Float64Array {
    const where = 'RandomState.multivariateNormal'
    const d = checkInt(where, 'mean.length', mean?.length, { min: 1, max: 65535 })
    const center = Float64Array.from(mean, (value, i) => checkNumber(where, `mean[${i}]`, value))
    const flat = checkCovariance(where, cov, d)
    const out = new Float64Array(checkLength(where, n) * d)
    if (!native.numpy_multivariate_normal(this.#engine, out, center, flat)) {
      throw rangeError(where, 'cov to be diagonal in more than 2 dimensions', cov)
    }
    return out
  }

  #values(where: string, n: number | undefined, fill: (out: Float64Array) => void): number | Float64Array {
    const out = new Float64Array(n === undefined ? 1 : checkLength(where, n))
    fill(out)
    return n === undefined ? out[0] : out
  }

  #order(n: number): Int32Array {
    const order = new Int32Array(n)
    for (let i = 0; i < n; i++) order[i] = i
    native.numpy_shuffle(this.#engine, order)
    return order
  }
}
