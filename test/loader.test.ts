/** The loader of the native addon: what it says when the binary is missing, foreign, broken or of another version. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { runProgram } from './helpers/program.js'

const folder = mkdtempSync(join(tmpdir(), 'anneal-loader-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const built = resolve(process.env.ANNEAL_BINARY ?? join(import.meta.dirname, '../build/anneal.node'))

function failureWith(file: string): string {
  const { status, signal, stderr } = runProgram('', { ANNEAL_BINARY: file })
  expect({ status, signal }).toEqual({ status: 1, signal: null })
  expect(stderr).toContain('ERR_ADDON_LOAD')
  return stderr
}

function fileOf(name: string, content: Uint8Array | string): string {
  const file = join(folder, name)
  writeFileSync(file, content)
  return file
}

describe('the loader', () => {
  it('says which file is missing, what this machine is and what to do', () => {
    const said = failureWith(join(folder, 'nothing.node'))
    expect(said).toContain(join(folder, 'nothing.node'))
    expect(said).toContain('no such file')
    expect(said).toContain(process.versions.node)
    expect(said).toContain('Unset ANNEAL_BINARY')
    expect(said).toContain('npm run build')
  })

  it('says that a file is no binary', () => {
    expect(failureWith(fileOf('text.node', 'not a binary at all, but long enough to look at'))).toContain(
      'no native binary',
    )
  })

  it('names the platform of a foreign binary', () => {
    const bytes = readFileSync(built)
    if (process.platform !== 'linux') return expect(bytes.length).toBeGreaterThan(0)
    bytes.writeUInt16LE(process.arch === 'x64' ? 183 : 62, 18)
    expect(failureWith(fileOf('foreign.node', bytes))).toContain(
      `for linux-${process.arch === 'x64' ? 'arm64' : 'x64'}`,
    )
  })

  /** The binary with other bytes in place of these. */
  function altered(name: string, from: string, to: string): string {
    const bytes = readFileSync(built)
    const at = bytes.indexOf(from)
    expect(at).toBeGreaterThan(0)
    bytes.write(to, at)
    return fileOf(name, bytes)
  }

  it('refuses a binary of another version', () => {
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8'))
    expect(failureWith(altered('old.node', `\0${version}\0`, '\x009.9.9\0'))).toContain('of version 9.9.9')
  })

  it('refuses a binary of another program format, in one bound of one kernel at the least', () => {
    const file = altered('stale.node', 'embedding_bwd dy[m,k] ', 'embedding_bwd dz[m,k] ')
    expect(failureWith(file)).toMatch(/a binary of program format [0-9a-f]{16}, but this package was compiled for/)
  })

  it('names an instruction set that there is none of', () => {
    const { status, stderr } = runProgram('', { ANNEAL_MAX_ISA: 'mmx' })
    expect(status).toBe(1)
    expect(stderr).toContain('ANNEAL_MAX_ISA')
  })
})
