/** Files that are there whole or not at all, with faults at every operation of the disk. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { driveAsync, driveSync } from '../src/base/drive.js'
import { atomicWrite, removeStale } from '../src/io/atomic_write.js'
import { promisingDisk, waitingDisk } from '../src/io/disk.js'
import { type Fault, faulty } from './helpers/faulty_disk.js'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'anneal-atomic-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const parts = [Buffer.from('new '), Buffer.from('content'), Buffer.alloc(0), Buffer.from('!')]
const written = () => readFileSync(join(folder, 'file'), 'utf8')
const write = (disk = waitingDisk) => driveSync('test', atomicWrite(disk, join(folder, 'file'), parts))

describe('without faults', () => {
  it.each(['waiting', 'promising'])('a %s disk', async kind => {
    for (const before of [false, true]) {
      if (before) writeFileSync(join(folder, 'file'), 'an older and longer file')
      if (kind === 'waiting') write()
      else await driveAsync(atomicWrite(promisingDisk, join(folder, 'file'), parts))
      expect(written()).toBe('new content!')
      expect(readdirSync(folder)).toEqual(['file'])
    }
  })

  it('short writes are gone on with', () => {
    const halves = {
      ...waitingDisk,
      write: (fd: number, b: Uint8Array) => waitingDisk.write(fd, b.subarray(0, Math.ceil(b.length / 2))),
    }
    write(halves)
    expect(written()).toBe('new content!')
  })

  it('a second write of the same file at once is refused, and one after it goes', async () => {
    const first = driveAsync(atomicWrite(promisingDisk, join(folder, 'file'), parts))
    expect(() => write()).toThrow(expect.objectContaining({ code: 'ERR_BUSY' }))
    await first
    write()
    expect(written()).toBe('new content!')
  })
})

describe('faults', () => {
  const faults: Fault[] = ['ENOSPC', 'EIO', 'short']
  const operations = (kind: Fault) => {
    const { disk, calls } = faulty(waitingDisk, Infinity, kind)
    writeFileSync(join(folder, 'file'), 'old')
    write(disk)
    return calls
  }
  it.each(faults)('%s at every operation', kind => {
    const calls = operations(kind)
    expect(calls.length).toBeGreaterThan(8)
    const renamed = calls.indexOf('rename')
    calls.forEach((call, at) => {
      writeFileSync(join(folder, 'file'), 'old')
      const { disk } = faulty(waitingDisk, at, kind)
      const fails = kind !== 'short' || call === 'write'
      if (fails)
        expect(() => write(disk), `${at}: ${call}`).toThrow(
          expect.objectContaining({ code: kind === 'short' ? 'EIO' : kind }),
        )
      else write(disk)
      expect(written(), `${at}: ${call}`).toBe(fails && at <= renamed ? 'old' : 'new content!')
      expect(readdirSync(folder), `${at}: ${call}`).toEqual(['file'])
    })
  })

  it('a folder that cannot be flushed is no fault of the file', () => {
    const disk = {
      ...waitingDisk,
      open: (path: string, flags: 'r' | 'wx') => {
        if (flags === 'r') throw Object.assign(new Error('EISDIR'), { code: 'EISDIR' })
        return waitingDisk.open(path, flags)
      },
    }
    write(disk)
    expect(written()).toBe('new content!')
  })
})

describe('temporaries of others', () => {
  const dead = `${2 ** 30}-0123abcd` // beyond the largest pid of Linux
  const remove = (...names: string[]) =>
    driveSync('test', removeStale(waitingDisk, folder, names.length ? new Set(names) : undefined))

  it('those of a process with our pid, in another container, are no hindrance', () => {
    const other = `file.tmp-${process.pid}-00000000`
    writeFileSync(join(folder, other), 'half a fi')
    write()
    expect(readdirSync(folder).sort()).toEqual(['file', other])
    expect(written()).toBe('new content!')
    remove('file') // whoever cleans up takes it for one that a dead process with our pid left
    expect(readdirSync(folder)).toEqual(['file'])
  })

  it('those of dead processes are removed, others and other files stay', () => {
    for (const name of [`file.tmp-${dead}`, `other.tmp-${dead}`, `file.tmp-${process.ppid}`, 'file.tmp-x', 'file'])
      writeFileSync(join(folder, name), '')
    writeFileSync(join(folder, `file.tmp-${process.pid}`), '')
    remove('file')
    expect(readdirSync(folder).sort()).toEqual(
      ['file', `file.tmp-${process.ppid}`, 'file.tmp-x', `other.tmp-${dead}`].sort(),
    )
    remove()
    expect(existsSync(join(folder, `other.tmp-${dead}`))).toBe(false)
  })

  it('what is being written stays', async () => {
    const first = driveAsync(atomicWrite(promisingDisk, join(folder, 'file'), parts))
    await driveAsync(removeStale(promisingDisk, folder))
    await first
    expect(written()).toBe('new content!')
  })
})
