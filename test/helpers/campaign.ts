/** Sizes of long campaigns of random cases: a part of them in CI, all under `npm run test:full`. Not a test. */

export const full = process.env.ANNEAL_FULL === '1'

/** How many cases to run: `all` under test:full, else `some`. */
export function cases(some: number, all: number): number {
  return full ? all : some
}

/** Random numbers from a seed that a failing test prints: `integer(below)`, `pick(items)`, `bytes(n)`. */
export function chance(seed: number) {
  let state = seed >>> 0
  /** mulberry32 */
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const integer = (below: number) => Math.floor(next() * below)
  return {
    next,
    integer,
    pick: <T>(items: readonly T[]): T => items[integer(items.length)],
    bytes: (n: number) => Uint8Array.from({ length: n }, () => integer(256)),
  }
}

export type Chance = ReturnType<typeof chance>
