/**
 * A stream in the plan's memory: one part is there while the next is read. Not here: how rows become parts
 * (data/part_layout.ts), the steps over them.
 */

import { type Steps, settled } from '../base/drive.js'
import type { Columns } from '../data/columns.js'
import { type DataLoader, StreamTable } from '../data/index.js'
import { firstToRead, type PartLayout, partLayouts, partOf, placesIn } from '../data/part_layout.js'
import { gatherRows, joinRows, placeholders } from '../data/rows.js'
import { Tensor } from '../tensor/index.js'
import type { PassColumns } from './resident.js'

/** Puts a part where the plan reads it. */
type Place = (columns: Columns) => Steps<void>

/** Feeds of the passes that read a stream: of training and of evaluation, which may be passes over one loader. */
export type Feeds = Readonly<Partial<Record<'train' | 'test', StreamFeed>>>

export function feedsOf({ train, test }: { train: DataLoader; test?: DataLoader }): Feeds {
  const feedOf = (loader?: DataLoader) => {
    return loader?.dataset instanceof StreamTable ? new StreamFeed(loader, loader.dataset) : undefined
  }
  return { train: feedOf(train), test: feedOf(test) }
}

export class StreamFeed {
  readonly #layouts: readonly PartLayout[]
  /** Of each part of the pass, the places of the rows that it leaves over. */
  #leftOver: Int32Array[] = []
  #place: Place | null = null
  /** The number and the rows of the part that is trained on, and whether it is in its place. */
  #part = -1
  #tensors: readonly Tensor[] = []
  #placed = false
  #parts: AsyncGenerator<Tensor[]> | null = null
  #next: { k: number; tensors: Promise<Tensor[]> } | null = null

  constructor(
    private readonly loader: DataLoader,
    private readonly stream: StreamTable,
  ) {
    this.#layouts = partLayouts(stream.length, stream.partRows, loader.batchSize)
  }

  /** Room for any part, as the columns that steps are recorded on; there are no values yet. */
  columns(): PassColumns {
    const rows = Math.max(...this.#layouts.map(({ rows }) => rows))
    const tensors = this.stream.samples.map(({ shape, dtype }) => {
      return new Tensor([rows, ...shape], dtype, dtype === 'int32' ? new Int32Array(0) : new Float32Array(0))
    })
    return { tensors, indices: null, placesOf: order => this.#placesOf(order), present: () => this.#tensors }
  }

  /** A plan's memory, which knows no part yet. */
  attach(place: Place): void {
    this.#place = place
    this.#placed = false
  }

  #placesOf(order: Int32Array): Int32Array {
    const places = new Int32Array(order.length)
    this.#leftOver = this.#layouts.map(part => {
      const { batches, leftOver } = placesIn(part, order)
      places.set(batches, part.start)
      return leftOver
    })
    return places
  }

  /** Has the part in place that row number `row` of the pass is in, and the next one read. Returns the batches up to its end. */
  *batchesFrom(row: number): Steps<number> {
    const k = partOf(this.#layouts, row)
    if (this.#part < 0 || this.#part > k) this.#beginWith(firstToRead(this.#layouts, k))
    while (this.#part < k) yield* this.#toNext()
    if (!this.#placed) yield* this.#place!({ tensors: this.#tensors, indices: null })
    this.#placed = true
    const { batchSize, dropLast } = this.loader
    const { start, used } = this.#layouts[k]
    const batches = (start + used - row) / batchSize
    return dropLast ? Math.floor(batches) : Math.ceil(batches)
  }

  /** Stops reading. */
  close(): void {
    this.#parts?.return(undefined).catch(() => {})
    this.#parts = null
  }

  /** Reads on with part number `k`, of which the rows left over by the one before are not needed. */
  #beginWith(k: number): void {
    this.#part = k - 1
    this.#tensors = []
    if (this.#next?.k === k) return
    this.#next = null
    this.close()
  }

  *#toNext(): Steps<void> {
    const k = this.#part + 1
    const fresh = yield* settled(this.#next?.k === k ? this.#next.tensors : this.#read(k))
    const before = this.#tensors
    const left = before.length
      ? before.map(t => gatherRows('DataLoader', t, this.#leftOver[k - 1]))
      : placeholders(fresh, this.#layouts[k].left)
    this.#tensors = joinRows(left, fresh)
    this.#part = k
    this.#placed = false
    if (this.#layouts.length > 1) this.#readAhead((k + 1) % this.#layouts.length)
  }

  #readAhead(k: number): void {
    const tensors = this.#read(k)
    tensors.catch(() => {}) // who waits for it is told
    this.#next = { k, tensors }
  }

  async #read(k: number): Promise<Tensor[]> {
    if (k === 0 || !this.#parts) this.#parts = this.stream.parts(k)
    return (await this.#parts.next()).value
  }
}
