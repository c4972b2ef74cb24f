/** What the ranks of a training tell each other beside its steps: numbers, and whether they train the same thing. */

import { crc32 } from 'node:zlib'
import { agree } from '../distributed/agree.js'
import type { World } from '../distributed/world.js'
import type { Key } from '../plan/pool.js'
import type { Generator } from '../streams/index.js'

/** The numbers of every rank, by rank; each brings as many. */
export async function gatherNumbers(world: World, own: readonly number[]): Promise<number[][]> {
  const bytes = await world.gather(new Uint8Array(Float64Array.from(own).buffer))
  const all = new Float64Array(bytes.slice().buffer)
  return Array.from({ length: world.size }, (_, rank) => [...all.subarray(rank * own.length, (rank + 1) * own.length)])
}

/** A fingerprint of values, to see whether ranks have the same. */
function fingerprint(arrays: Iterable<ArrayBufferView>): string {
  let hash = 0
  for (const { buffer, byteOffset, byteLength } of arrays)
    hash = crc32(new Uint8Array(buffer, byteOffset, byteLength), hash)
  return hash.toString(16)
}

/** Throws ERR_RANKS_DIFFER, naming who, where ranks would run other programs or begin with other numbers. */
export async function agreeOnSteps(world: World, key: Key, arrays: Iterable<ArrayBufferView>): Promise<void> {
  await agree(world, 'training steps', key.join(' '))
  await agree(world, 'weights and optimizer state', fingerprint(arrays))
}

/** The same where they would draw other numbers. */
export async function agreeOnStreams(world: World, streams: readonly Generator[]): Promise<void> {
  await agree(world, 'seeds of the random streams', fingerprint(streams.map(stream => stream.getState())))
}
