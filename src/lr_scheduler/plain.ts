/** Data as JSON can carry it: infinite numbers as text, functions refused. Not here: schedules from JSON (from_json.ts). */

import { AnnealError } from '../base/errors.js'

/** Plain data that JSON.stringify keeps as it is. Throws AnnealError for a function. */
export function toPlain<T>(name: string, value: T): T {
  const plain = (v: unknown, key: string): unknown => {
    if (typeof v === 'function') {
      throw new AnnealError('ERR_STATE', `${name}.toJSON: expected options without functions but received ${key}`)
    }
    if (typeof v === 'number' && !Number.isFinite(v)) return String(v)
    if (Array.isArray(v)) return v.map(entry => plain(entry, key))
    if (typeof v !== 'object' || v === null) return v
    if ('toJSON' in v && typeof v.toJSON === 'function') return v.toJSON()
    const kept = Object.entries(v).filter(([, entry]) => entry !== undefined)
    return Object.fromEntries(kept.map(([k, entry]) => [k, plain(entry, k)]))
  }
  return plain(value, 'options') as T
}

/** What `toPlain` was given, but for what has a `toJSON` of its own. */
export function fromPlain(value: unknown): unknown {
  if (value === 'Infinity' || value === '-Infinity') return Number(value)
  if (Array.isArray(value)) return value.map(fromPlain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, fromPlain(entry)]))
}
