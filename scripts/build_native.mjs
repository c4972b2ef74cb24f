/**
 * Builds the native addon: by cmake-js where there is a cmake, else by node-gyp. Downloads nothing: cmake-js takes the
 * headers of the package node-api-headers, node-gyp those beside this Node. Also runs from an installed package, from
 * the user's project: `node node_modules/anneal/scripts/build_native.mjs`.
 *
 *   --cmake | --gyp   force one of the two        --force      build although the binary is up to date
 *   --sanitize        with ASan and UBSan (cmake) --out FILE   where the binary goes (build/anneal.node)
 */
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import {
  cmakeProblem,
  findCompiler,
  findNodeGyp,
  findPackageFile,
  gypProblem,
  installCommand,
  nodeHeaders,
} from './toolchain.mjs'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** A reason that the reader can act on; printed without a stack. */
export class BuildError extends Error {}

/** The newest modification time below a file or folder. */
export function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) return 0
  if (!stat.isDirectory()) return stat.mtimeMs
  return Math.max(0, ...readdirSync(path).map(name => newest(join(path, name))))
}

/** What a binary was built for and from; a stamp beside it that differs means: build again. */
function stampOf(tool) {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return JSON.stringify({ version, napi: 8, platform: process.platform, arch: process.arch, root, tool })
}

function upToDate(out, stamp) {
  const stampFile = `${out}.stamp`
  if (!existsSync(out) || !existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp) return false
  const inputs = readdirSync(join(root, 'native')).filter(name => name !== 'test' && name !== 'binding.gyp')
  const files = [...inputs.map(name => `native/${name}`), 'CMakeLists.txt', 'scripts/build_native.mjs']
  return statSync(out).mtimeMs >= Math.max(...files.map(name => newest(join(root, name))))
}

/** Runs a tool quietly; its output is shown only when it fails. Compiler warnings are always shown. */
function run(title, args, env = {}) {
  const path = [dirname(process.execPath), process.env.PATH].join(process.platform === 'win32' ? ';' : ':')
  const result = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, ...env, PATH: path },
  })
  const text = `${result.stdout ?? ''}${result.stderr ?? ''}`
  if (result.status !== 0) throw new BuildError(`${text}\n${title} failed (the messages above say why).`)
  const warnings = text.split('\n').filter(line => /\bwarning: /.test(line))
  if (warnings.length) console.warn(warnings.join('\n'))
}

/** Forgets a cmake folder that another generator, another checkout or a failed configuration left behind. */
function dropUnusableCache(folder) {
  const cache = join(folder, 'CMakeCache.txt')
  if (!existsSync(cache)) return
  const text = readFileSync(cache, 'utf8')
  const sameRoot = text.includes(`CMAKE_HOME_DIRECTORY:INTERNAL=${root.replaceAll('\\', '/')}\n`)
  const generated = readdirSync(folder).some(name => /^(build\.ninja|Makefile|.*\.sln|.*\.slnx)$/.test(name))
  if (!sameRoot || !generated) rmSync(folder, { recursive: true })
}

function buildWithCmake({ sanitize, addonApi }) {
  const folder = join(root, 'build', sanitize ? 'cmake-sanitize' : 'cmake')
  const cmakeJs = findPackageFile(root, 'cmake-js/bin/cmake-js')
  if (!cmakeJs) throw new BuildError(missingPackages('cmake-js'))
  dropUnusableCache(folder)
  const options = [`--CDANNEAL_NODE_ADDON_API=${addonApi}`, `--CDANNEAL_SANITIZE=${sanitize ? 'ON' : 'OFF'}`]
  run('cmake-js', [cmakeJs, 'build', '-O', folder, '-p', String(availableParallelism()), ...options])
  const found = [join(folder, 'Release/anneal.node'), join(folder, 'anneal.node')].find(existsSync)
  if (!found) throw new BuildError(`cmake-js reported success but left no anneal.node in ${folder}`)
  return found
}

/** node-gyp wants binding.gyp at the root; an installed package keeps it in native/, where npm does not run it. */
function withRootGyp(body) {
  const [atRoot, shipped] = [join(root, 'binding.gyp'), join(root, 'native/binding.gyp')]
  const borrowed = !existsSync(atRoot)
  if (borrowed) copyFileSync(shipped, atRoot)
  try {
    return body()
  } finally {
    if (borrowed) rmSync(atRoot)
  }
}

function buildWithGyp({ addonApi }) {
  const nodeGyp = findNodeGyp(root)
  if (!nodeGyp) throw new BuildError(missingPackages('node-gyp'))
  const args = ['configure', 'build', '--silent', `--nodedir=${nodeHeaders()}`, `--jobs=${availableParallelism()}`]
  withRootGyp(() => run('node-gyp', [nodeGyp, ...args], { ANNEAL_NODE_ADDON_API: addonApi }))
  return join(root, 'build/Release/anneal.node')
}

function missingPackages(...names) {
  return (
    `The native build needs the npm package${names.length > 1 ? 's' : ''} ${names.join(' and ')}. In a checkout: npm ci. ` +
    `In a project that uses anneal: npm install --no-save ${names.join(' ')}`
  )
}

/** cmake unless gyp was asked for or only gyp can work; says what is missing when neither can. */
function chooseTool({ cmake, gyp }) {
  if (!findCompiler()) {
    throw new BuildError(
      `There is no C++ compiler (looked for $CXX, c++, g++, clang++ in PATH).\nInstall one: ${installCommand()}`,
    )
  }
  const noCmake =
    cmakeProblem() ||
    (findPackageFile(root, 'cmake-js/bin/cmake-js') ? '' : 'the npm package cmake-js is not installed')
  const noGyp = gypProblem()
  if (cmake && noCmake) throw new BuildError(`--cmake was asked for, but ${noCmake}.\nInstall it: ${installCommand()}`)
  if (gyp && noGyp) throw new BuildError(`--gyp was asked for, but ${noGyp}.`)
  if (gyp || (!cmake && noCmake)) {
    if (noGyp)
      throw new BuildError(
        `No build tool: ${noCmake}; and node-gyp cannot build because ${noGyp}.\nInstall one: ${installCommand()}`,
      )
    return 'gyp'
  }
  return 'cmake'
}

/**
 * Puts the binary in place in one step: a running process keeps the file that it has mapped. Its time is that of the
 * build's start, so that a source saved during the build counts as newer.
 */
function publish(from, out, stamp, started) {
  mkdirSync(dirname(out), { recursive: true })
  const temporary = `${out}.${process.pid}`
  copyFileSync(from, temporary)
  utimesSync(temporary, started / 1000, started / 1000)
  renameSync(temporary, out)
  writeFileSync(`${out}.stamp`, stamp)
}

/** One build at a time in a folder: a second one waits for the first, and takes over when that has died. */
export function withLock(folder, body) {
  const lock = join(root, `${folder}.lock`)
  mkdirSync(dirname(lock), { recursive: true })
  for (let waited = 0; ; waited += 200) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' })
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
      if (!alive(lock) || waited > 600_000) rmSync(lock, { force: true })
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
    }
  }
  try {
    return body()
  } finally {
    rmSync(lock, { force: true })
  }
}

function alive(lock) {
  try {
    process.kill(Number(readFileSync(lock, 'utf8')) || -1, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Builds unless the binary is up to date. Returns the binary's path. */
export function buildNative(options = {}) {
  const out = resolve(options.out ?? join(root, options.sanitize ? 'build/anneal-sanitize.node' : 'build/anneal.node'))
  const tool = chooseTool({ cmake: options.cmake || options.sanitize, gyp: options.gyp })
  const stamp = stampOf(tool)
  const folder = options.sanitize ? 'build/cmake-sanitize' : tool === 'gyp' ? 'build/Release' : 'build/cmake'
  return withLock(folder, () => {
    if (!options.force && upToDate(out, stamp)) return out
    const header = findPackageFile(root, 'node-addon-api/napi.h')
    if (!header) throw new BuildError(missingPackages('node-addon-api', 'cmake-js'))
    const started = Date.now()
    const settings = { sanitize: options.sanitize, addonApi: dirname(header) }
    const built = tool === 'gyp' ? buildWithGyp(settings) : buildWithCmake(settings)
    publish(built, out, stamp, started)
    console.log(
      `native addon: built by ${tool === 'gyp' ? 'node-gyp' : 'cmake-js'} in ${((Date.now() - started) / 1000).toFixed(1)} s, ${relative(process.cwd(), out)}`,
    )
    return out
  })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const flag = { type: 'boolean' }
  const options = { cmake: flag, gyp: flag, sanitize: flag, force: flag, out: { type: 'string' } }
  try {
    buildNative(parseArgs({ options }).values)
  } catch (error) {
    if (!(error instanceof BuildError) && !error.code?.startsWith('ERR_PARSE_ARGS')) throw error
    console.error(`${error.message}`)
    process.exitCode = 1
  }
}
