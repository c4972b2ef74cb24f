/**
 * Nodes of other versions and of other platforms: their programs, by npm's packages of Node's binaries, into build/nodes, and
 * how this machine runs them.
 */
import { execFileSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './build_native.mjs'
import { findProgram } from './toolchain.mjs'

/** Every major version that is supported, from the oldest. */
export const nodeVersions = [20, 22, 24, 26]

export const isMusl = process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime

/** The platform of this process, as in prebuilds/. */
export const here = `${process.platform}-${process.arch}${isMusl ? '-musl' : ''}`

/** A wine that says it is Windows 10, which Node asks for; outside of the checkout, because it has links to everything. */
function prepareWine() {
  const prefix = join(tmpdir(), 'anneal-wine')
  const env = { WINEPREFIX: prefix, WINEDEBUG: '-all', LC_ALL: 'C.UTF-8' } // names of files beyond ASCII
  if (!existsSync(prefix))
    execFileSync('wine', ['winecfg', '-v', 'win10'], { stdio: 'ignore', env: { ...process.env, ...env } })
  return env
}

/** What runs a foreign platform's programs, and how they call our files. */
const emulators = {
  'linux-arm64': { command: ['qemu-aarch64', '-L', '/usr/aarch64-linux-gnu'] },
  'win32-x64': { command: ['wine'], path: file => `Z:${file.replaceAll('/', '\\')}`, prepare: prepareWine },
}

/** The program that is missing to run a platform's Node here, or ''. */
export function runProblem(target) {
  if (target === here) return ''
  const program = emulators[target]?.command[0]
  if (!program) return `this machine runs no program of ${target}`
  return findProgram(program) ? '' : `there is no ${program} in PATH`
}

/** The node of a platform ('linux-x64', 'win32-x64' …) and a major version: the path of its program. */
export function npmNode(target, version) {
  const [platform, arch] = target.split('-')
  const name = `node-${platform === 'win32' ? 'win' : platform}-${arch}`
  const folder = join(root, 'build/nodes', `${name}-${version}`)
  const file = join(folder, 'node_modules', name, 'bin', platform === 'win32' ? 'node.exe' : 'node')
  if (existsSync(file)) return file
  mkdirSync(folder, { recursive: true })
  // --force: the platform is not this one.
  const flags = ['--no-save', '--force', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const shell = process.platform === 'win32'
  execFileSync('npm', ['install', '--prefix', folder, ...flags, `${name}@${version}`], { stdio: 'inherit', shell })
  return file
}

/**
 * What a script prints on the oldest Node of a platform (wine 8 ends Node 24). `files` are variables of its environment that
 * name our files.
 */
export function runOn(target, script, { cwd, env = {}, files = {} } = {}) {
  const { command = [], path = file => file, prepare = () => ({}) } = emulators[target] ?? {}
  const node = target === here ? process.execPath : npmNode(target, nodeVersions[0])
  const [program, ...args] = [...command, node, path(script)]
  const named = Object.fromEntries(Object.entries(files).map(([name, file]) => [name, path(file)]))
  return printed(program, args, { cwd, env: { ...process.env, ...prepare(), ...env, ...named } })
}

/** What a program prints, through a file: under wine Node can open no pipe. */
function printed(program, args, options) {
  const folder = mkdtempSync(join(tmpdir(), 'anneal-printed-'))
  const file = join(folder, 'stdout')
  const stdout = openSync(file, 'w')
  try {
    execFileSync(program, args, { ...options, stdio: ['ignore', stdout, 'inherit'] })
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Error(`${readFileSync(file, 'utf8')}${error.message}`)
  } finally {
    closeSync(stdout)
    rmSync(folder, { recursive: true })
  }
}
