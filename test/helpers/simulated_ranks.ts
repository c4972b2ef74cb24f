/**
 * The programs of several ranks run in one process, call by call on the eager kernels, with mailboxes for what travels: what a
 * split program computes, without a library that sends anything. Not a test.
 */

import { addon } from '../../src/native/addon.js'
import type { StoredArray } from '../../src/native/types.js'
import type { Physical } from '../../src/plan/layout.js'
import { Placement } from '../../src/plan/placement.js'
import type { Batch, DataForm, Memory, Recording } from '../../src/plan/program.js'
import { type Block, gatherOwned, type PlacedCall } from '../../src/plan/ranks.js'

/** What a step takes from the tables of a run, by region. */
export interface StepTables {
  readonly order: Int32Array
  readonly scalars: Float64Array
  readonly draws: Float32Array
}

/** Parcels by their exchange, sender and receiver, in the order of sending. */
type Mail = Map<string, Float32Array[]>

class Rank {
  readonly placement: Placement
  readonly #arena: ArrayBuffer
  readonly #tables = new Map<string, Float32Array | Int32Array | Float64Array>()

  constructor(
    readonly ranks: { rank: number; size: number },
    recordings: readonly Recording[],
    forms: readonly DataForm[],
    private readonly columns: readonly StoredArray[],
    private readonly mail: Mail,
  ) {
    this.placement = new Placement(recordings, forms, [], ranks)
    this.#arena = new ArrayBuffer(4 * this.placement.size + 64)
  }

  load({ arrays }: Memory): void {
    for (const kept of this.placement.stored) {
      const { origin } = kept.slot
      const values =
        origin.kind === 'memory'
          ? arrays[origin.index]
          : Float32Array.from((origin as { values: readonly number[] }).values)
      this.#convert(kept, values, 'kernel')
    }
  }

  /** What the memory holds, row-major, by its place among what is kept. */
  *save(): Generator<void, (Float32Array | Int32Array)[]> {
    for (const [kept, share] of this.placement.owned) yield* this.#run(gatherOwned(this.ranks, kept, share))
    return this.placement.written.map(kept => {
      const values = new (kept.dtype === 'int32' ? Int32Array : Float32Array)(kept.slot.length)
      this.#convert(kept, values, 'inverse')
      return values
    })
  }

  #convert(kept: Physical, values: Float32Array | Int32Array, direction: 'kernel' | 'inverse'): void {
    const [{ pack }, place] = [kept.layout, this.#view(kept)]
    const [x, y] = direction === 'kernel' ? [values, place] : [place, values]
    if (pack) (addon.kernels[pack[direction]] as (args: object) => void)({ x, y, ...pack.dims })
    else y.set((x as Float32Array).subarray(0, values.length))
  }

  *step(program: number, tables: StepTables): Generator<void, number[]> {
    const { advance, calls } = this.placement.programs[program]
    for (const [name, table] of Object.entries(tables)) this.#tables.set(name, table)
    const losses = new Float32Array(advance.losses)
    this.#tables.set('losses', losses).set('counts', new Int32Array(advance.counts))
    yield* this.#run(calls)
    return [...losses]
  }

  *#run(calls: readonly PlacedCall[]): Generator<void, void> {
    const exchanges = calls.filter(call => call.kind === 'exchange')
    for (const call of calls) {
      if (call.kind === 'exchange') this.#send(call.buffers.from, call.sends, exchanges.indexOf(call))
      else if (call.kind === 'arrival') {
        yield
        this.#receive(call.buffers.to, call.of.receives, exchanges.indexOf(call.of))
      } else if (call.kind === 'gather') {
        const { column, start, rows: m, width: k, narrow } = call.buffers.x.slot.origin as Batch
        const data = this.columns[column]
        const order = (this.#tables.get('order') as Int32Array).subarray(start)
        const x = this.#view(call.buffers.x)
        const args = { data, order, x, rows: data.length / k, k, m, scale: narrow?.scale ?? 1 }
        ;(addon.kernels[call.kernel] as (args: object) => void)(args)
      } else {
        const views = Object.entries(call.buffers).map(([name, buffer]) => [name, this.#view(buffer)])
        const args = { ...Object.fromEntries(views), ...call.dims, ...call.scalars }
        ;(addon.kernels[call.kernel] as (args: object) => void)(args)
      }
    }
  }

  /** From where a buffer begins. */
  #view(buffer: Physical): Float32Array | Int32Array | Float64Array {
    const { kind } = (buffer.within?.base ?? buffer).slot.origin
    const [, offset] = this.placement.placeOf(buffer)
    const table = buffer.layout.pack ? undefined : this.#tables.get(kind)
    if (table) return table.subarray(offset)
    const View = { float32: Float32Array, int32: Int32Array, float64: Float64Array }[buffer.dtype]
    return new View(this.#arena, 4 * offset, Math.floor((this.#arena.byteLength - 4 * offset) / View.BYTES_PER_ELEMENT))
  }

  #send(from: Physical, blocks: readonly Block[], number: number): void {
    for (const block of blocks) {
      const parcel = new Float32Array(block.words * block.times)
      this.#eachRun(from, block, (run, i) => parcel.set(run, i * block.words))
      const key = `${number}: ${this.ranks.rank} ${block.peer}`
      this.mail.set(key, [...(this.mail.get(key) ?? []), parcel])
    }
  }

  #receive(to: Physical, blocks: readonly Block[], number: number): void {
    for (const block of blocks) {
      const parcel = this.mail.get(`${number}: ${block.peer} ${this.ranks.rank}`)?.shift()
      if (parcel?.length !== block.words * block.times) throw new Error('a parcel that is not what was expected')
      this.#eachRun(to, block, (run, i) => run.set(parcel.subarray(i * block.words, (i + 1) * block.words)))
    }
  }

  #eachRun(
    buffer: Physical,
    { offset, words, stride, times }: Block,
    use: (run: Float32Array, i: number) => void,
  ): void {
    const at = 4 * (this.placement.offsetOf(buffer) + offset)
    for (let i = 0; i < times; i++) use(new Float32Array(this.#arena, at + 4 * i * stride, words), i)
  }
}

/** Runs all to their ends, every one up to where it waits in its turn. */
function together<T>(runs: Generator<void, T>[]): T[] {
  const results: T[] = []
  for (let left = runs.length; left > 0; ) {
    runs.forEach((run, i) => {
      if (i in results) return
      const { done, value } = run.next()
      if (!done) return
      results[i] = value as T
      left--
    })
  }
  return results
}

/** The losses and the memory that each of so many ranks has after some steps. */
export function runShared(
  size: number,
  recordings: readonly Recording[],
  forms: readonly DataForm[],
  columns: readonly StoredArray[],
  memory: Memory,
  steps: readonly (readonly [program: number, tables: StepTables])[],
): { losses: number[][]; bytes: Buffer; calls: readonly PlacedCall[] }[] {
  const mail: Mail = new Map()
  const ranks = Array.from({ length: size }, (_, rank) => new Rank({ rank, size }, recordings, forms, columns, mail))
  for (const rank of ranks) rank.load(memory)
  const losses = steps.map(([program, tables]) => together(ranks.map(rank => rank.step(program, tables))))
  const memories = together(ranks.map(rank => rank.save()))
  return ranks.map((rank, i) => ({
    losses: losses.map(all => all[i]),
    bytes: Buffer.concat(memories[i].map(({ buffer }) => Buffer.from(buffer as ArrayBuffer))),
    calls: rank.placement.programs[0].calls,
  }))
}
