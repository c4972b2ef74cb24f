/** Argument checks that read as a sentence: `checkInt('StepLR', 'stepSize', stepSize, { min: 1 })`. */

import { rangeError, typeError } from './errors.js'

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
  if (typeof value !== 'function') throw typeError(where, `${name} to be a function`, value)
  return value
}

/** One of a fixed set of strings. Returns it. */
export function checkOneOf<T extends string>(where: string, name: string, value: unknown, allowed: readonly T[]): T {
  const text = `${name} to be ${allowed.map(a => `'${a}'`).join(' or ')}`
  if (typeof value !== 'string') throw typeError(where, text, value)
  if (!(allowed as readonly string[]).includes(value)) throw rangeError(where, text, value)
  return value as T
}

/** A plain options object whose keys are all known: a misspelt option is an error, not silence. Returns it. */
export function checkOptions<T extends object>(where: string, options: T, known: readonly string[]): T {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw typeError(where, 'options to be an object', options)
  }
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) throw typeError(where, `options to be among ${known.join(', ')}`, key)
  }
  return options
}
