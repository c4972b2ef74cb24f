/**
 * A place that a random stream is drawn from. A run takes its engine over, untouched, for as long as it lasts; whoever
 * draws there meanwhile draws from a fork, and at the end the engine comes back. Not here: who is inside of which run
 * (scope.ts), or what is drawn (streams/).
 */

import { type Engine, native } from '../native/random.js'

/** Where an engine is in its stream. */
interface State {
  readonly words: Uint32Array
  readonly normal: Float64Array
  position: number
  seed: bigint
}

const MASK = 2n ** 64n - 1n

/** SplitMix64's output for the state `x`: neighbouring numbers become unlike ones. Source: Steele, Lea, Flood 2014. */
function splitMix64(x: bigint): bigint {
  let z = (x + 0x9e3779b97f4a7c15n) & MASK
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK
  return z ^ (z >> 31n)
}

/**
 * A stream of its own that is decided by where another one is: seeded by the low 32 bits of SplitMix64 of the next 64 bits
 * that the other would give, without a kept normal. Its initial seed is the other's.
 */
function forkOf({ words, normal, position, seed }: State): Engine {
  const fork = native.create()
  native.set_state(fork, words, normal, position, seed)
  native.seed(fork, splitMix64(native.next64(fork)) & 0xffffffffn)
  native.set_state(fork, words, normal, native.get_state(fork, words, normal), seed)
  return fork
}

export class Place {
  /** Null where it was taken and nobody has drawn here since. */
  #engine: Engine | null
  /** Where the engine was in its stream when it was taken. */
  #left: State | null = null
  /** Those who took an engine from here, in order: each took the fork that the one before had left. */
  readonly #takers: Place[] = []

  constructor(engine: Engine = native.create()) {
    this.#engine = engine
  }

  /** The engine to draw from here. */
  get engine(): Engine {
    this.#engine ??= forkOf(this.#left!)
    return this.#engine
  }

  /** A place of a run's own, with the engine that was here. */
  take(): Place {
    const { engine } = this
    this.#left ??= { words: new Uint32Array(624), normal: new Float64Array(2), position: 0, seed: 0n }
    this.#left.position = native.get_state(engine, this.#left.words, this.#left.normal)
    this.#left.seed = native.initial_seed(engine)
    const taken = new Place(engine)
    this.#engine = null
    this.#takers.push(taken)
    return taken
  }

  /** Ends `take`: the engine comes back in the place of its fork, and of whatever was taken from that. */
  putBack(taken: Place): void {
    const at = this.#takers.indexOf(taken)
    if (at < 0) return
    this.#takers.length = at
    this.#engine = taken.engine
  }

  /** The stream that is here was chosen by whoever draws: what was taken before does not come back. */
  settle(): void {
    this.#takers.length = 0
  }
}
