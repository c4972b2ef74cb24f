/** Bytes at a position, from memory or from a file: what a decoder reads from. Not here: what the bytes mean. */

import { type Steps, settled } from '../base/drive.js'
import type { Disk } from './disk.js'

export interface Source {
  /** How errors name it. */
  readonly name: string
  /** Bytes in all. */
  readonly size: number
  /** Fills `into` from position `at` on; false if the bytes end before. */
  fill(into: Uint8Array, at: number): Steps<boolean>
}

/** Bytes that are in memory. */
export function bytesSource(name: string, bytes: Uint8Array): Source {
  return {
    name,
    size: bytes.length,
    // biome-ignore lint/correctness/useYield: memory has nothing to wait for.
    *fill(into, at) {
      const part = bytes.subarray(at, at + into.length)
      into.set(part)
      return part.length === into.length
    },
  }
}

/** The most that one read or write may be asked for: Node refuses 2^31 bytes. */
export const MAX_TRANSFER = 2 ** 30

/** Opens a file, hands it to `use` as a source and closes it, whatever happens. */
export function* withFile<T>(disk: Disk, path: string, use: (source: Source) => Steps<T>): Steps<T> {
  const fd = yield* settled(disk.open(path, 'r'))
  try {
    const size = yield* settled(disk.size(fd))
    return yield* use({ name: path, size, fill: (into, at) => fillFrom(disk, fd, into, at) })
  } finally {
    yield* settled(disk.close(fd))
  }
}

function* fillFrom(disk: Disk, fd: number, into: Uint8Array, at: number): Steps<boolean> {
  for (let done = 0; done < into.length; ) {
    const read = yield* settled(disk.read(fd, into.subarray(done, done + MAX_TRANSFER), at + done))
    if (read === 0) return false
    done += read
  }
  return true
}
