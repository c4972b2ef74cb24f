/** The order of labels and categories: Python's, so that codes and rows come out as scikit-learn's. */

/** A code unit's rank among code points: surrogates stand for those above 2^16 and so come last. */
const rank = (unit: number): number => (unit < 0xd800 ? unit : unit >= 0xe000 ? unit - 0x800 : unit + 0x2000)

/** Negative where `a` comes first: by code points, not by UTF-16 units as `<` does. */
export function compareText(a: string, b: string): number {
  const n = Math.min(a.length, b.length)
  for (let i = 0; i < n; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)]
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

/** Negative where `a` comes first. Both are texts, or neither is. */
export function compareValues<T extends string | number | bigint | boolean>(a: T, b: T): number {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  return a < b ? -1 : a > b ? 1 : 0
}
