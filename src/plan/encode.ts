/** Programs as the numbers that native/plan reads. Not here: their buffers' places (placement.ts). */

import { addon } from '../native/addon.js'
import type { KernelName } from '../native/types.js'
import type { Physical } from './layout.js'
import { ABSENT, type Place, type Placement, type Program } from './placement.js'
import type { Batch, DataForm } from './program.js'
import type { Arrival, Block, Exchange, PlacedCall } from './ranks.js'

const { regions, header } = addon.format

export const storeKey = (dataSet: number, column: number, dtype: string) => `${dataSet} ${column} ${dtype}`

/** Writes a program, call by call. */
export class Encoder {
  readonly #numbers: number[]
  /** The buffers of each exchange so far. */
  readonly #exchanges: Exchange['buffers'][] = []

  /** `fields`: what the header says; of those not named, 0. */
  constructor(fields: Readonly<Partial<Record<(typeof header)[number], number>>> = {}) {
    this.#numbers = header.map(name => fields[name] ?? 0)
  }

  call(kernel: KernelName, places: Readonly<Record<string, Place>>, sizes: Readonly<Record<string, number>>): void {
    const { id, buffers, dims, scalars } = addon.signatures[kernel]
    this.#numbers.push(id)
    for (const { name } of buffers) this.#numbers.push(...(places[name] ?? ABSENT))
    for (const name of dims) this.#numbers.push(sizes[name])
    for (const name of scalars) this.#numbers.push(sizes[name])
  }

  /** An exchange that is waited for at once. */
  through(calls: readonly [Exchange, Arrival], placement: Placement): void {
    this.exchange(calls[0], placement)
    this.arrival(calls[1])
  }

  exchange({ buffers, sends, receives }: Exchange, placement: Placement): void {
    this.#exchanges.push(buffers)
    this.#numbers.push(addon.format.exchange, sends.length, receives.length)
    const add = (blocks: readonly Block[], at: number) => {
      for (const { peer, offset, words, stride, times } of blocks)
        this.#numbers.push(peer, at + offset, words, stride, times)
    }
    add(sends, placement.offsetOf(buffers.from))
    add(receives, placement.offsetOf(buffers.to))
  }

  arrival({ buffers }: Arrival): void {
    this.#numbers.push(addon.format.arrival, this.#exchanges.indexOf(buffers))
  }

  done(): Float64Array {
    return Float64Array.from(this.#numbers)
  }
}

/** Encodes a placed program; `stores`: the keys of the data sets' columns, in order. */
export function encode(placement: Placement, program: Program, data: readonly DataForm[], stores: readonly string[]) {
  const { calls, advance, dataSet, prefetch, rows } = program
  const numberOf = (call: PlacedCall | undefined) => (call ? calls.indexOf(call) + 1 : 0)
  const encoder = new Encoder({
    ...advance,
    rows,
    gather: numberOf(prefetch?.gather),
    reader: numberOf(prefetch?.reader),
  })
  for (const call of calls) {
    if (call.kind === 'exchange') {
      encoder.exchange(call, placement)
      continue
    }
    if (call.kind === 'arrival') {
      encoder.arrival(call)
      continue
    }
    const entries = Object.entries<Physical>(call.buffers).map(([name, buffer]) => [name, placement.placeOf(buffer)])
    const places: Record<string, Place> = Object.fromEntries(entries)
    if (call.kind === 'kernel')
      encoder.call(call.kernel, places, { ...call.dims, ...call.scalars, ...negated(call.perRow) })
    else {
      const { column, start, rows: m, width: k, narrow } = call.buffers.x.slot.origin as Batch
      const store = stores.indexOf(storeKey(dataSet, column, call.buffers.x.dtype))
      const from = { data: [regions.store + store, 0], order: [regions.order, start] } as const
      encoder.call(call.kernel, { ...places, ...from }, { rows: data[dataSet].rows, k, m, scale: narrow?.scale ?? 1 })
    }
  }
  return encoder.done()
}

/** As a program writes dims that go with the rows. */
function negated(perRow: Readonly<Record<string, number>> = {}): Record<string, number> {
  return Object.fromEntries(Object.entries(perRow).map(([name, each]) => [name, -each]))
}
