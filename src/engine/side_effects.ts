/**
 * What recording sees of a model besides its kernel calls: JavaScript state that it changes, clocks and Math.random that
 * it reads. Any of it would be frozen in a plan, so that the model is none; what changed is put back. Not here: state
 * inside closures and private members, which nobody sees from outside (a plan that is new is recorded twice for them).
 */

import { typedArrayName } from '../base/kinds.js'
import { noteUnplannable, throwingUnplannable, Unplannable } from '../emitters/unplannable.js'
import { Module } from '../nn/index.js'
import { Optimizer } from '../optim/index.js'
import { refusingDraws } from '../streams/draws.js'
import { Generator } from '../streams/index.js'
import { Tensor } from '../tensor/index.js'

/** Values looked at in all; of what comes behind, as in a list that was filled for long, the number counts. */
const MOST = 2 ** 14

/** One object with what it held: `change` names a difference, `restore` puts it back. */
interface Kept {
  readonly change: () => string | null
  readonly restore: () => void
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
  if (Array.isArray(value) || typedArrayName(value)) return keepList(value as unknown[], name, most, add)
  if (value instanceof Map || value instanceof Set) return keepCollection(value, name, most, add)
  return keepProperties(value as Record<string, unknown>, name, add)
}

function keepList(list: unknown[], name: string, most: number, add: Add): Looked {
  const { length } = list
  const values = Array.prototype.slice.call(list, 0, most)
  if (Array.isArray(list)) for (const entry of values) add(entry, name)
  const change = () => {
    if (list.length !== length) return name
    for (let i = 0; i < values.length; i++) if (!Object.is(list[i], values[i])) return name
    return null
  }
  const restore = () => {
    if (Array.isArray(list)) list.length = length
    for (let i = 0; i < values.length; i++) list[i] = values[i]
  }
  return { kept: { change, restore }, values: values.length }
}

function keepCollection(of: Map<unknown, unknown> | Set<unknown>, name: string, most: number, add: Add): Looked {
  const { size } = of
  const entries = size <= most ? [...of.entries()] : []
  for (const entry of entries) for (const part of entry) add(part, name)
  const change = () => {
    if (of.size !== size) return name
    if (entries.length === 0) return null
    let i = 0
    for (const [key, value] of of.entries()) {
      if (key !== entries[i][0] || !Object.is(value, entries[i][1])) return name
      i++
    }
    return null
  }
  const restore = () => {
    of.clear()
    for (const [key, value] of entries) of instanceof Map ? of.set(key, value) : of.add(key)
  }
  return { kept: { change, restore }, values: entries.length }
}

function keepProperties(object: Record<string, unknown>, name: string, add: Add): Looked {
  const keys = Object.keys(object)
  const values = keys.map(key => object[key])
  for (let i = 0; i < keys.length; i++) {
    if (typeof values[i] === 'object') add(values[i], `${name}.${keys[i]}`)
  }
  const change = () => {
    const present = Object.keys(object)
    for (let i = 0; i < Math.max(keys.length, present.length); i++) {
      const key = keys[i] ?? present[i]
      if (present[i] !== keys[i] || !Object.is(object[key], values[i])) return `${name}.${key}`
    }
    return null
  }
  const restore = () => {
    for (const key of Object.keys(object)) if (!keys.includes(key)) delete object[key]
    keys.forEach((key, i) => {
      if (!Object.is(object[key], values[i])) object[key] = values[i]
    })
  }
  return { kept: { change, restore }, values: keys.length }
}

/** What gives another value every time. */
const clocks: readonly [object, string, string][] = [
  [Math, 'random', 'Math.random'],
  [Date, 'now', 'Date.now'],
  [performance, 'now', 'performance.now'],
]

/** Runs `record`, noting as unplannable where it calls one of the clocks, which it gets an answer from. */
function withClocksWatched<T>(record: () => T): T {
  const restores = clocks.map(([object, key, name]) => {
    return watchCalls(object, key, () => noteUnplannable(`the model calls ${name}`))
  })
  try {
    return record()
  } finally {
    for (const restore of restores) restore()
  }
}

/** Has `told` called at every call of a method; the function returned ends that. */
function watchCalls(object: object, key: string, told: () => void): () => void {
  const own = Object.getOwnPropertyDescriptor(object, key)
  const method = Reflect.get(object, key)
  const value = function (this: unknown, ...args: unknown[]) {
    told()
    return Reflect.apply(method, this, args)
  }
  Reflect.defineProperty(object, key, { configurable: true, enumerable: false, writable: true, ...own, value })
  return () => {
    if (own) Reflect.defineProperty(object, key, own)
    else Reflect.deleteProperty(object, key)
  }
}
