/**
 * The errors of the package: one phrase for all of them. Options and arguments throw `TypeError` (wrong type) or
 * `RangeError` (wrong value); everything that depends on tensors, files, state or time throws `AnnealError`.
 */

/** Every `.code` an error of this package can carry. */
export type ErrorCode =
  | 'ERR_ARG_TYPE'
  | 'ERR_ARG_VALUE'
  | 'ERR_SHAPE'
  | 'ERR_DTYPE'
  | 'ERR_DETACHED'
  | 'ERR_LABEL_RANGE'
  | 'ERR_NONFINITE'
  | 'ERR_EMPTY'
  | 'ERR_STATE'
  | 'ERR_GRAD'
  | 'ERR_FILE_FORMAT'
  | 'ERR_ABORTED'
  | 'ERR_BUSY'
  | 'ERR_ADDON_LOAD'
  | 'ERR_BACKEND'
  | 'ERR_MISSING_PACKAGE'
  | 'ERR_MISSING_FONT'
  | 'ERR_OUT_OF_MEMORY'

/** An error that arises from tensors, files, state or an abort. `code` is stable; the message is for people. */
export class AnnealError extends Error {
  override readonly name = 'AnnealError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** How a value appears in a message: short, on one line, with its type where the text alone would not tell. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  if (typeof value === 'number' || typeof value === 'boolean' || value === undefined || value === null) {
    return Object.is(value, -0) ? '-0' : String(value)
  }
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'symbol') return 'a symbol'
  if (typeof value === 'function') return 'a function'
  if (Array.isArray(value))
    return value.length <= 8 ? `[${value.map(describe).join(', ')}]` : `an array of ${value.length}`
  return `an object of class ${className(value)}`
}

function className(value: object): string {
  try {
    return String(value.constructor?.name || 'Object')
  } catch {
    return 'Object'
  }
}

/** The one phrase: `Linear: expected x.shape[1] to equal inFeatures (784) but received 783`. */
export function phrase(where: string, expected: string, received: unknown): string {
  return `${where}: expected ${expected} but received ${typeof received === 'string' ? received : describe(received)}`
}

function coded<E extends Error>(error: E, code: ErrorCode): E & { code: ErrorCode } {
  return Object.assign(error, { code })
}

/** A value of the wrong type. `expected` reads after "expected": `lr to be a number`. */
export function typeError(where: string, expected: string, received: unknown): TypeError {
  return coded(new TypeError(`${where}: expected ${expected} but received ${describe(received)}`), 'ERR_ARG_TYPE')
}

/** A value of the right type that is out of range. */
export function rangeError(where: string, expected: string, received: unknown): RangeError {
  return coded(new RangeError(`${where}: expected ${expected} but received ${describe(received)}`), 'ERR_ARG_VALUE')
}

/** Tensors whose shapes do not fit. `received` is text that is shown as it stands. */
export function shapeError(where: string, expected: string, received: string): AnnealError {
  return new AnnealError('ERR_SHAPE', phrase(where, expected, received))
}
