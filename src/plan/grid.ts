/**
 * Buffers as grids, and what each rank has of them: panels of rows for what is in panels, one line of elements for all else. A
 * rank's share is a range along one side of the grid. Not here: who needs what (ranks.ts).
 */

import type { Physical } from './layout.js'
import { PANEL } from './narrow.js'

/** `outer` times `inner` items of `width` words. */
export interface Grid {
  readonly outer: number
  readonly inner: number
  readonly width: number
}

export function gridOf({ layout, length }: Physical): Grid {
  const { pack } = layout
  if (pack?.kernel !== 'pack_panels') return { outer: 1, inner: length, width: 1 }
  const { m } = pack.dims
  return { outer: length / (m * PANEL), inner: m, width: PANEL }
}

/** Rank r has the items from `bounds[r]` to before `bounds[r + 1]` along one side, and all of the other. */
export interface Share {
  readonly side: 'outer' | 'inner'
  readonly bounds: readonly number[]
}

/** Equal for equal shares of a buffer. */
export function keyOfShare({ side, bounds }: Share): string {
  return `${side} ${bounds}`
}

/** What a rank has of a grid: [from, to) along both sides. */
interface Rect {
  readonly outer: readonly [number, number]
  readonly inner: readonly [number, number]
}

export function rectOf({ outer, inner }: Grid, share: Share | null, rank: number): Rect {
  const range = share ? ([share.bounds[rank], share.bounds[rank + 1]] as const) : null
  return {
    outer: range && share!.side === 'outer' ? range : [0, outer],
    inner: range && share!.side === 'inner' ? range : [0, inner],
  }
}

const sizeOfRange = ([from, to]: readonly [number, number]) => to - from

export function wordsIn({ outer, inner }: Rect, { width }: Grid): number {
  return sizeOfRange(outer) * sizeOfRange(inner) * width
}

/** Whether a share is one stretch of the whole buffer's memory, so that it can stay in its place there. */
export function isContiguous({ outer }: Grid, { side }: Share): boolean {
  return side === 'outer' || outer === 1
}

/** `times` runs of `words`, `stride` apart, `offset` words into a buffer. */
export interface Runs {
  readonly offset: number
  readonly words: number
  readonly stride: number
  readonly times: number
}

const meet = (a: readonly [number, number], b: readonly [number, number]): [number, number] => [
  Math.max(a[0], b[0]),
  Math.min(a[1], b[1]),
]

/** Where in memory that holds `held` of the grid, and nothing else, the items are that `wanted` has too; null for none. */
export function runsOf({ width }: Grid, held: Rect, wanted: Rect): Runs | null {
  const [outer, inner] = [meet(held.outer, wanted.outer), meet(held.inner, wanted.inner)]
  if (outer[0] >= outer[1] || inner[0] >= inner[1]) return null
  const line = sizeOfRange(held.inner) * width
  const offset = (outer[0] - held.outer[0]) * line + (inner[0] - held.inner[0]) * width
  const [words, times] = [sizeOfRange(inner) * width, sizeOfRange(outer)]
  if (words < line) return { offset, words, stride: line, times }
  return { offset, words: words * times, stride: words * times, times: 1 }
}
