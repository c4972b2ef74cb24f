/** Whether all ranks have the same of something; if not, the odd ones are named, on every rank. */

import { createHash } from 'node:crypto'
import { AnnealError } from '../base/errors.js'
import type { World } from './world.js'

/** What a rank tells: a hash of its text, and the text itself where it is short. */
const HASH = 32
const SHOWN = 95
const BYTES = HASH + 1 + SHOWN

function told(text: string): Uint8Array {
  const bytes = new Uint8Array(BYTES)
  bytes.set(createHash('sha256').update(text).digest())
  const shown = Buffer.from(text)
  if (shown.length <= SHOWN) {
    bytes[HASH] = shown.length
    bytes.set(shown, HASH + 1)
  }
  return bytes
}

/** The ranks by what they told, the largest group first; of equal ones, that with the lowest rank. */
function groupsOf(all: Uint8Array): { ranks: number[]; shown: string }[] {
  const groups = new Map<string, { ranks: number[]; shown: string }>()
  for (let rank = 0; rank * BYTES < all.length; rank++) {
    const bytes = Buffer.from(all.subarray(rank * BYTES, (rank + 1) * BYTES))
    const hash = bytes.toString('hex', 0, HASH)
    const group = groups.get(hash) ?? { ranks: [], shown: bytes.toString('utf8', HASH + 1, HASH + 1 + bytes[HASH]!) }
    group.ranks.push(rank)
    groups.set(hash, group)
  }
  return [...groups.values()].sort((a, b) => b.ranks.length - a.ranks.length)
}

/** "rank 2", "ranks 2 and 3". */
function ranksText(ranks: readonly number[]): string {
  if (ranks.length === 1) return `rank ${ranks[0]}`
  return `ranks ${ranks.slice(0, -1).join(', ')} and ${ranks.at(-1)}`
}

/**
 * Resolves where `text` is the same on all ranks, which must all call this; else rejects on all of them with AnnealError
 * ERR_RANKS_DIFFER, which names the ranks that differ from most. `what` reads after "the same".
 */
export async function agree(world: World, what: string, text: string): Promise<void> {
  const [most, ...odd] = groupsOf(await world.gather(told(text)))
  if (!odd.length) return
  const received = odd.map(({ ranks, shown }) => `${shown || 'another'} on ${ranksText(ranks)}`).join(', ')
  const others = most!.shown ? ` (${most!.shown} on ${ranksText(most!.ranks)})` : ''
  throw new AnnealError(
    'ERR_RANKS_DIFFER',
    `distributed: expected the same ${what} on all ranks${others} but received ${received}`,
  )
}
