/** Argument checks that read as a sentence: `checkInt('StepLR', 'stepSize', stepSize, { min: 1 })`. */

import { rangeError, typeError } from './errors.js'
import { isCallable, isIterable } from './kinds.js'

export interface Bounds {
  /** Smallest allowed value. */
  min?: number
  /** Largest allowed value. */
  max?: number
  /** The value must be greater than this. */
  above?: number
  /** The value must be less than this. */
  below?: number
}

function boundsText({ min, max, above, below }: Bounds): string {
  const parts = []
  if (min !== undefined) parts.push(`at least ${min}`)
  if (above !== undefined) parts.push(`greater than ${above}`)
  if (max !== undefined) parts.push(`at most ${max}`)
  if (below !== undefined) parts.push(`less than ${below}`)
  return parts.length ? ` ${parts.join(' and ')}` : ''
}

function within(value: number, { min, max, above, below }: Bounds): boolean {
  return (
    (min === undefined || value >= min) &&
    (max === undefined || value <= max) &&
    (above === undefined || value > above) &&
    (below === undefined || value < below)
  )
}

/** A number that is not NaN; infinite only if the bounds say so. Returns it. */
export function checkNumber(where: string, name: string, value: unknown, bounds: Bounds = {}): number {
  if (typeof value !== 'number') throw typeError(where, `${name} to be a number`, value)
  const finite = Number.isFinite(value) || value === bounds.max || value === bounds.min
  if (!finite || !within(value, bounds))
    throw rangeError(where, `${name} to be a finite number${boundsText(bounds)}`, value)
  return value
}

/** A safe integer within bounds. Returns it. */
export function checkInt(where: string, name: string, value: unknown, bounds: Bounds = {}): number {
  if (typeof value !== 'number') throw typeError(where, `${name} to be an integer`, value)
  if (!Number.isSafeInteger(value) || !within(value, bounds)) {
    throw rangeError(where, `${name} to be an integer${boundsText(bounds)}`, value)
  }
  return value
}

export function checkBoolean(where: string, name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw typeError(where, `${name} to be a boolean`, value)
  return value
}

export function checkFunction<F extends (...args: never[]) => unknown>(where: string, name: string, value: F): F {
  if (!isCallable(value)) throw typeError(where, `${name} to be a function`, value)
  return value
}

/** One of a fixed set of strings. Returns it. */
export function checkOneOf<T extends string>(where: string, name: string, value: unknown, allowed: readonly T[]): T {
  if (allowed.includes(value as T)) return value as T
  const text = `${name} to be ${allowed.map(a => `'${a}'`).join(' or ')}`
  if (typeof value !== 'string') throw typeError(where, text, value)
  throw suggesting(rangeError(where, text, value), value, allowed)
}

/** A plain options object whose keys are all known: a misspelt option is an error, not silence. Returns it. */
export function checkOptions<T extends object>(where: string, options: T, known: readonly string[]): T {
  if (typeof options !== 'object' || options === null || Array.isArray(options) || isBuiltIn(options)) {
    throw typeError(where, 'options to be an object', options)
  }
  for (const key of Object.keys(options)) if (!known.includes(key)) throw unknownOption(where, key, known)
  return options
}

/** Dates, maps, promises, typed arrays: without a key of their own, and never options. */
function isBuiltIn(value: object): boolean {
  const tag = Object.prototype.toString.call(value)
  return tag !== '[object Object]' && tag !== '[object Module]'
}

function unknownOption(where: string, key: string, known: readonly string[]): TypeError {
  return suggesting(typeError(where, `options to be among ${known.join(', ')}`, key), key, known)
}

/** The error about `name`, with the known one that was probably meant. */
export function suggesting<E extends Error>(error: E, name: string, known: readonly string[]): E {
  const near = nearest(name, known)
  if (near !== undefined) error.message += `; did you mean ${near}?`
  return error
}

/** The known name that was probably meant: the same letters in other case, or a third of them wrong at most. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '')
  const given = plain(name.slice(0, 64))
  const scored = known.map(option => ({ option, distance: editDistance(given, plain(option)) }))
  const [best] = scored.sort((a, b) => a.distance - b.distance)
  return best && best.distance <= Math.max(1, Math.floor(given.length / 3)) ? best.option : undefined
}

/** Letters to insert, leave out, replace or exchange with a neighbour to make `b` of `a` (optimal string alignment). */
function editDistance(a: string, b: string): number {
  const d = Array.from({ length: a.length + 1 }, (_, i) => [i, ...Array.from(b, (_, j) => (i === 0 ? j + 1 : 0))])
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const replaced = d[i - 1][j - 1] + Number(a[i - 1] !== b[j - 1])
      d[i][j] = Math.min(d[i - 1][j] + 1, d[i][j - 1] + 1, replaced)
      const exchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (exchanged) d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1)
    }
  }
  return d[a.length][b.length]
}

/** Something to iterate, no text. Returns it. */
export function checkIterable(where: string, name: string, value: unknown): Iterable<unknown> {
  if (!isIterable(value)) throw typeError(where, `${name} to be iterable`, value)
  return value
}
