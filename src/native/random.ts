/** The random functions of the addon, typed, and the checks they share. Not here: what users call. */

import { rangeError, typeError } from '../base/errors.js'
import { typedArrayName } from '../base/kinds.js'
import { addon } from './addon.js'

/** A native MT19937 with its kept normal, freed with this object. */
export interface Engine {
  readonly engine: never
}

/** An integer seed; of a bigint the low 64 bits count. */
export type Seed = number | bigint

/** Arrays that a draw can fill, by the suffix of their native function. */
interface Arrays {
  f32: Float32Array
  f64: Float64Array
  i32: Int32Array
}

type Fills<Name extends string, Kind extends keyof Arrays, A extends number[]> = {
  [K in `${Name}_${Kind}`]: (engine: Engine, out: Arrays[Kind], ...args: A) => void
}

interface State {
  create(): Engine
  seed(engine: Engine, seed: Seed): void
  seed_array(engine: Engine, key: Uint32Array): void
  initial_seed(engine: Engine): bigint
  next32(engine: Engine): number
  next64(engine: Engine): bigint
  /** Fills `words` (624) and `normal` ([whether one is kept, its value]); returns the position in the block. */
  get_state(engine: Engine, words: Uint32Array, normal: Float64Array): number
  set_state(engine: Engine, words: Uint32Array, normal: Float64Array, position: number, seed: Seed): void
  randperm(engine: Engine, out: Int32Array): void
  /** Several of `n`, `stride` apart, each from an engine seeded with 64 bits of this one, after 64 more if asked for. */
  seeded_randperms(engine: Engine, out: Int32Array, n: number, stride: number, count: number, baseSeeds: boolean): void
  numpy_uniform(engine: Engine, out: Float64Array, low: number, high: number): void
  numpy_normal(engine: Engine, out: Float64Array, mean: number, std: number): void
  numpy_integers(engine: Engine, out: Int32Array, low: number, high: number): void
  numpy_shuffle(engine: Engine, values: Int32Array): void
  /** False, with nothing drawn, where `cov` is neither diagonal nor at most 2x2. */
  numpy_multivariate_normal(engine: Engine, out: Float64Array, mean: Float64Array, cov: Float64Array): boolean
}

type NativeRandom = State &
  Fills<'uniform' | 'normal', 'f32' | 'f64', [number, number]> &
  Fills<'bernoulli', keyof Arrays, [number]> &
  Fills<'integers', keyof Arrays, [number, number]> &
  Fills<'integers_full', keyof Arrays, []>

export const native = addon.random as NativeRandom

const KINDS = { f32: Float32Array, f64: Float64Array, i32: Int32Array }

/** Which of `kinds` the array `out` is. */
export function kindOf<K extends keyof Arrays>(where: string, out: unknown, kinds: readonly K[]): K {
  for (const kind of kinds) if (typedArrayName(out) === KINDS[kind].name) return kind
  throw typeError(where, `out to be a ${kinds.map(kind => KINDS[kind].name).join(' or ')}`, out)
}

/** A safe integer or a bigint. Returns it. */
export function checkSeed(where: string, seed: unknown): Seed {
  if (typeof seed === 'bigint') return seed
  if (typeof seed !== 'number') throw typeError(where, 'seed to be an integer or a bigint', seed)
  if (!Number.isSafeInteger(seed)) throw rangeError(where, 'seed to be a safe integer or a bigint', seed)
  return seed
}
