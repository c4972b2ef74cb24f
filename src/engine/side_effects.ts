/**
 * What recording sees of a model besides its kernel calls: JavaScript state that it changes, clocks and Math.random that
 * it reads. Any of it would be frozen in a plan, so that the model is none; what changed is put back. Not here: state
 * inside closures and private members, which nobody sees from outside (a plan that is new is recorded twice for them).
 */

import { noteUnplannable, throwingUnplannable, Unplannable } from '../emitters/unplannable.js'
import { Module } from '../nn/index.js'
import { Optimizer } from '../optim/index.js'
import { refusingDraws } from '../streams/draws.js'
import { Generator } from '../streams/index.js'
import { Tensor } from '../tensor/index.js'

/** Values looked at in all; of what comes behind, as in a list that was filled for long, the number counts. */
const MOST = 2 ** 14

/** One object with what it held. */
interface Kept {
  /** The name of a difference, if there is one. */
  change(): string | null
  /** Puts it back. */
  restore(): void
}

/**
 * Runs `record`. Throws Unplannable where it changed properties of these objects or of what they hold, modules, lists,
 * maps and objects of all kinds, read a clock or Math.random, or drew numbers; they are as before, also where it threw.
 */
export function withoutSideEffects<T>(roots: readonly object[], record: () => T): T {
  const state = keepAll(roots)
  let changed: string | null = null
  try {
    return throwingUnplannable(() => {
      const result = refusingDraws(drawn, () => withClocksWatched(record))
      changed = state.map(kept => kept.change()).find(change => change !== null) ?? null
      if (changed) throw new Unplannable(`${changed} changes while the model computes`)
      return result
    })
  } catch (error) {
    for (const kept of state) if (kept.change() !== null) kept.restore()
    throw error
  }
}

const drawn = () => new Unplannable('the model draws random numbers of its own')

/** What training changes by rights, or changes nothing of: not looked into. */
const isOpaque = (value: object) => value instanceof Tensor || value instanceof Optimizer || value instanceof Generator

/** Everything that can be reached, as far as it is looked at. */
export function keepAll(roots: readonly object[]): Kept[] {
  const found = new Set<object>(roots)
  const names = new Map<object, string>()
  const state: Kept[] = []
  let left = MOST
  const add = (value: unknown, name: string) => {
    if (typeof value !== 'object' || value === null || found.has(value)) return
    found.add(value)
    names.set(value, name)
  }
  // Members that are found are visited by the same loop.
  for (const value of found) {
    if (isOpaque(value)) continue
    if (left <= 0 && !(value instanceof Module)) continue
    const { kept, values } = keep(value, nameOf(value, names), left, add)
    state.push(kept)
    left -= values
  }
  return state
}

/** A module by its class, anything else by where it was found. */
function nameOf(value: object, names: ReadonlyMap<object, string>): string {
  return (value instanceof Module ? undefined : names.get(value)) ?? value.constructor?.name ?? 'the loss'
}

type Add = (value: unknown, name: string) => void
type Looked = { kept: Kept; values: number }

function keep(value: object, name: string, most: number, add: Add): Looked {
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    const list = new KeptList(name, value as unknown[], most)
    if (Array.isArray(value)) for (const entry of list.values) add(entry, name)
    return { kept: list, values: list.values.length }
  }
  if (value instanceof Map || value instanceof Set) {
    const collection = new KeptCollection(name, value, most)
    for (const entry of collection.entries) for (const part of entry) add(part, name)
    return { kept: collection, values: collection.entries.length }
  }
  const properties = new KeptProperties(name, value as Record<string, unknown>)
  const { keys, values } = properties
  for (let i = 0; i < keys.length; i++) if (typeof values[i] === 'object') add(values[i], `${name}.${keys[i]}`)
  return { kept: properties, values: keys.length }
}

class KeptList implements Kept {
  readonly #length: number
  readonly values: readonly unknown[]

  constructor(
    private readonly name: string,
    private readonly list: unknown[],
    most: number,
  ) {
    this.#length = list.length
    this.values = Array.prototype.slice.call(list, 0, most)
  }

  change(): string | null {
    const { list, values } = this
    if (list.length !== this.#length) return this.name
    for (let i = 0; i < values.length; i++) if (!Object.is(list[i], values[i])) return this.name
    return null
  }

  restore(): void {
    const { list, values } = this
    if (Array.isArray(list)) list.length = this.#length
    for (let i = 0; i < values.length; i++) list[i] = values[i]
  }
}

class KeptCollection implements Kept {
  readonly #size: number
  readonly entries: readonly [unknown, unknown][]

  constructor(
    private readonly name: string,
    private readonly of: Map<unknown, unknown> | Set<unknown>,
    most: number,
  ) {
    this.#size = of.size
    this.entries = of.size <= most ? [...of.entries()] : []
  }

  change(): string | null {
    const { of, entries } = this
    if (of.size !== this.#size) return this.name
    if (entries.length === 0) return null
    let i = 0
    for (const [key, value] of of.entries()) {
      if (!Object.is(key, entries[i][0]) || !Object.is(value, entries[i][1])) return this.name
      i++
    }
    return null
  }

  /** What was too much to be looked at stays. */
  restore(): void {
    const { of, entries } = this
    if (entries.length < this.#size) return
    of.clear()
    for (const [key, value] of entries) of instanceof Map ? of.set(key, value) : of.add(key)
  }
}

class KeptProperties implements Kept {
  readonly keys: readonly string[]
  readonly values: readonly unknown[]

  constructor(
    private readonly name: string,
    private readonly object: Record<string, unknown>,
  ) {
    this.keys = Object.keys(object)
    this.values = this.keys.map(key => object[key])
  }

  change(): string | null {
    const { object, keys, values } = this
    const present = Object.keys(object)
    for (let i = 0; i < Math.max(keys.length, present.length); i++) {
      const key = keys[i] ?? present[i]
      if (present[i] !== keys[i] || !Object.is(object[key], values[i])) return `${this.name}.${key}`
    }
    return null
  }

  restore(): void {
    const { object, keys, values } = this
    for (const key of Object.keys(object)) if (!keys.includes(key)) delete object[key]
    keys.forEach((key, i) => {
      if (!Object.is(object[key], values[i])) object[key] = values[i]
    })
  }
}

/** A method that gives another value every time. While it is watched, a call is noted and answered. */
class Clock {
  #owner: object = globalThis
  #method: unknown
  readonly #watcher: unknown

  /** `holder`: what has the method, itself or by its prototype. Assigning is cheap, and made once per recording. */
  constructor(
    private readonly holder: () => object,
    private readonly key: string,
    name: string,
  ) {
    const method = () => this.#method as () => unknown
    this.#watcher = function (this: unknown, ...args: []) {
      noteUnplannable(`the model calls ${name}`)
      return Reflect.apply(method(), this, args)
    }
  }

  watch(): void {
    const holder = this.holder()
    this.#owner = Object.hasOwn(holder, this.key) ? holder : Object.getPrototypeOf(holder)
    this.#method = Reflect.get(this.#owner, this.key)
    Reflect.set(this.#owner, this.key, this.#watcher) // nothing happens where the global objects are frozen
  }

  leave(): void {
    Reflect.set(this.#owner, this.key, this.#method)
  }
}

const clocks = [
  new Clock(() => Math, 'random', 'Math.random'),
  new Clock(() => Date, 'now', 'Date.now'),
  new Clock(() => performance, 'now', 'performance.now'),
]

/** Runs `record`, noting as unplannable where it calls one of the clocks, which it gets an answer from. */
function withClocksWatched<T>(record: () => T): T {
  for (const clock of clocks) clock.watch()
  try {
    return record()
  } finally {
    for (const clock of clocks) clock.leave()
  }
}
