/**
 * `npm run setup:tfjs`: makes tfjs-node-gpu and tfjs-node run, in tools/tfjs with a package-lock.json of its own, to
 * compare anneal with. Their own install scripts download libtensorflow; where that fails, the library comes from the
 * `tensorflow-cpu` wheel, found by pip in whatever place pip is configured for. What already runs is left alone;
 * `--clean` removes everything this made. Exits with 3 where TensorFlow cannot be had at all: no download, no wheel. Plain
 * Node without a dependency. Not needed for anything else in this package.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { findCompiler, findNodeGyp, findProgram, installCommand, nodeHeaders } from './toolchain.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = join(root, 'tools', 'tfjs')
const modules = join(folder, 'node_modules')
/** libtensorflow out of the wheel: outside node_modules, so that npm does not wipe it. */
const library = join(folder, 'libtensorflow')
const wheel = 'tensorflow-cpu==2.21.0'
/** What each package's own install script is called with. */
const packages = { 'tfjs-node-gpu': ['gpu', 'download'], 'tfjs-node': [] }

class SetupError extends Error {
  status = 1
}

/** There is no TensorFlow for this machine, which is nobody's mistake. */
class Unavailable extends SetupError {
  status = 3
}

const say = text => console.log(`tfjs: ${text}`)

/** Runs a program; its output is shown only when it fails. Returns that output, or undefined when it was a success. */
function failure(program, args, options = {}) {
  const settings = { cwd: folder, encoding: 'utf8', maxBuffer: 2 ** 28, ...options }
  const { status, stdout = '', stderr = '', error } = spawnSync(program, args, settings)
  if (status === 0) return undefined
  return `${stdout}${stderr}${error ? error.message : ''}`.trim()
}

function must(what, program, args, options) {
  const output = failure(program, args, options)
  if (output !== undefined) throw new SetupError(`${what} failed:\n${output}`)
}

function readLock(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {}
}

/** Whether node_modules holds what package-lock.json asks for. */
function modulesReady() {
  const installed = readLock(join(modules, '.package-lock.json'))
  const wanted = Object.entries(readLock(join(folder, 'package-lock.json')))
  return wanted.every(([path, { version }]) => path === '' || installed[path]?.version === version)
}

function installModules() {
  if (modulesReady()) return
  say('npm ci in tools/tfjs')
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund']
  const npm = process.env.npm_execpath
  if (npm?.endsWith('.js')) must('npm ci', process.execPath, [npm, ...args])
  else must('npm ci', 'npm', args, { shell: process.platform === 'win32' })
}

/** A program for `node -e` that runs one operation on native TensorFlow and prints what it ran on. */
function probe(name) {
  return `
    const util = require('node:util')
    util.isNullOrUndefined ??= value => value === null || value === undefined
    const tf = require(${JSON.stringify(join(modules, '@tensorflow', name))})
    if (tf.getBackend() !== 'tensorflow' || tf.add(1, 2).dataSync()[0] !== 3) throw new Error('no native TensorFlow')
    const { binding, isUsingGpuDevice } = tf.backend()
    console.log('TensorFlow ' + binding.TF_Version + ' on ' + (isUsingGpuDevice ? 'a GPU' : 'the CPU, no GPU found'))`
}

/** What a package runs on, or undefined where it does not run. */
function running(name) {
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' }
  const { status, stdout } = spawnSync(process.execPath, ['-e', probe(name)], { cwd: folder, encoding: 'utf8', env })
  return status === 0 ? stdout.trim().split('\n').at(-1) : undefined
}

/** The environment of a package's own build: its programs in PATH, our node-gyp, the headers of this very Node. */
function buildEnvironment() {
  const env = { ...process.env, PATH: `${join(modules, '.bin')}${delimiter}${process.env.PATH}` }
  const [nodeGyp, headers] = [findNodeGyp(root), nodeHeaders()]
  if (nodeGyp) env.npm_config_node_gyp = nodeGyp
  if (headers) env.npm_config_nodedir = headers
  return env
}

/** The package's own way. Returns why it did not work. */
function download(name, args) {
  say(`${name}: its own install script, which downloads libtensorflow`)
  const cwd = join(modules, '@tensorflow', name)
  rmSync(join(cwd, 'deps'), { recursive: true, force: true })
  const output = failure(process.execPath, ['scripts/install.js', ...args], { cwd, env: buildEnvironment() })
  if (running(name)) return undefined
  return /Error: .*/.exec(output ?? '')?.[0] ?? 'the binary it leaves does not load'
}

/** Takes the two libraries and the C headers out of a wheel, which is a zip file. */
const unpack = `
import sys, zipfile
wheel, target = sys.argv[1:]
headers = ('tensorflow/c/', 'tensorflow/core/platform/', 'tsl/', 'xla/tsl/')
heads = ['libtensorflow_cc.so', 'libtensorflow_framework.so', *('include/' + folder for folder in headers)]
with zipfile.ZipFile(wheel) as file:
  for name in file.namelist():
    if name.startswith(tuple('tensorflow/' + head for head in heads)): file.extract(name, target)
`

function fetchWheel(python, into) {
  say(`pip download ${wheel}`)
  const args = ['-m', 'pip', 'download', '--no-deps', '--retries', '0', '--only-binary', ':all:', '--dest', into, wheel]
  const output = failure(python, args)
  if (output?.includes('No matching distribution')) throw new Unavailable(`pip finds no ${wheel}:\n${output}`)
  if (output !== undefined) throw new SetupError(`pip download ${wheel} failed:\n${output}`)
  return join(
    into,
    readdirSync(into).find(file => file.endsWith('.whl')),
  )
}

/** libtensorflow/lib and libtensorflow/include as tfjs-node's build expects them, from the wheel. */
function makeLibrary() {
  if (existsSync(join(library, 'lib', 'libtensorflow.so'))) return
  const python = findProgram('python3', 'python')
  if (!python) throw new Unavailable('there is no python3 in PATH, whose pip could bring TensorFlow')
  const scratch = mkdtempSync(join(tmpdir(), 'anneal-tfjs-'))
  try {
    rmSync(library, { recursive: true, force: true })
    const file = fetchWheel(python, scratch)
    say('unpacking its libraries (0.9 GB) and headers')
    must('unpacking the wheel', python, ['-c', unpack, file, library])
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
  const lib = join(library, 'lib')
  mkdirSync(lib)
  symlinkSync('tensorflow/include', join(library, 'include'))
  for (const found of readdirSync(join(library, 'tensorflow')).filter(name => name.includes('.so'))) {
    symlinkSync(`../tensorflow/${found}`, join(lib, found))
    symlinkSync(found, join(lib, found.replace('_cc', '').replace(/\.so.*/, '.so')))
  }
}

function buildFromWheel(name) {
  if (process.platform !== 'linux') throw new Unavailable('the way through the TensorFlow wheel is for Linux only')
  if (!findCompiler()) throw new SetupError(`there is no C++ compiler in PATH: ${installCommand()}`)
  makeLibrary()
  say(`${name}: building its addon against ${relative(root, library)}`)
  const home = join(modules, '@tensorflow', name)
  rmSync(join(home, 'deps'), { recursive: true, force: true })
  symlinkSync(relative(home, library), join(home, 'deps'))
  const tool = join(modules, '@mapbox', 'node-pre-gyp', 'bin', 'node-pre-gyp')
  const args = [tool, 'install', '--build-from-source']
  must(`building ${name}`, process.execPath, args, { cwd: home, env: buildEnvironment() })
  if (!running(name)) throw new SetupError(`${name} was built but does not load:\n${loadError(name)}`)
}

function loadError(name) {
  return failure(process.execPath, ['-e', probe(name)])
}

/** Makes both packages run; leaves alone what already does. */
export function setUp() {
  const started = Date.now()
  installModules()
  let downloads = true
  for (const [name, args] of Object.entries(packages)) {
    if (!running(name) && downloads) {
      const reason = download(name, args)
      downloads = reason === undefined
      if (reason) say(`${name}: the download did not work (${reason})`)
    }
    if (!running(name)) buildFromWheel(name)
    say(
      `${name} ${readLock(join(folder, 'package-lock.json'))[`node_modules/@tensorflow/${name}`].version} runs: ${running(name)}`,
    )
  }
  say(`ready in ${((Date.now() - started) / 1000).toFixed(0)} s; npm run setup:tfjs -- --clean undoes it`)
}

/** Removes what setUp made. */
export function clean() {
  for (const made of [modules, library]) rmSync(made, { recursive: true, force: true })
  say('tools/tfjs: node_modules and libtensorflow removed')
}

function main(args) {
  const unknown = args.find(arg => arg !== '--clean')
  if (unknown) throw new SetupError(`setup:tfjs: expected --clean or nothing but received ${unknown}`)
  if (args.length) clean()
  else setUp()
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    main(process.argv.slice(2))
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    console.error(`tfjs: ${error.message}`)
    process.exitCode = error.status
  }
}
