/** Numbers that the ranks of a world tell each other. */

import type { World } from './world.js'

/** What telling each other takes of a world. */
export type Ranks = Pick<World, 'rank' | 'size' | 'gather'>

/** The numbers of every rank, by rank; each brings as many. */
export async function gatherNumbers(ranks: Ranks, own: readonly number[]): Promise<number[][]> {
  const bytes = await ranks.gather(new Uint8Array(Float64Array.from(own).buffer))
  const all = new Float64Array(new Uint8Array(bytes).buffer)
  return Array.from({ length: ranks.size }, (_, rank) => [...all.subarray(rank * own.length, (rank + 1) * own.length)])
}
