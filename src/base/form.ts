/** Checks of the form of data that was read from a file, put together from small ones. Not here: what a file holds. */

import { isPlainObject } from './kinds.js'

/** Whether a value has a form. */
export type Check = (value: unknown) => boolean

export const isNumber: Check = value => typeof value === 'number'
export const isText: Check = value => typeof value === 'string'
export const isBoolean: Check = value => typeof value === 'boolean'
export const isBytes: Check = value => value instanceof Uint8Array
export const isCount: Check = value => Number.isSafeInteger(value) && (value as number) >= 0
export const isData: Check = value => isPlainObject(value)
export const anything: Check = () => true

export const orNull =
  (check: Check): Check =>
  value =>
    value === null || check(value)

export const isOptional =
  (check: Check): Check =>
  value =>
    value === undefined || check(value)

/** Lists of one kind, of `length` where it is given. */
export const isList =
  (check: Check, length?: number): Check =>
  value =>
    Array.isArray(value) && (length === undefined || value.length === length) && value.every(check)

/** Objects whose fields are of one kind. */
export const isMap =
  (check: Check): Check =>
  value =>
    isPlainObject(value) && Object.values(value).every(check)

/** Objects with these fields at least. */
export const hasFields =
  (checks: Readonly<Record<string, Check>>): Check =>
  value =>
    isPlainObject(value) && Object.entries(checks).every(([name, check]) => check(value[name]))
