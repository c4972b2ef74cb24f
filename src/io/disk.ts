/**
 * The few file operations that reading and atomic writing need, each once as a call that waits and once as a promise, so
 * that tests can put faults in between. Not here: what is written (atomic_write.ts) or read.
 */

import * as fs from 'node:fs'
import { promisify } from 'node:util'
import type { Eventually } from '../base/drive.js'

export interface Disk {
  /** A file descriptor. `wx` creates the file and refuses one that exists. */
  open(path: string, flags: 'r' | 'wx'): Eventually<number>
  /** Bytes in an open file. */
  size(fd: number): Eventually<number>
  /** Reads up to `into.length` bytes from position `at`; returns how many, 0 at the end. */
  read(fd: number, into: Uint8Array, at: number): Eventually<number>
  /** Writes up to `bytes.length` bytes where the last write ended; returns how many. */
  write(fd: number, bytes: Uint8Array): Eventually<number>
  fsync(fd: number): Eventually<void>
  close(fd: number): Eventually<void>
  rename(from: string, to: string): Eventually<void>
  unlink(path: string): Eventually<void>
  /** The names in a folder. */
  list(folder: string): Eventually<string[]>
}

/** Every operation returns when it is done. */
export const waitingDisk: Disk = {
  open: (path, flags) => fs.openSync(path, flags),
  size: fd => fs.fstatSync(fd).size,
  read: (fd, into, at) => fs.readSync(fd, into, 0, into.length, at),
  write: (fd, bytes) => fs.writeSync(fd, bytes),
  fsync: fd => fs.fsyncSync(fd),
  close: fd => fs.closeSync(fd),
  rename: (from, to) => fs.renameSync(from, to),
  unlink: path => fs.unlinkSync(path),
  list: folder => fs.readdirSync(folder),
}

const fstat = promisify(fs.fstat)
const read = promisify(fs.read)
const write = promisify(fs.write)

/** Every operation returns a promise. */
export const promisingDisk: Disk = {
  open: promisify(fs.open) as Disk['open'],
  size: async fd => (await fstat(fd)).size,
  read: async (fd, into, at) => (await read(fd, into, 0, into.length, at)).bytesRead,
  write: async (fd, bytes) => (await write(fd, bytes)).bytesWritten,
  fsync: promisify(fs.fsync),
  close: promisify(fs.close),
  rename: promisify(fs.rename),
  unlink: promisify(fs.unlink),
  list: folder => fs.promises.readdir(folder),
}
