/**
 * What a value of the language is, whichever realm made it: Jest, vitest and `vm` give arrays that are no `instanceof` the
 * classes of this realm. Not here: classes of this package (errors and checks of those stand where they are used).
 */

const tagOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!
  .get as () => string | undefined

/** 'Float32Array', 'Int8Array', …; undefined for what is no typed array. */
export function typedArrayName(value: unknown): string | undefined {
  return tagOf.call(value)
}

/** Typed arrays of integers that int32 holds. */
export const integerArrays: ReadonlySet<string | undefined> = new Set([
  'Int8Array',
  'Int16Array',
  'Int32Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Uint16Array',
])

/** Typed arrays of numbers; those of bigints are left out. */
const numberArrays: ReadonlySet<string | undefined> = new Set([
  ...integerArrays,
  'Uint32Array',
  'Float16Array',
  'Float32Array',
  'Float64Array',
])

/** A typed array whose elements are numbers. */
export function isNumberArray(value: unknown): value is Float64Array {
  return numberArrays.has(typedArrayName(value))
}

/** Whether the memory of a typed array was given away. */
export function isDetached({ buffer }: ArrayBufferView): boolean {
  if (buffer.byteLength > 0) return false
  try {
    new Uint8Array(buffer)
    return false
  } catch {
    return true
  }
}

/** An object made by `{}`, JSON or `Object.create(null)`. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const proto = Object.getPrototypeOf(value)
  // The prototype of plain objects, in every realm, is the one that ends the chain.
  return proto === null || (Object.getPrototypeOf(proto) === null && Object.hasOwn(proto, 'isPrototypeOf'))
}

/** A function that can be called: no class. */
export function isCallable(value: unknown): value is (...args: never[]) => unknown {
  return typeof value === 'function' && !/^class\b/.test(Function.prototype.toString.call(value))
}

/** Something to await. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
}

/** Something to iterate without waiting: no text, and no typed array, which holds none of our objects. */
export function isIterable(value: unknown): value is Iterable<unknown> {
  if (typedArrayName(value)) return false
  return (
    typeof value === 'object' && value !== null && typeof (value as Iterable<unknown>)[Symbol.iterator] === 'function'
  )
}
