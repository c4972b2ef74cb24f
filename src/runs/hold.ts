/**
 * The tensors that a run holds, and what others see of them meanwhile: one *published set* of weights and buffers, as they
 * were at the start or at the end of an epoch, never a mixture. Once somebody has asked, each end of an epoch gives a new
 * set; those who are in the middle of a prediction keep theirs. Not here: streams (place.ts), or what a tensor is.
 */

import type { Scope } from './scope.js'

type Values = Float32Array | Int32Array
/** What tensors are told apart by: the array with their values, which several may share. */
type Memory = ArrayLike<number> | { readonly length: number }

interface Holdable {
  readonly buf: Memory
  hold: Hold | null
}

/** Values of weights and buffers, which nobody writes any more. */
export class PublishedSet {
  readonly #handedOut = new Map<Memory, Values>()

  constructor(private readonly values: ReadonlyMap<Memory, Values>) {}

  /** The same, and this besides. */
  with(more: readonly [Memory, Values]): PublishedSet {
    return new PublishedSet(new Map([...this.values, more]))
  }

  /** To compute with; undefined for what is not in the set. */
  of(memory: Memory): Values | undefined {
    return this.values.get(memory)
  }

  /** A copy for users, who may write to it or give it away. */
  copyOf(memory: Memory): Values | undefined {
    const values = this.values.get(memory)
    let copy = this.#handedOut.get(memory)
    if (values && copy?.length !== values.length) {
      copy = values.slice()
      this.#handedOut.set(memory, copy)
    }
    return copy
  }
}

/** Memory with a copy of it; what was transferred has no elements any more, which whoever computes with it finds out. */
function copied(memory: Memory): readonly [Memory, Values] {
  return [memory, memory.length > 0 ? (memory as unknown as Values).slice() : new Float32Array(0)]
}

/** Which run holds what memory: what is in here is taken out at the end of the run. */
const holders = new Map<Memory, Hold>()

export class Hold {
  /** Whether the run works in the tensors' own memory; else a plan has the values. */
  open = true
  /** Whether somebody has asked for a published set. */
  asked = false
  readonly #held: Holdable[] = []
  /** The memory of parameters and buffers: what is published. */
  readonly weights = new Set<Memory>()
  /** The newest set; null where it is in the tensors' memory, or where `#unread` has it. */
  #set: PublishedSet | null = null
  /** Reads what a plan has published. */
  #unread: ((memory: Memory) => Values | null) | null = null
  #frozen = false

  constructor(readonly scope: Scope) {}

  /** Takes tensors into the run's hands, all or none. Returns whether no other run holds one of them. */
  claim(weights: readonly Holdable[], others: readonly Holdable[]): boolean {
    const isFree = ({ buf }: Holdable) => (holders.get(buf) ?? this) === this
    if (!weights.every(isFree) || !others.every(isFree)) return false
    for (const t of weights) this.#addWeight(t)
    for (const t of others) this.#add(t)
    for (const reading of readings) if (reading.reads(this.weights)) reading.setOf(this)
    return true
  }

  #add(t: Holdable): void {
    if (t.hold === this) return
    holders.set(t.buf, this)
    t.hold = this
    this.#held.push(t)
  }

  /** One that a callback made is part of the present set, too. */
  #addWeight(t: Holdable): void {
    this.#add(t)
    if (this.weights.has(t.buf)) return
    this.weights.add(t.buf)
    if (this.#set) this.#set = this.#set.with(copied(t.buf))
  }

  /** The end: all tensors are everybody's again. */
  release(): void {
    for (const t of this.#held) {
      holders.delete(t.buf)
      t.hold = null
    }
    this.#held.length = 0
  }

  /** Whether who asks sees the tensors' own memory, to read and to write. */
  get isOpenToCaller(): boolean {
    return this.open && this.scope.isCurrent
  }

  /** What others see. */
  get newest(): PublishedSet {
    this.asked = true
    this.keep()
    return this.#set!
  }

  /** The memory is as at the start or the end of an epoch, which is the newest set from now on. */
  renew(): void {
    if (this.#frozen) return
    this.#set = null
    this.#unread = null
    if (this.asked) this.keep()
  }

  /** Before the memory changes within an epoch: keeps what it holds, if that is the newest set. */
  keep(): void {
    if (this.#set) return
    const read = this.#unread
    this.#unread = null
    const valuesOf = (memory: Memory) => {
      const values = read?.(memory)
      return values ? ([memory, values] as const) : copied(memory)
    }
    this.#set = new PublishedSet(new Map([...this.weights].map(valuesOf)))
  }

  /** A plan has published a set; `read` gives the values of what is in it, null for what training leaves as it is. */
  publish(read: (memory: Memory) => Values | null): void {
    this.#set = null
    this.#unread = read
  }

  /** Whether a plan is to publish. */
  get wantsSets(): boolean {
    return this.asked && !this.#frozen
  }

  /** Others see the present set until the end, whatever the run does. */
  freeze(): void {
    this.keep()
    this.#frozen = true
  }
}

/** Calls under way that keep to one set, and the one that runs at the moment. */
const readings = new Set<Reading>()
let reading: Reading | null = null

/** What one call reads, with all its pauses: of every run the set that was the newest when the call first met it. */
export class Reading {
  readonly #sets = new Map<Hold, PublishedSet>()

  /** `tensors`: what it may read. From now on until `close`. */
  constructor(private readonly tensors: () => Iterable<Holdable>) {
    readings.add(this)
  }

  close(): void {
    readings.delete(this)
  }

  /** Runs a stretch of the call. */
  run<T>(stretch: () => T): T {
    const before = reading
    reading = this
    try {
      return stretch()
    } finally {
      reading = before
    }
  }

  /** Whether it reads some of this memory: where a run takes it in the middle, the call goes on with what was there before. */
  reads(memory: ReadonlySet<Memory>): boolean {
    for (const { buf } of this.tensors()) if (memory.has(buf)) return true
    return false
  }

  setOf(hold: Hold): PublishedSet {
    const set = this.#sets.get(hold) ?? hold.newest
    this.#sets.set(hold, set)
    return set
  }

  get hasMetRuns(): boolean {
    return this.#sets.size > 0
  }

  /** The set that memory is in whose run may be over by now. */
  setWith(memory: Memory): PublishedSet | null {
    for (const set of this.#sets.values()) if (set.of(memory)) return set
    return null
  }
}

/** Whether the tensor's own memory is what the caller sees. */
export function isOwn({ hold }: Holdable): boolean {
  return hold === null ? !reading?.hasMetRuns : hold.isOpenToCaller
}

/** The set in which the caller sees a tensor; null where that is its own memory. */
export function seenIn({ buf, hold }: Holdable): PublishedSet | null {
  if (hold?.isOpenToCaller) return null
  const pinned = reading?.setWith(buf)
  return pinned ?? (hold ? (reading?.setOf(hold) ?? hold.newest) : null)
}
