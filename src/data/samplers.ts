/** Samplers: which samples an epoch takes, in which order. Not here: batches of them (data_loader.ts). */

import { checkBoolean, checkInt, checkNumber, checkOptions } from '../base/check.js'
import { AnnealError, phrase, rangeError, shapeError, typeError } from '../base/errors.js'
import { checkGenerator, defaultGenerator, type Generator } from '../streams/generator.js'
import { Tensor } from '../tensor/tensor.js'
import { listOf } from './labels.js'

/** Gives the numbers of the samples of an epoch, each time it is iterated. */
export interface Sampler extends Iterable<number> {
  /** How many it gives. */
  readonly length: number
  /** The stream of its own that it draws from, which a run then holds; null for none or for the default generator. */
  readonly generator?: Generator | null
  /** All of them at once, for those who can do it faster. */
  order?(): Int32Array
}

/** The numbers of an epoch's samples. Throws ERR_SHAPE for more or fewer than `length`, RangeError for one outside the dataset. */
export function orderOf(sampler: Sampler, samples: number): Int32Array {
  const where = 'DataLoader'
  const numbers = sampler.order?.() ?? [...sampler]
  const odd = numbers.findIndex((i: number) => !Number.isInteger(i) || i < 0 || i >= samples)
  if (odd >= 0) throw rangeError(where, `the sampler to give numbers of samples (0 to ${samples - 1})`, numbers[odd])
  if (numbers.length !== sampler.length)
    throw shapeError(where, `the sampler to give its length of ${sampler.length} samples`, `${numbers.length}`)
  return Int32Array.from(numbers)
}

export function checkSampler(where: string, sampler: unknown): Sampler {
  const { length, [Symbol.iterator]: iterator } = (sampler ?? {}) as Sampler
  if (typeof iterator !== 'function') throw typeError(where, 'sampler to be an iterable with a length', sampler)
  checkInt(where, 'sampler.length', length, { min: 0, max: 2 ** 31 - 1 })
  return sampler as Sampler
}

/** What the samplers of this file share: iterating is drawing an order. */
abstract class OrderSampler implements Sampler {
  abstract readonly length: number
  readonly generator: Generator | null

  constructor(where: string, generator?: Generator) {
    this.generator = generator == null ? null : checkGenerator(where, generator)
  }

  /** The numbers of the samples. */
  abstract order(): Int32Array

  /** The numbers of an epoch's samples, drawn anew each time. */
  [Symbol.iterator](): IterableIterator<number> {
    return this.order().values()
  }

  protected get stream(): Generator {
    return this.generator ?? defaultGenerator
  }
}

const lengthOf = (where: string, source: { readonly length: number }) =>
  checkInt(where, 'the length of what is sampled', source?.length, { min: 0, max: 2 ** 31 - 1 })

/**
 * The samples in their order.
 *
 * ```ts
 * ;[...new data.SequentialSampler([5, 6, 7])] // [0, 1, 2]
 * ```
 * Source: torch.utils.data.SequentialSampler.
 */
export class SequentialSampler extends OrderSampler {
  readonly length: number

  constructor(source: { readonly length: number }) {
    super('SequentialSampler')
    this.length = lengthOf('SequentialSampler', source)
  }

  order(): Int32Array {
    return Int32Array.from({ length: this.length }, (_, i) => i)
  }
}

/**
 * These samples, in a new random order every time: one randperm, as PyTorch draws it.
 *
 * ```ts
 * const { train, test } = data.kFold(X.shape[0], { nSplits: 5 })[0]
 * const loader = new data.DataLoader(dataset, { batchSize: 32, sampler: new data.SubsetRandomSampler(train) })
 * ```
 * Throws RangeError for what is no number of a sample. Source: torch.utils.data.SubsetRandomSampler.
 */
export class SubsetRandomSampler extends OrderSampler {
  readonly indices: Int32Array

  constructor(indices: ArrayLike<number>, options: { generator?: Generator } = {}) {
    const where = 'SubsetRandomSampler'
    super(where, checkOptions(where, options, ['generator']).generator)
    const bounds = { min: 0, max: 2 ** 31 - 2 }
    const list = listOf(where, 'indices to be an array', indices) as ArrayLike<number>
    this.indices = Int32Array.from(list, (index, i) => checkInt(where, `indices[${i}]`, index, bounds))
  }

  get length(): number {
    return this.indices.length
  }

  order(): Int32Array {
    return this.stream.randperm(this.length).map(i => this.indices[i])
  }
}

/**
 * Samples drawn with probability wᵢ / Σ w, anew every time.
 *
 * ```ts
 * const weights = [0.1, 0.1, 0.8] // one for each sample
 * const sampler = new data.WeightedRandomSampler(weights, weights.length)
 * ```
 * With `replacement` (the default) and without, the numbers are PyTorch's of the same seed: inverted cumulative sums, or
 * the largest wᵢ / Eᵢ of exponential Eᵢ, in falling order; two of these within 1e-16 of each other may change places.
 * Throws RangeError for weights below 0 or of sum 0, or for more samples without replacement than weights above 0.
 * Source: torch.utils.data.WeightedRandomSampler.
 */
export class WeightedRandomSampler extends OrderSampler {
  readonly weights: Float64Array
  readonly length: number
  readonly replacement: boolean

  constructor(
    weights: Tensor | ArrayLike<number>,
    numSamples: number,
    options: { replacement?: boolean; generator?: Generator } = {},
  ) {
    const where = 'WeightedRandomSampler'
    const { replacement = true, generator } = checkOptions(where, options, ['replacement', 'generator'])
    super(where, generator)
    this.weights = checkWeights(where, weights)
    this.replacement = checkBoolean(where, 'replacement', replacement)
    const most = replacement ? 2 ** 31 - 1 : this.weights.filter(weight => weight > 0).length
    this.length = checkInt(where, 'numSamples', numSamples, { min: 1, max: most })
  }

  order(): Int32Array {
    return this.replacement && this.length > 1 ? this.#withReplacement() : this.#largest()
  }

  #withReplacement(): Int32Array {
    const { weights, length } = this
    let sum = 0
    const cumulative = new Float64Array(weights.length)
    for (let i = 0; i < weights.length; i++) {
      sum += weights[i]
      cumulative[i] = sum
    }
    for (let i = 0; i < weights.length; i++) cumulative[i] /= sum
    cumulative[weights.length - 1] = 1
    return Int32Array.from(this.stream.uniform_(new Float64Array(length)), u => firstAtLeast(cumulative, u))
  }

  #largest(): Int32Array {
    const { weights, length } = this
    const draws = this.stream.uniform_(new Float64Array(weights.length))
    const keys = weights.map((weight, i) => weight / -Math.log1p(-draws[i]))
    const rows = Int32Array.from(keys.keys())
    if (length === 1) return Int32Array.of(rows.reduce((best, i) => (keys[i] > keys[best] ? i : best), 0))
    return rows.sort((a, b) => keys[b] - keys[a] || a - b).slice(0, length)
  }
}

function firstAtLeast(rising: Float64Array, x: number): number {
  let [low, high] = [0, rising.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (rising[middle] < x) low = middle + 1
    else high = middle
  }
  return low
}

function checkWeights(where: string, weights: unknown): Float64Array {
  if (weights instanceof Tensor && weights.shape.length !== 1)
    throw shapeError(where, 'weights to have one dimension', `shape [${weights.shape.join(', ')}]`)
  const values = listOf(where, 'weights to be a Tensor or an array', weights) as ArrayLike<number>
  const numbers = Float64Array.from(values, (weight, i) => checkNumber(where, `weights[${i}]`, weight, { min: 0 }))
  if (!numbers.some(weight => weight > 0)) throw new AnnealError('ERR_EMPTY', phrase(where, 'a weight above 0', 'none'))
  return numbers
}
