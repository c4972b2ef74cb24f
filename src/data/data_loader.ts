/** Batches of a dataset in PyTorch's order. Not here: how a batch is collated (rows.ts) or trained on. */

import { checkBoolean, checkInt, checkOptions } from '../base/check.js'
import { AnnealError, phrase, rangeError } from '../base/errors.js'
import { checkGenerator, defaultGenerator, type Generator } from '../streams/generator.js'
import type { Tensor } from '../tensor/tensor.js'
import { isWeighted } from './columns.js'
import { batchOf, checkDataset, type Dataset } from './dataset.js'
import { firstToRead, partLayouts, partOf, placesIn } from './part_layout.js'
import { gatherRows, joinRows, placeholders } from './rows.js'
import { checkSampler, orderOf, type Sampler } from './samplers.js'
import { StreamTable } from './stream_table.js'
import type { StreamOffset } from './table_offset.js'

/** Options of `DataLoader`. */
export interface DataLoaderOptions {
  /** Samples per batch. Default 1. */
  batchSize?: number
  /** A new random order every epoch. Default false. */
  shuffle?: boolean
  /** Leave out a last batch that is not full. Default false. */
  dropLast?: boolean
  /** Which samples an epoch takes, in which order, instead of `shuffle`. Default: all. */
  sampler?: Sampler
  /** The stream that the order comes from. Default: the default generator. */
  generator?: Generator
}

/**
 * Batches of a dataset: an iterable of `[x, y, …]`, one pass per epoch.
 *
 * ```ts
 * const loader = new data.DataLoader(new data.TensorDataset(X, y), { batchSize: 32, shuffle: true })
 * for (const [x, labels] of loader) loss.forward(model.forward(x), labels)
 * loader.length // batches per epoch
 * ```
 * The order and every number drawn are PyTorch's (num_workers = 0): each pass draws a base seed, shuffled or not; a
 * loader with its own generator draws one more permutation when the samples run out. A sampler draws after the base seed.
 * Throws TypeError or RangeError for options, ERR_EMPTY for shuffling nothing. Source: torch.utils.data.DataLoader.
 */
export class DataLoader implements Iterable<Tensor[]>, AsyncIterable<Tensor[]> {
  readonly dataset: Dataset
  readonly batchSize: number
  readonly shuffle: boolean
  readonly dropLast: boolean
  readonly sampler: Sampler | null
  /** The loader's own generator, or null: the default one. */
  readonly generator: Generator | null
  /** The order of an epoch without shuffling, once it was asked for. */
  #inOrder: Int32Array | null = null
  /** Of the data set that was asked last: a callback may put another in its place. */
  #weighted: { readonly dataset: Dataset; readonly yes: boolean } | null = null

  constructor(dataset: Dataset, options: DataLoaderOptions = {}) {
    checkOptions('DataLoader', options, ['batchSize', 'shuffle', 'dropLast', 'sampler', 'generator'])
    const { batchSize = 1, shuffle = false, dropLast = false, sampler, generator } = options
    this.dataset = checkDataset('DataLoader', dataset)
    this.batchSize = checkInt('DataLoader', 'batchSize', batchSize, { min: 1 })
    this.shuffle = checkBoolean('DataLoader', 'shuffle', shuffle)
    this.dropLast = checkBoolean('DataLoader', 'dropLast', dropLast)
    this.sampler = sampler ? checkSampler('DataLoader', sampler) : null
    if (sampler && shuffle) throw rangeError('DataLoader', 'shuffle to be false with a sampler', shuffle)
    this.generator = generator ? checkGenerator('DataLoader', generator) : null
    if (dataset instanceof StreamTable && batchSize > dataset.partRows)
      throw rangeError('DataLoader', `batchSize to be at most the stream's partRows (${dataset.partRows})`, batchSize)
    if (shuffle && dataset.length === 0) {
      throw new AnnealError('ERR_EMPTY', phrase('DataLoader', 'at least one sample to shuffle', '0'))
    }
  }

  /** Whether the last tensor of a batch is the weights of its samples. */
  get weighted(): boolean {
    const { dataset } = this
    if (this.#weighted?.dataset !== dataset) this.#weighted = { dataset, yes: isWeighted(dataset) }
    return this.#weighted.yes
  }

  /** Samples per epoch, also where the last batch is left out. */
  get samples(): number {
    return this.sampler?.length ?? this.dataset.length
  }

  /** The streams that an epoch draws from. */
  get streams(): Generator[] {
    const owners = this.sampler ? [this, this.sampler] : [this]
    return [...new Set(owners.map(({ generator }) => generator ?? defaultGenerator))]
  }

  /** @internal The same loader with another batch size. */
  withBatchSize(batchSize: number): DataLoader {
    const { dataset, shuffle, dropLast } = this
    const own = { ...(this.sampler && { sampler: this.sampler }), ...(this.generator && { generator: this.generator }) }
    return new DataLoader(dataset, { batchSize, shuffle, dropLast, ...own })
  }

  /** Batches per epoch. */
  get length(): number {
    const batches = this.samples / this.batchSize
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches)
  }

  /** @internal Samples in full batches; what is left makes the last batch or is dropped. */
  get fullRows(): number {
    return this.samples - (this.samples % this.batchSize)
  }

  /** One pass: draws the order, then gives batch after batch. */
  [Symbol.iterator](): IterableIterator<Tensor[]> {
    if (this.dataset instanceof StreamTable)
      throw new AnnealError('ERR_STATE', 'DataLoader: expected a stream to be iterated with for await')
    this.#drawBaseSeed()
    return this.#batches(() => this.#drawOrder())
  }

  /** The order of an epoch that begins with its streams in these states; they stay as they are. */
  orderFrom(states: readonly Uint8Array[]): Int32Array {
    const { streams } = this
    const present = streams.map(stream => stream.getState())
    streams.forEach((stream, i) => {
      stream.setState(states[i])
    })
    const order = this.epochOrder()
    streams.forEach((stream, i) => {
      stream.setState(present[i])
    })
    return order
  }

  /** @internal Of a stream, where its source is read from for the batches from number `first` on, if that is known. */
  offsetOf(first: number): StreamOffset | undefined {
    const { dataset: stream, batchSize } = this
    if (!(stream instanceof StreamTable)) return undefined
    const layouts = partLayouts(stream.length, stream.partRows, batchSize)
    const part = firstToRead(layouts, partOf(layouts, first * batchSize))
    const known = stream.offsets.of(part)
    return known ? { part, ...known } : undefined
  }

  /** @internal Takes such an offset over from another run. */
  knowOffset(offset: StreamOffset | undefined): void {
    if (offset && this.dataset instanceof StreamTable) this.dataset.offsets.know(offset)
  }

  /** The batches of such an epoch from number `first` on. */
  batchesFrom(first: number, states: readonly Uint8Array[]): Batches {
    const draw = () => this.orderFrom(states)
    return this.dataset instanceof StreamTable ? this.#streamed(this.dataset, draw, first) : this.#batches(draw, first)
  }

  /** The same batches for `for await`, which a stream needs. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Tensor[]> {
    return this.dataset instanceof StreamTable
      ? this.#streamed(this.dataset, () => this.epochOrder())
      : this.#oneByOne()
  }

  async *#oneByOne(): AsyncIterableIterator<Tensor[]> {
    for (const tensors of this) yield tensors
  }

  async *#streamed(stream: StreamTable, draw: () => Int32Array, first = 0): AsyncIterableIterator<Tensor[]> {
    const { batchSize, dropLast } = this
    const order = draw()
    const layouts = partLayouts(stream.length, stream.partRows, batchSize)
    let k = firstToRead(layouts, partOf(layouts, first * batchSize))
    let left: Tensor[] | null = null
    for await (const fresh of stream.parts(k)) {
      const part = layouts[k++]
      const tensors = joinRows(left ?? placeholders(fresh, part.left), fresh)
      const rowsAt = (places: Int32Array) => tensors.map(t => gatherRows('DataLoader', t, places))
      const { batches, leftOver } = placesIn(part, order)
      left = rowsAt(leftOver)
      for (let at = 0; at < batches.length; at += batchSize) {
        const places = batches.subarray(at, at + batchSize)
        const isFull = places.length === batchSize
        if (!isFull) this.endEpoch()
        if ((isFull || !dropLast) && part.start + at >= first * batchSize) yield rowsAt(places)
      }
    }
    if (this.fullRows === stream.length) this.endEpoch()
  }

  /**
   * @internal Draws what starting an epoch draws. Returns the order of its samples (of all of them, also with `dropLast`), to be
   * read only; a shuffled one is written into `memory` if that is as long.
   *
   * An epoch is: this, the full batches, `endEpoch`, the batch that is not full.
   */
  epochOrder(memory?: Int32Array): Int32Array {
    if (this.#orderIsAll) {
      const order = ofLength(this.dataset.length, memory)
      defaultGenerator.permuteEpochs(order, order.length, 0, 1)
      return order
    }
    this.#drawBaseSeed()
    if (this.shuffle || this.sampler) return this.#drawOrder(memory)
    if (this.#inOrder?.length !== this.samples) this.#inOrder = this.#drawOrder()
    return this.#inOrder!
  }

  /**
   * @internal The orders of `count` epochs at once, if they draw nothing else: whether they do. They begin `stride` apart in `table`,
   * later ones over what is left of earlier ones.
   */
  epochOrders(table: Int32Array, stride: number, count: number): boolean {
    if (this.#orderIsAll) defaultGenerator.permuteEpochs(table, this.dataset.length, stride, count)
    return this.#orderIsAll
  }

  /** Whether an epoch draws its base seed and its order, from the default generator, and no more. */
  get #orderIsAll(): boolean {
    return this.shuffle && this.generator === null && this.#rowsTogether === this.dataset.length
  }

  /** @internal Draws what running out of samples draws: with an own generator, one more permutation that nobody reads. */
  endEpoch(): void {
    if (this.shuffle) this.generator?.randperm(this.dataset.length)
  }

  *#batches(draw: () => Int32Array, first = 0): IterableIterator<Tensor[]> {
    const order = draw()
    const full = this.fullRows
    for (let at = first * this.batchSize; at < full; at += this.batchSize) {
      yield batchOf(this.dataset, order.subarray(at, at + this.batchSize))
    }
    this.endEpoch()
    if (full < order.length && !this.dropLast) yield batchOf(this.dataset, order.subarray(full))
  }

  #drawBaseSeed(): void {
    ;(this.generator ?? defaultGenerator).random64()
  }

  #drawOrder(memory?: Int32Array): Int32Array {
    const n = this.dataset.length
    if (this.sampler) return orderOf(this.sampler, n)
    if (!this.shuffle) return upTo(n)
    const order = ofLength(n, memory)
    const together = this.#rowsTogether
    for (let from = 0; from < n; from += together) {
      const part = order.subarray(from, from + together)
      if (this.generator) this.generator.permute(part)
      else defaultGenerator.permuteSeeded(part)
      if (from > 0) for (let i = 0; i < part.length; i++) part[i] += from
    }
    return order
  }

  /** Rows that are shuffled together: a stream's part. */
  get #rowsTogether(): number {
    return this.dataset instanceof StreamTable
      ? Math.min(this.dataset.partRows, this.dataset.length)
      : this.dataset.length
  }
}

/** Batches one by one, of a stream as they are read. */
export type Batches = IterableIterator<Tensor[]> | AsyncIterableIterator<Tensor[]>

/** `memory`, if it is as long. */
function ofLength(n: number, memory?: Int32Array): Int32Array {
  return memory?.length === n ? memory : new Int32Array(n)
}

/** 0 … n-1, without a call per element. */
function upTo(n: number): Int32Array {
  const order = new Int32Array(n)
  for (let i = 0; i < n; i++) order[i] = i
  return order
}

const { [Symbol.iterator]: ownIterator, [Symbol.asyncIterator]: ownAsyncIterator } = DataLoader.prototype

/** Whether somebody has replaced the way in which a loader makes batches, on a class or on the object. */
export function makesOtherBatches(loader: DataLoader): boolean {
  return loader[Symbol.iterator] !== ownIterator || loader[Symbol.asyncIterator] !== ownAsyncIterator
}
