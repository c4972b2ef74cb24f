/**
 * What a copy of a module copies: tensors, modules and plain containers of them, each once. Not here: the walk over a
 * module's properties (module.ts).
 */

import { AnnealError } from '../base/errors.js'
import { isPlainObject, typedArrayName } from '../base/kinds.js'

/** Copies by original, so that what is shared stays shared and a cycle ends. */
export type Copies = Map<unknown, unknown>

type CopyLeaf = (value: unknown) => unknown

/** A deep copy of arrays, plain objects, maps, sets and typed arrays; anything else is what `leaf` makes of it. */
export function copyOf(value: unknown, done: Copies, leaf: CopyLeaf): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (done.has(value)) return done.get(value)
  const into = <T>(copy: T, fill: (copy: T) => void): T => {
    done.set(value, copy)
    fill(copy)
    return copy
  }
  const inner = (entry: unknown) => copyOf(entry, done, leaf)
  if (Array.isArray(value)) {
    return into(new Array(value.length), copy => {
      for (const [i, entry] of Object.entries(value)) copy[i as never] = inner(entry) as never
    })
  }
  if (value instanceof Map) return into(new Map(), copy => value.forEach((v, k) => void copy.set(inner(k), inner(v))))
  if (value instanceof Set) return into(new Set(), copy => value.forEach(v => void copy.add(inner(v))))
  if (typedArrayName(value)) return into((value as Float32Array).slice(), () => {})
  if (isPlainObject(value)) {
    return into(Object.create(Object.getPrototypeOf(value)), copy => {
      for (const [key, entry] of Object.entries(value)) Object.defineProperty(copy, key, plainProperty(inner(entry)))
    })
  }
  const copy = leaf(value)
  done.set(value, copy)
  return copy
}

/** Defined, not assigned: a key may be `__proto__`. */
const plainProperty = (value: unknown) => ({ value, writable: true, enumerable: true, configurable: true })

/** Comments and texts of a program, which may hold anything. */
const NO_CODE = /\/\*[\s\S]*?\*\/|\/\/.*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`/g
/** A `#` name, with the words before it that a declaration may have. */
const PRIVATE_NAME = /(?:\b(?:static|async|get|set|accessor)\s+|\*\s*)*#[\w$]+(?!\s+in\b)/g
/** What compilers for older targets make of `#` members. */
const LOWERED = /__privateAdd\(this|__classPrivateField|_classPrivate|_class_private/

/** Whether the source of a class declares members of instances that only its own constructor can make. */
function hasPrivateMembers(source: string): boolean {
  if (!source.startsWith('class')) return false
  const code = source.replace(NO_CODE, ' ')
  if (LOWERED.test(code)) return true
  return [...code.matchAll(PRIVATE_NAME)].some(({ 0: text, index }) => {
    if (text.startsWith('static')) return false
    const before = code.slice(0, index)
    return !text.startsWith('#') || /[{};]\s*$/.test(before) || /[^.?&|!(=,:\s]\s*\n\s*$/.test(before)
  })
}

const checked = new WeakMap<object, string | null>()

function privateClassOf(owner: { name: string }): string | null {
  let found = checked.get(owner)
  if (found === undefined) {
    found = hasPrivateMembers(Function.prototype.toString.call(owner)) ? owner.name || 'a class' : null
    checked.set(owner, found)
  }
  return found
}

/**
 * Refuses what a copy could not run: `#` members, which only the class's own constructor makes, and arrow functions of
 * properties, which go on computing with the original. `base` is the class whose members are known to be fine.
 */
export function checkCopyable(module: object, base: object): void {
  const name = module.constructor.name
  for (let proto = Object.getPrototypeOf(module); proto && proto !== base; proto = Object.getPrototypeOf(proto)) {
    const owner = Object.hasOwn(proto, 'constructor') ? privateClassOf(proto.constructor) : null
    if (owner !== null) throw uncopyable(name, `${owner}'s # members`)
  }
  for (const [key, value] of Object.entries(module)) {
    if (typeof value === 'function' && isBoundArrow(value))
      throw uncopyable(name, `an arrow function with this in ${key}`)
  }
}

function isBoundArrow(fn: object): boolean {
  const source = Function.prototype.toString.call(fn)
  return !Object.hasOwn(fn, 'prototype') && /^(?:async\b)?\s*(?:\([\s\S]*?\)|[\w$]+)\s*=>[\s\S]*\bthis\b/.test(source)
}

function uncopyable(name: string, received: string): AnnealError {
  const expected = 'members that a copy can have, or a method clone() of its own'
  return new AnnealError('ERR_STATE', `${name}.clone: expected ${expected} but received ${received}`)
}
