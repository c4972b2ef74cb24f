/** Whether the ranks of a training train the same thing. */

import { crc32 } from 'node:zlib'
import { agree } from '../distributed/agree.js'
import type { World } from '../distributed/world.js'
import type { Key } from '../plan/pool.js'
import type { Generator } from '../streams/index.js'

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
