/**
 * What a model's file says beside its tensors: one JSON text under one key of the file's metadata. Written and read
 * here, with every field checked. Not here: the architecture's meaning (architecture.ts).
 */

import { describe } from '../base/errors.js'
import type { Architecture } from './architecture.js'

/** The key of the safetensors metadata. */
export const KEY = 'anneal'
/** Raised when a reader of today could misread a file; files of every earlier format stay readable. */
const FORMAT = 1

/** Library versions that wrote a file. */
export interface Versions {
  readonly anneal: string
  readonly node: string
}

export interface Description {
  readonly versions: Versions
  /** The seed of the global generator when the file was written. */
  readonly seed: string
  /** The class's own name, for messages. */
  readonly className: string
  /** Null for a class of the user's own. */
  readonly architecture: Architecture | null
  readonly preprocessing: unknown
  readonly labels: readonly string[] | null
  readonly notes: string | null
}

export function writeDescription(description: Description): string {
  return JSON.stringify({ format: FORMAT, ...description })
}

type Fields = Readonly<Record<string, unknown>>
type Check<T> = (value: unknown) => value is T

const isText: Check<string> = value => typeof value === 'string'
const isBoolean: Check<boolean> = value => typeof value === 'boolean'
const isList: Check<readonly unknown[]> = value => Array.isArray(value)
const isFields: Check<Fields> = (value): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isTexts: Check<readonly string[]> = value => isList(value) && value.every(isText)
const isLayer = (value: unknown) =>
  isList(value) && value.length === 3 && isText(value[0]) && isList(value[1]) && isBoolean(value[2])

function field<T>(fields: Fields, name: string, expected: string, check: Check<T>): T {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined
  if (!check(value)) throw new Error(`${name}: expected ${expected} but received ${describe(value)}`)
  return value
}

const orNull =
  <T>(check: Check<T>): Check<T | null> =>
  (value): value is T | null =>
    value === null || check(value)

/** Reads what `writeDescription` wrote. Throws Error in words for anything else. */
export function readDescription(text: string): Description {
  const fields: unknown = JSON.parse(text)
  if (!isFields(fields)) throw new Error(`expected an object but received ${describe(fields)}`)
  const format = fields.format
  if (format !== FORMAT) throw new Error(`format: expected ${FORMAT} but received ${describe(format)}`)
  const versions = field(fields, 'versions', 'an object', isFields)
  const architecture = field(fields, 'architecture', 'an object or null', orNull(isFields))
  return {
    versions: { anneal: field(versions, 'anneal', 'text', isText), node: field(versions, 'node', 'text', isText) },
    seed: field(fields, 'seed', 'text', isText),
    className: field(fields, 'className', 'text', isText),
    architecture: architecture && readArchitecture(architecture),
    preprocessing: fields.preprocessing ?? null,
    labels: field(fields, 'labels', 'a list of texts or null', orNull(isTexts)),
    notes: field(fields, 'notes', 'text or null', orNull(isText)),
  }
}

function readArchitecture(fields: Fields): Architecture {
  const modules = field(fields, 'modules', 'a list', isList)
  const at = modules.findIndex(layer => !isLayer(layer))
  if (at >= 0) throw new Error(`modules[${at}]: expected a class, arguments and a mode but received other values`)
  const tied = field(fields, 'tied', 'an object', isFields)
  if (!isTexts(Object.values(tied))) throw new Error('tied: expected texts but received other values')
  return {
    modules: modules as Architecture['modules'],
    frozen: field(fields, 'frozen', 'a list of texts', isTexts),
    tied: tied as Architecture['tied'],
  }
}
