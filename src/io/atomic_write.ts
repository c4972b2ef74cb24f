/**
 * Files that are there whole or not at all: written beside their name, made durable, then renamed. Not here: what is
 * in them.
 */

import { randomBytes } from 'node:crypto'
import { dirname, join, resolve } from 'node:path'
import { type Steps, settled } from '../base/drive.js'
import { AnnealError } from '../base/errors.js'
import type { Disk } from './disk.js'
import { MAX_TRANSFER } from './source.js'

/** The temporaries that this process is writing. */
const inWork = new Set<string>()

/** Tells this process from others that have its pid, as those of containers on one folder have. */
const token = randomBytes(4).toString('hex')

/** `name.tmp-pid-token`, as `atomicWrite` names what is not finished. */
const TEMPORARY = /\.tmp-(\d+)(?:-[0-9a-f]{8})?$/

/**
 * Writes `parts` one after the other as the file `path`: to `path.tmp-pid-token` (created exclusively), fsync, rename, fsync of
 * the folder. Whatever fails before the rename leaves an older file as it was and no temporary behind. Throws what the
 * disk throws, ERR_BUSY while the same file is being written by this process.
 */
export function* atomicWrite(disk: Disk, path: string, parts: Iterable<Uint8Array>): Steps<void> {
  const temporary = `${resolve(path)}.tmp-${process.pid}-${token}`
  if (inWork.has(temporary))
    throw new AnnealError('ERR_BUSY', `${path}: expected no other write of this file going on; await that one first`)
  inWork.add(temporary)
  try {
    const fd = yield* settled(disk.open(temporary, 'wx'))
    try {
      yield* fillAndClose(disk, fd, parts)
      yield* settled(disk.rename(temporary, path))
    } catch (error) {
      yield* ignoringFailure(() => disk.unlink(temporary))
      throw error
    }
    yield* syncFolder(disk, dirname(resolve(path)))
  } finally {
    inWork.delete(temporary)
  }
}

function* fillAndClose(disk: Disk, fd: number, parts: Iterable<Uint8Array>): Steps<void> {
  try {
    for (const part of parts) yield* writeAll(disk, fd, part)
    yield* settled(disk.fsync(fd))
  } catch (error) {
    yield* ignoringFailure(() => disk.close(fd))
    throw error
  }
  yield* settled(disk.close(fd))
}

function* writeAll(disk: Disk, fd: number, bytes: Uint8Array): Steps<void> {
  for (let done = 0; done < bytes.length; ) {
    const written = yield* settled(disk.write(fd, bytes.subarray(done, done + MAX_TRANSFER)))
    if (written === 0) throw Object.assign(new Error('EIO: the disk took no byte, write'), { code: 'EIO' })
    done += written
  }
}

/** What this makes durable is the new name. Systems that cannot open or flush a folder do so by themselves. */
function* syncFolder(disk: Disk, folder: string): Steps<void> {
  try {
    const fd = yield* settled(disk.open(folder, 'r'))
    try {
      yield* settled(disk.fsync(fd))
    } finally {
      yield* settled(disk.close(fd))
    }
  } catch (error) {
    if (!['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP'].includes(codeOf(error))) throw error
  }
}

/**
 * Removes the temporaries in `folder` whose process is dead; `names`: only those of these files, as in a folder that other
 * machines write to: their processes cannot be seen from here.
 */
export function* removeStale(disk: Disk, folder: string, names?: ReadonlySet<string>): Steps<void> {
  for (const entry of yield* settled(disk.list(folder))) {
    const [suffix, pid] = TEMPORARY.exec(entry) ?? []
    if (suffix === undefined || names?.has(entry.slice(0, -suffix.length)) === false) continue
    if (isWriting(join(resolve(folder), entry), Number(pid))) continue
    yield* ignoringFailure(() => disk.unlink(join(folder, entry)))
  }
}

function isWriting(temporary: string, pid: number): boolean {
  if (pid === process.pid) return inWork.has(temporary)
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

function* ignoringFailure(operation: () => unknown): Steps<void> {
  try {
    yield operation()
  } catch {}
}

function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException | null)?.code)
}
