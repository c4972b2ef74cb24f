/** fromJSON: transformers from what their `toJSON` wrote. Not here: how values are written (plain.ts). */

import { AnnealError, phrase, typeError } from '../base/errors.js'
import type { LabelEncoder } from './label_encoder.js'
import { fromPlain } from './plain.js'
import type { Transformer, TransformerJSON } from './transformer.js'
import * as transformers from './transformers.js'

type Revivable = new (...args: unknown[]) => Transformer | LabelEncoder

const CLASSES = new Map(Object.entries(transformers) as unknown as [string, Revivable][])
const where = 'preprocessing.fromJSON'

/**
 * The transformer that `toJSON` wrote, with all it had learned.
 *
 * Throws TypeError for what is no such object, ERR_STATE for an unknown class or a state that does not fit; RangeError
 * or TypeError for bad options.
 *
 * ```ts
 * const text = JSON.stringify(scaler)
 * const again = preprocessing.fromJSON(JSON.parse(text))
 * ```
 */
export function fromJSON(json: TransformerJSON): Transformer | LabelEncoder {
  if (!isJSON(json)) throw typeError(where, 'what toJSON gives', json)
  const Class = CLASSES.get(json.transformer)
  if (!Class) throw new AnnealError('ERR_STATE', phrase(where, 'the name of a transformer', json.transformer))
  const options = read(json.options)
  // The groups of a ColumnTransformer come first, as they are no option to those who write one.
  const made = options.transformers ? new Class(options.transformers, options) : new Class(options)
  if (json.state !== null) made.restore(read(json.state))
  return made
}

function read(value: object): Record<string, unknown> {
  const revive = (inner: object) => (isJSON(inner) ? fromJSON(inner) : undefined)
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, fromPlain(entry, revive)]))
}

function isJSON(value: unknown): value is TransformerJSON {
  const { transformer, options, state } = (value ?? {}) as TransformerJSON
  const isRecord = (entry: unknown) => typeof entry === 'object' && entry !== null && !Array.isArray(entry)
  return typeof transformer === 'string' && isRecord(options) && (state === null || isRecord(state))
}
