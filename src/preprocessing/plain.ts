/** What transformers hold as JSON can carry it, unambiguously, and back. Not here: transformers within (from_json.ts). */

import { AnnealError, phrase } from '../base/errors.js'

/** How what JSON lacks is written: `{ number: 'NaN' }`, `{ float64: [1, 2] }`. */
const TAGS: Record<string, (value: never) => unknown> = {
  number: (text: string) => Number(text),
  bigint: (text: string) => BigInt(text),
  float64: (values: unknown[]) => Float64Array.from(values, value => fromPlain(value) as number),
  int32: (values: number[]) => Int32Array.from(values),
}

/** Plain data that JSON.stringify keeps as it is. Throws ERR_STATE for a function. */
export function toPlain(where: string, value: unknown): unknown {
  if (typeof value === 'function') {
    throw new AnnealError('ERR_STATE', phrase(`${where}.toJSON`, 'options without functions', value))
  }
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0)))
    return { number: Object.is(value, -0) ? '-0' : String(value) }
  if (typeof value === 'bigint') return { bigint: String(value) }
  if (value instanceof Float64Array) return { float64: Array.from(value, entry => toPlain(where, entry)) }
  if (value instanceof Int32Array) return { int32: Array.from(value) }
  if (Array.isArray(value)) return value.map(entry => toPlain(where, entry))
  if (typeof value !== 'object' || value === null) return value
  if ('toJSON' in value && typeof value.toJSON === 'function') return value.toJSON()
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, toPlain(where, entry)]))
}

/** What `toPlain` was given; `revive` makes what has a `toJSON` of its own. */
export function fromPlain(value: unknown, revive?: (json: object) => unknown): unknown {
  if (Array.isArray(value)) return value.map(entry => fromPlain(entry, revive))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
  if (entries.length === 1 && Object.hasOwn(TAGS, entries[0][0])) return TAGS[entries[0][0]](entries[0][1] as never)
  return revive?.(value) ?? Object.fromEntries(entries.map(([key, entry]) => [key, fromPlain(entry, revive)]))
}
