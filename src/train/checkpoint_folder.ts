/**
 * A folder of checkpoints: the newest ones, each whole or not there, and the newest that can be read. Not here: what is
 * in a checkpoint.
 */

import { join } from 'node:path'
import { type Steps, settled } from '../base/drive.js'
import { AnnealError } from '../base/errors.js'
import { atomicWrite, removeStale } from '../io/atomic_write.js'
import type { Disk } from '../io/disk.js'
import { withFile } from '../io/source.js'
import { decodeCheckpoint } from '../models/checkpoint.js'

const NAME = /^checkpoint-(\d+)\.safetensors$/

const nameOf = (updates: number) => `checkpoint-${String(updates).padStart(10, '0')}.safetensors`

/** The checkpoints by the updates that were done, the newest first. */
function* listNewest(disk: Disk, dir: string): Steps<string[]> {
  const found = (yield* settled(disk.list(dir))).flatMap(name => {
    const [, updates] = NAME.exec(name) ?? []
    return updates === undefined ? [] : [{ name, updates: Number(updates) }]
  })
  return found.sort((a, b) => b.updates - a.updates).map(({ name }) => name)
}

/** Writes a checkpoint, then removes all but the newest `keep`. */
export function* writeCheckpoint(
  disk: Disk,
  dir: string,
  updates: number,
  parts: readonly Uint8Array[],
  keep: number,
): Steps<void> {
  yield* atomicWrite(disk, join(dir, nameOf(updates)), parts)
  const names = yield* listNewest(disk, dir)
  // Of another run that got further in this folder nothing is left: it would win over what is written now.
  const later = names.filter(name => name > nameOf(updates))
  const old = names.filter(name => name <= nameOf(updates)).slice(keep)
  for (const name of [...later, ...old]) yield* settled(disk.unlink(join(dir, name)))
}

function* exists(disk: Disk, dir: string): Steps<boolean> {
  try {
    yield* settled(disk.list(dir))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/** The state in the newest checkpoint that is whole; null where there is none. Removes what dead processes left. */
export function* readNewest(disk: Disk, dir: string): Steps<Record<string, unknown> | null> {
  if (!(yield* exists(disk, dir))) return null
  yield* removeStale(disk, dir)
  for (const name of yield* listNewest(disk, dir)) {
    try {
      return yield* withFile(disk, join(dir, name), decodeCheckpoint)
    } catch (error) {
      if (!(error instanceof AnnealError && error.code === 'ERR_FILE_FORMAT')) throw error
    }
  }
  return null
}
