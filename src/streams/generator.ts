/**
 * PyTorch's CPU random stream, and the default generator that everything draws from unless told otherwise. Not here:
 * tensors (sampling.ts), NumPy's stream (random_state.ts). This file depends on no tensor, so that ops may draw.
 */

import { checkInt, checkNumber } from '../base/check.js'
import { AnnealError, rangeError, typeError } from '../base/errors.js'
import { checkSeed, type Engine, kindOf, native, type Seed } from '../native/random.js'
import { Place } from '../runs/place.js'
import { currentPlace, type Scope } from '../runs/scope.js'
import { checkDraw } from './draws.js'
import { type EngineState, packState, unpackState } from './torch_state.js'

/** PyTorch's default_rng_seed_val. */
const DEFAULT_SEED = 67280421310721n
const MAX_LENGTH = 2 ** 31 - 1
const MAX_FLOAT32 = 3.4028234663852886e38

/** The largest magnitude up to which every integer has a value of its own, by kind of array. */
const INTEGERS = {
  f32: { min: -(2 ** 24), max: 2 ** 24 },
  f64: { min: -(2 ** 53) + 1, max: 2 ** 53 - 1 },
  i32: { min: -(2 ** 31), max: 2 ** 31 },
}

/** Checks integer bounds `low < high`. */
function checkBounds(where: string, low: number, high: number, { min, max }: { min: number; max: number }): void {
  checkInt(where, 'low', low, { min, max: max - 1 })
  checkInt(where, 'high', high, { max })
  if (high <= low) throw rangeError(where, `high to be greater than low (${low})`, high)
}

/**
 * A stream of random numbers, equal bit for bit to `torch.Generator()` on the CPU (MT19937) for every seed.
 *
 * ```ts
 * const generator = new random.Generator(0)
 * generator.randperm(10) // Int32Array [4, 1, 7, 5, 3, 9, 0, 8, 6, 2], as torch.randperm(10) after manual_seed(0)
 * ```
 * Every draw throws AnnealError ERR_BUSY while a running fit holds the generator, but in its callbacks. Source:
 * torch.Generator.
 */
export class Generator {
  readonly #place = new Place()
  #holder: Scope | null = null

  /** `seed`: a safe integer or a bigint; default: PyTorch's 67280421310721. */
  constructor(seed: Seed = DEFAULT_SEED) {
    this.manualSeed(seed)
  }

  /**
   * Starts the stream of `seed` and drops a kept normal. Returns this.
   *
   * Negative seeds wrap modulo 2^64; only the low 32 bits reach the stream, so 5 and 2^32 + 5 give the same numbers.
   * Throws TypeError for another type, RangeError for a number that is no safe integer.
   */
  manualSeed(seed: Seed): this {
    native.seed(this.#use(), checkSeed('Generator', seed))
    this.place.settle()
    return this
  }

  /** The seed in force, modulo 2^64. */
  initialSeed(): bigint {
    return native.initial_seed(this.place.engine)
  }

  /** Seeds with 53 bits of true randomness. Returns the seed. */
  seed(): bigint {
    const [bits] = crypto.getRandomValues(new BigUint64Array(1))
    return this.manualSeed(bits >> 11n).initialSeed()
  }

  /** Everything the stream depends on: 5056 bytes in the layout of PyTorch's `get_state()`. */
  getState(): Uint8Array {
    return packState(this.#state())
  }

  #state(): EngineState {
    const [words, normal] = [new Uint32Array(624), new Float64Array(2)]
    const position = native.get_state(this.#use(), words, normal)
    return { words, position, normal, seed: this.initialSeed() }
  }

  /** Goes on from a state of `getState` (or of PyTorch). Returns this. Throws ERR_STATE for bytes that are none. */
  setState(state: Uint8Array): this {
    this.#goOnFrom(unpackState('Generator.setState', state))
    this.place.settle()
    return this
  }

  #goOnFrom({ words, normal, position, seed }: EngineState): void {
    native.set_state(this.#use(), words, normal, position, seed)
  }

  /** @internal Remembers where the stream is; the function returned goes back there, as often as it is called. */
  snapshot(): () => void {
    const state = this.#state()
    return () => this.#goOnFrom(state)
  }

  /** The next 64 bits, 0 <= value < 2^64. */
  random64(): bigint {
    return native.next64(this.#use())
  }

  /** The next 63 bits: `torch.empty((), dtype=torch.int64).random_()`. */
  randomInt64(): bigint {
    return this.random64() & 0x7fffffffffffffffn
  }

  /**
   * Fills `out` with uniform values: from + (to - from)·u, 0 <= u < 1, one rounding. Returns `out`.
   *
   * Rounding may reach `to`. Throws RangeError where `from > to` or the width overflows the array's type.
   */
  uniform_<A extends Float32Array | Float64Array>(out: A, from = 0, to = 1): A {
    const where = 'Generator.uniform_'
    const kind = kindOf(where, out, ['f32', 'f64'])
    const max = kind === 'f32' ? MAX_FLOAT32 : Number.MAX_VALUE
    checkNumber(where, 'from', from, { min: -max, max })
    checkNumber(where, 'to', to, { min: from, max })
    if (to - from > max) throw rangeError(where, `to - from to be at most ${max}`, to - from)
    native[`uniform_${kind}`](this.#use(), out as never, from, to)
    return out
  }

  /**
   * Fills `out` with normal values of this mean and standard deviation (>= 0). Returns `out`.
   *
   * As in PyTorch, 16 elements or more are drawn in blocks and fewer one by one, which are different numbers.
   */
  normal_<A extends Float32Array | Float64Array>(out: A, mean = 0, std = 1): A {
    const where = 'Generator.normal_'
    const kind = kindOf(where, out, ['f32', 'f64'])
    checkNumber(where, 'mean', mean)
    checkNumber(where, 'std', std, { min: 0 })
    native[`normal_${kind}`](this.#use(), out as never, mean, std)
    return out
  }

  /** Fills `out` with 1 (probability `p`, 0 <= p <= 1) and 0. Returns `out`. */
  bernoulli_<A extends Float32Array | Float64Array | Int32Array>(out: A, p = 0.5): A {
    const where = 'Generator.bernoulli_'
    const kind = kindOf(where, out, ['f32', 'f64', 'i32'])
    checkNumber(where, 'p', p, { min: 0, max: 1 })
    native[`bernoulli_${kind}`](this.#use(), out as never, p)
    return out
  }

  /**
   * Fills `out` with integers in [low, high); without bounds in [0, 2^31) for Int32Array, [0, 2^24] for Float32Array,
   * [0, 2^53] for Float64Array. Returns `out`. Throws RangeError unless low < high within the array's exact integers.
   */
  random_<A extends Float32Array | Float64Array | Int32Array>(out: A, low?: number, high?: number): A {
    const where = 'Generator.random_'
    const kind = kindOf(where, out, ['f32', 'f64', 'i32'])
    if (low === undefined && high === undefined) {
      native[`integers_full_${kind}`](this.#use(), out as never)
      return out
    }
    checkBounds(where, low as number, high as number, INTEGERS[kind])
    native[`integers_${kind}`](this.#use(), out as never, low as number, high as number)
    return out
  }

  /** `n` integers in [low, high), -2^31 <= low < high <= 2^31. Source: torch.randint. */
  randint(low: number, high: number, n: number): Int32Array {
    checkBounds('Generator.randint', low, high, INTEGERS.i32)
    checkInt('Generator.randint', 'n', n, { min: 0, max: MAX_LENGTH })
    const out = new Int32Array(n)
    native.integers_i32(this.#use(), out, low, high)
    return out
  }

  /** A random order of 0 … n-1. Throws RangeError unless 0 <= n < 2^31. Source: torch.randperm. */
  randperm(n: number): Int32Array {
    return this.permute(new Int32Array(checkInt('Generator.randperm', 'n', n, { min: 0, max: MAX_LENGTH })))
  }

  /** @internal `randperm` of `out.length`, into `out`. */
  permute(out: Int32Array): Int32Array {
    native.randperm(this.#use(), out)
    return out
  }

  /** @internal The same of a generator of its own, seeded with 64 bits of this one. */
  permuteSeeded(out: Int32Array): Int32Array {
    native.seeded_randperms(this.#use(), out, out.length, 0, 1, false)
    return out
  }

  /**
   * @internal The orders of `count` epochs of `n` samples as a loader without a generator draws them: 64 bits that nobody
   * uses, then `permuteSeeded`. They begin `stride` apart in `table`, later ones over what is left of earlier ones.
   */
  permuteEpochs(table: Int32Array, n: number, stride: number, count: number): void {
    native.seeded_randperms(this.#use(), table, n, stride, count, true)
  }

  /** @internal Keeps all who are outside of `scope` from drawing until `release`. Throws ERR_BUSY where someone holds it. */
  acquire(scope: Scope): void {
    if (this.#holder) throw this.#busy()
    this.#holder = scope
  }

  /** @internal Ends `acquire`; without effect for anyone but the holder. */
  release(scope: Scope): void {
    if (this.#holder === scope) this.#holder = null
  }

  /** @internal Where its numbers come from. */
  protected get place(): Place {
    return this.#place
  }

  /** The engine, if it is free. */
  #use(): Engine {
    if (this.#holder?.isCurrent === false) throw this.#busy()
    checkDraw()
    return this.place.engine
  }

  #busy(): AnnealError {
    const instead = 'await the fit first, or draw from a generator of your own'
    return new AnnealError('ERR_BUSY', `Generator: expected a generator that no running fit holds; ${instead}`)
  }
}

/** The generator that is drawn from by default: a run takes its engine over, and others draw from a fork meanwhile. */
class DefaultGenerator extends Generator {
  protected override get place(): Place {
    return currentPlace()
  }
}

/** An option that is a Generator, or the default one. */
export function checkGenerator(where: string, generator: unknown): Generator {
  if (generator === undefined || generator === null) return defaultGenerator
  if (!(generator instanceof Generator)) throw typeError(where, 'generator to be a random.Generator', generator)
  return generator
}

/** The generator that initialisers, dropout and loaders draw from; starts from true randomness. */
export const defaultGenerator: Generator = new DefaultGenerator()
defaultGenerator.seed()

/**
 * Seeds the default generator: from here on, the numbers are those of PyTorch after `torch.manual_seed(seed)`.
 *
 * ```ts
 * random.manualSeed(0)
 * random.rand([2]).toArray() // [0.4962566, 0.7682218]
 * ```
 * Returns the generator. While a fit draws from the default generator, seeding it is for all others, and for good: the
 * fit's stream does not come back. Errors as `Generator.manualSeed`. Source: torch.manual_seed.
 */
export function manualSeed(seed: Seed): Generator {
  return defaultGenerator.manualSeed(seed)
}
