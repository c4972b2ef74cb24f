/** The loader of the native addon: what it says when the binary is missing, foreign, broken or of another version. */

import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { type BinaryFile, faultOf } from '../src/native/inspect.js'
import { build } from '../src/native/kernels.gen.js'
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

const inMemory = (bytes: Buffer): BinaryFile => ({ head: bytes, length: bytes.length, pieces: () => [bytes] })

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
    const [at, other, name] = process.arch === 'x64' ? [18, 183, 'arm64'] : [18, 62, 'x64']
    if (process.platform === 'linux') {
      bytes.writeUInt16LE(other, at)
      expect(failureWith(fileOf('foreign.node', bytes))).toContain(`this binary is for linux-${name}`)
    }
    expect(faultOf(inMemory(bytes), 'any', 'plan9-x64')).toMatch(/^this binary is for /)
  })

  it('tells a truncated binary before it is loaded, wherever it ends', () => {
    const bytes = readFileSync(built)
    for (const share of [0.00001, 0.001, 0.3, 0.9, 0.9999]) {
      const part = bytes.subarray(0, Math.max(40, Math.floor(bytes.length * share)))
      expect(faultOf(inMemory(part), 'any'), `${part.length} bytes`).toBe(
        `the file is truncated: it ends after ${part.length} bytes`,
      )
    }
    expect(failureWith(fileOf('half.node', bytes.subarray(0, bytes.length / 2)))).toContain('the file is truncated')
  })

  it('knows the binaries of Windows and macOS', () => {
    const pe = Buffer.alloc(512)
    pe.write('MZ')
    pe.writeUInt32LE(128, 60) // where the header is
    pe.writeUInt16LE(0x8664, 132)
    pe.writeUInt16LE(1, 134) // one section, of 100 bytes from 400 on
    pe.writeUInt32LE(100, 128 + 24 + 16)
    pe.writeUInt32LE(400, 128 + 24 + 20)
    pe.write('anneal build 1.2.3+0\0', 300)
    expect(faultOf(inMemory(pe), '1.2.3+0', 'win32-x64')).toBe('')
    expect(faultOf(inMemory(pe), '1.2.4+0', 'win32-x64')).toContain(
      'a binary of build 1.2.3+0, but this package is 1.2.4+0',
    )
    expect(faultOf(inMemory(pe), '1.2.3+0', 'win32-arm64')).toBe('this binary is for win32-x64')
    expect(faultOf(inMemory(pe.subarray(0, 450)), '1.2.3+0', 'win32-x64')).toContain('truncated')

    const mach = Buffer.alloc(512)
    mach.writeUInt32BE(0xcffaedfe)
    mach.writeUInt32LE(0x100000c, 4)
    mach.writeUInt32LE(1, 16) // one command, a segment of 200 bytes from 300 on
    mach.writeUInt32LE(72, 20)
    mach.writeUInt32LE(0x19, 32)
    mach.writeUInt32LE(72, 36)
    mach.writeBigUInt64LE(300n, 72)
    mach.writeBigUInt64LE(200n, 80)
    mach.write('anneal build 1.2.3+0\0', 200)
    expect(faultOf(inMemory(mach), '1.2.3+0', 'darwin-arm64')).toBe('')
    expect(faultOf(inMemory(mach), '1.2.3+0', 'darwin-x64')).toBe('this binary is for darwin-arm64')
    expect(faultOf(inMemory(mach.subarray(0, 499)), '1.2.3+0', 'darwin-arm64')).toContain('truncated')
  })

  /** The binary with other bytes in place of these. */
  function altered(name: string, from: string, to: string): string {
    const bytes = readFileSync(built)
    const at = bytes.indexOf(from)
    expect(at).toBeGreaterThan(0)
    bytes.write(to, at)
    return fileOf(name, bytes)
  }

  it('refuses a binary of another build, and what is none of anneal', () => {
    const [version] = build.split('+')
    const newer = altered('newer.node', `anneal build ${version}`, 'anneal build 9.9.9')
    expect(failureWith(newer)).toContain(`a binary of build 9.9.9`)
    const other = build.endsWith('0') ? '1' : '0'
    const format = altered('format.node', `anneal build ${build}`, `anneal build ${build.slice(0, -1)}${other}`)
    expect(failureWith(format)).toContain(`but this package is ${build}`)
    expect(failureWith(altered('stranger.node', 'anneal build', 'another one '))).toContain('no binary of anneal')
  })

  it('wants an absolute path, of a file', () => {
    expect(failureWith('build/anneal.node')).toContain('expected an absolute path in ANNEAL_BINARY')
    expect(failureWith(folder)).toContain('it cannot be read')
  })

  it('needs no source tree: dist and a binary', () => {
    const root = join(import.meta.dirname, '..')
    const slim = join(folder, 'slim')
    cpSync(join(root, 'dist'), join(slim, 'dist'), { recursive: true })
    writeFileSync(join(slim, 'package.json'), '{ "type": "module" }')
    const program = `import { tensor } from ${JSON.stringify(pathToFileURL(join(slim, 'dist/index.js')).href)}
      console.log(tensor([2]).item())`
    const env = { ...process.env, ANNEAL_BINARY: built }
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', program], { env, encoding: 'utf8' })
    expect(run.stderr).toBe('')
    expect(run.stdout.trim()).toBe('2')
    const without = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
    expect(without.stderr).toContain('set ANNEAL_BINARY to the absolute path')
  })

  it('names an instruction set that there is none of', () => {
    const { status, stderr } = runProgram('', { ANNEAL_MAX_ISA: 'mmx' })
    expect(status).toBe(1)
    expect(stderr).toContain('ANNEAL_MAX_ISA')
  })
})
