/**
 * What a binary says of itself in its bytes: for which platform it is, whether all of it is there, of which build. So a
 * file that cannot be used is told before any of it runs; a truncated one would end the process. Not here: loading.
 */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const elfMachines: Record<number, string> = { 3: 'ia32', 40: 'arm', 62: 'x64', 183: 'arm64', 243: 'riscv64' }
const machMachines: Record<number, string> = { 16777223: 'x64', 16777228: 'arm64' } // 0x1000007, 0x100000c
const peMachines: Record<number, string> = { 332: 'ia32', 34404: 'x64', 43620: 'arm64' } // 0x14c, 0x8664, 0xaa64

/** A format of binaries: its platform, the processor it is for, and how long the file must be. */
interface Format {
  readonly platform: string
  readonly matches: (file: Buffer) => boolean
  readonly machine: (file: Buffer) => string | undefined
  readonly length: (file: Buffer) => number
}

const u64 = (file: Buffer, at: number) => Number(file.readBigUInt64LE(at))

/** The largest `end(at)` over a table of `count` entries. */
function tableEnd(start: number, count: number, size: number, end: (at: number) => number): number {
  let last = start + count * size
  for (let i = 0; i < count; i++) last = Math.max(last, end(start + i * size))
  return last
}

function elfLength(file: Buffer): number {
  if (file[4] !== 2) return 0 // 32 bits
  const segments = tableEnd(u64(file, 32), file.readUInt16LE(56), file.readUInt16LE(54), at => {
    return u64(file, at + 8) + u64(file, at + 32)
  })
  return Math.max(segments, u64(file, 40) + file.readUInt16LE(60) * file.readUInt16LE(58))
}

const peHeader = (file: Buffer) => file.readUInt32LE(60)

function peLength(file: Buffer): number {
  const header = peHeader(file)
  const sections = header + 24 + file.readUInt16LE(header + 20)
  return tableEnd(sections, file.readUInt16LE(header + 6), 40, at => {
    return file.readUInt32LE(at + 20) + file.readUInt32LE(at + 16)
  })
}

function machLength(file: Buffer): number {
  const segment = 0x19 // LC_SEGMENT_64
  let [at, last] = [32, 32 + file.readUInt32LE(20)]
  for (let left = file.readUInt32LE(16); left > 0; left--) {
    if (file.readUInt32LE(at) === segment) last = Math.max(last, u64(file, at + 40) + u64(file, at + 48))
    at += file.readUInt32LE(at + 4)
  }
  return last
}

const startsWith = (magic: string) => (file: Buffer) => file.toString('latin1', 0, magic.length) === magic

const formats: readonly Format[] = [
  {
    platform: 'linux',
    matches: startsWith('\x7fELF'),
    machine: file => elfMachines[file.readUInt16LE(18)] ?? `machine ${file.readUInt16LE(18)}`,
    length: elfLength,
  },
  {
    platform: 'darwin',
    matches: startsWith('\xcf\xfa\xed\xfe'),
    machine: file => machMachines[file.readUInt32LE(4)],
    length: machLength,
  },
  { platform: 'darwin', matches: startsWith('\xca\xfe\xba\xbe'), machine: () => process.arch, length: () => 0 }, // universal
  {
    platform: 'win32',
    matches: startsWith('MZ'),
    machine: file => peMachines[file.readUInt16LE(peHeader(file) + 4)],
    length: peLength,
  },
  // WebAssembly runs everywhere; the engine says itself what is cut off.
  { platform: process.platform, matches: startsWith('\0asm'), machine: () => process.arch, length: () => 0 },
]

const truncated = (length: number) => `the file is truncated: it ends after ${length} bytes`

/** A file as far as it is looked at: where its tables are, its length, and all of its bytes, some at a time. */
export interface BinaryFile {
  readonly head: Buffer
  readonly length: number
  pieces(): Iterable<Buffer>
}

/** Bytes at a time: a binary as a whole would take more memory than the package itself. */
const PIECE = 1 << 18
/** Longer than the mark of a build. */
const OVERLAP = 256

/** The file of a descriptor. */
function binaryFile(fd: number): BinaryFile {
  const buffer = Buffer.alloc(PIECE)
  const read = (at: number) => buffer.subarray(0, readSync(fd, buffer, 0, PIECE, at))
  function* pieces() {
    for (let at = 0, piece = read(0); piece.length > 0; at += PIECE - OVERLAP, piece = read(at)) yield piece
  }
  return { head: Buffer.from(read(0)), length: fstatSync(fd).size, pieces }
}

/** The build that a file is marked with (native/plan/format.h). */
function buildOf(file: BinaryFile): string | undefined {
  const prefix = 'anneal build '
  for (const piece of file.pieces()) {
    const start = piece.indexOf(prefix)
    const end = start < 0 ? -1 : piece.indexOf(0, start)
    if (end > 0) return piece.toString('latin1', start + prefix.length, end)
  }
  return undefined
}

/** Why a file with these bytes cannot be loaded here as this build; '' where nothing is known against it. */
export function faultOf(file: BinaryFile, build: string, here = `${process.platform}-${process.arch}`): string {
  const { head, length } = file
  const format = formats.find(({ matches }) => matches(head))
  if (!format) return 'this is no native binary'
  try {
    const target = `${format.platform}-${format.machine(head) ?? 'unknown'}`
    if (target !== here) return `this binary is for ${target}`
    if (format.length(head) > length) return truncated(length)
  } catch {
    return truncated(length) // its own tables lie beyond its end
  }
  const found = buildOf(file)
  if (found === build) return ''
  return found ? `a binary of build ${found}, but this package is ${build}` : `this is no binary of anneal`
}

/** The same of a file. Throws what the disk throws. */
export function faultOfFile(path: string, build: string): string {
  const fd = openSync(path, 'r')
  try {
    return faultOf(binaryFile(fd), build)
  } finally {
    closeSync(fd)
  }
}
