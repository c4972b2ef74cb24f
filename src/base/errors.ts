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
  | 'ERR_CALLBACK'
  | 'ERR_BUSY'
  | 'ERR_ADDON_LOAD'
  | 'ERR_BACKEND'
  | 'ERR_MISSING_PACKAGE'
  | 'ERR_MISSING_FONT'
  | 'ERR_OUT_OF_MEMORY'
  | 'ERR_UNSUPPORTED'
  | 'ERR_RANK_STALLED'
  | 'ERR_RANKS_DIFFER'

/** An error that arises from tensors, files, state or an abort. `code` is stable; the message is for people. */
export class AnnealError extends Error {
  override readonly name = 'AnnealError'
  /** Stable: what a program tells errors apart by. */
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** How many entries of an array, and how deep, a message shows. */
const WIDTH = 8
const DEPTH = 3
const LENGTH = 200

const cut = (text: string, length: number) => (text.length > length ? `${text.slice(0, length)}…` : text)

/** How a value appears in a message: short, on one line, with its type where the text alone would not tell. */
export function describe(value: unknown): string {
  return cut(described(value, DEPTH), LENGTH)
}

function described(value: unknown, depth: number): string {
  if (typeof value === 'string') return JSON.stringify(cut(value, 60))
  if (typeof value === 'number' || typeof value === 'boolean' || value === undefined || value === null) {
    return Object.is(value, -0) ? '-0' : String(value)
  }
  if (typeof value === 'bigint') return `${value > 2n ** 64n || value < -(2n ** 64n) ? 'a large bigint' : `${value}n`}`
  if (typeof value === 'symbol') return 'a symbol'
  if (typeof value === 'function')
    return /^class\b/.test(Function.prototype.toString.call(value)) ? 'a class' : 'a function'
  return describedObject(value, depth)
}

/** A proxy may throw on whatever is read. */
function describedObject(value: object, depth: number): string {
  try {
    if (!Array.isArray(value)) return `an object of class ${cut(String(value.constructor?.name || 'Object'), 60)}`
    if (value.length > WIDTH || depth === 0) return `an array of ${value.length}`
    return `[${Array.from(value, entry => described(entry, depth - 1)).join(', ')}]`
  } catch {
    return 'an object'
  }
}

/** The one phrase: `Linear: expected x.shape[1] to equal inFeatures (784) but received 783`. */
export function phrase(where: string, expected: string, received: unknown): string {
  return `${where}: expected ${expected} but received ${typeof received === 'string' ? cut(received, 400) : describe(received)}`
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
