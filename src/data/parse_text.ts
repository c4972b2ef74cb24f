/** What the text of a cell says: a number, an integer, a boolean, a date. Each gives null where it is none. */

const INTEGER = /^\s*[+-]?\d+\s*$/
/** 0x10, 0b1 and 0o7, which are numbers to JavaScript alone. */
const PREFIXED = /^\s*0[xbo]/i

/** A decimal number, with or without exponent, or an infinity. */
export function numberOf(cell: string): number | null {
  const value = Number(cell)
  if (Number.isNaN(value)) return infinityOf(cell)
  const blank = value === 0 && cell.trim() === ''
  return blank || PREFIXED.test(cell) ? null : value
}

function infinityOf(cell: string): number | null {
  const [, sign, word] = /^\s*([+-]?)(inf|infinity)\s*$/i.exec(cell) ?? []
  return word === undefined ? null : sign === '-' ? -Infinity : Infinity
}

/** Whether the text is digits alone, with or without a sign. */
export function isInteger(cell: string): boolean {
  return INTEGER.test(cell)
}

/** Such a text exactly; BigInt takes no plus. */
export function integerOf(cell: string): bigint {
  return BigInt(cell.replace('+', ''))
}

/** Whether leading zeros matter: a code such as 00123 is no number. */
export function isCode(cell: string): boolean {
  return /^\s*[+-]?0\d/.test(cell)
}

export function booleanOf(cell: string): boolean | null {
  const word = cell.trim().toLowerCase()
  return word === 'true' ? true : word === 'false' ? false : null
}

const ISO = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/

/** ISO 8601: a day, or a time; without a zone it is UTC. 30 February is none. */
export function dateOf(cell: string): Date | null {
  const text = cell.trim()
  if (!ISO.test(text)) return null
  const iso = text
    .replace(' ', 'T')
    .replace(/([+-]\d{2})(\d{2})$/, '$1:$2')
    .replace(/(\.\d{3})\d+/, '$1')
  const zoned = iso.length === 10 || /(?:Z|[+-]\d{2}:\d{2})$/.test(iso) ? iso : `${iso}Z`
  const date = new Date(zoned)
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`)
  const exists = !Number.isNaN(day.getTime()) && day.toISOString().slice(0, 10) === text.slice(0, 10)
  return exists && !Number.isNaN(date.getTime()) ? date : null
}
