/**
 * Builds the binaries that go into the package for every platform that this machine can build for, checks them
 * (check_binary.mjs) and runs each on its platform's own Node: the 30 hashes must be equal. Foreign programs run by qemu
 * and wine; foreign Nodes come from npm, into build/nodes.
 *
 *   node scripts/prebuilds.mjs [TARGET …]     default: all of linux-x64, linux-arm64, win32-x64 and wasm32 whose
 *                                           tools are here
 *     --no-run      builds and checks only      --require     a missing tool is an error, not a line
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { buildNative, root, withLock } from './build_native.mjs'
import { buildTs } from './build_ts.mjs'
import { checkBinary } from './check_binary.mjs'
import { here, runOn, runProblem } from './nodes.mjs'
import { findPackageFile, findProgram } from './toolchain.mjs'

const [llvmVersion, windows] = ['19', 'x86_64-w64-mingw32']
const llvm = name => findProgram(`${name}-${llvmVersion}`, name) ?? `${name}-${llvmVersion}`

/** How each platform's binary is built, stripped and run, and the programs that this takes. */
export const targets = {
  'linux-x64': {
    needs: ['strip'],
    folder: 'build/cmake',
    file: 'anneal.node',
    strip: 'strip',
    environments: [{}, { ANNEAL_MAX_ISA: 'avx2' }, { ANNEAL_MAX_ISA: 'sse2' }],
  },
  'linux-arm64': {
    needs: ['aarch64-linux-gnu-g++'],
    folder: 'build/neon', // shared with kernel_test.mjs --neon: the kernels take minutes to compile
    file: 'anneal.node',
    strip: 'aarch64-linux-gnu-strip',
    cmake: () => ({
      CMAKE_SYSTEM_NAME: 'Linux',
      CMAKE_SYSTEM_PROCESSOR: 'aarch64',
      CMAKE_CXX_COMPILER: 'aarch64-linux-gnu-g++',
    }),
    environments: [{}],
  },
  // clang, because gcc keeps words of AVX on a stack that Windows does not align; the libraries are mingw-w64's.
  'win32-x64': {
    needs: ['clang++', 'ld.lld', 'llvm-dlltool', 'llvm-strip'].map(llvm).concat(`${windows}-g++-posix`),
    folder: 'build/win32-x64',
    file: 'anneal.node',
    strip: llvm('llvm-strip'),
    cmake: folder => ({
      CMAKE_SYSTEM_NAME: 'Windows',
      CMAKE_SYSTEM_PROCESSOR: 'AMD64',
      CMAKE_CXX_COMPILER: llvm('clang++'),
      CMAKE_CXX_COMPILER_TARGET: windows,
      CMAKE_SHARED_LINKER_FLAGS: `-fuse-ld=${llvm('ld.lld')}`,
      CMAKE_CXX_STANDARD_LIBRARIES: '-lpthread',
      CMAKE_JS_LIB: importLibrary(folder),
    }),
    environments: [{}],
  },
  // For machines that none of the others fits. clang calls binaryen's wasm-opt by itself: without it 5 % slower.
  wasm32: {
    needs: [llvm('clang++'), llvm('wasm-ld'), 'wasm-opt'],
    folder: 'build/wasm32',
    file: 'anneal.wasm',
    // Its Node-API, which then needs no other package.
    beside: {
      'emnapi-core.cjs': '@emnapi/core/dist/emnapi-core.cjs.min.js',
      'emnapi-wasi-threads.cjs': '@emnapi/wasi-threads/dist/wasi-threads.cjs.min.js',
      'emnapi-runtime.cjs': '@emnapi/runtime/dist/emnapi.cjs.min.js',
      'emnapi-LICENSE.txt': 'emnapi/LICENSE',
    },
    cmake: () => ({
      CMAKE_SYSTEM_NAME: 'Generic',
      CMAKE_SYSTEM_PROCESSOR: 'wasm32',
      CMAKE_CXX_COMPILER: llvm('clang++'),
      CMAKE_CXX_COMPILER_TARGET: 'wasm32-wasi',
      CMAKE_JS_INC: dirname(findPackageFile(root, 'emnapi/include/node/node_api.h')),
      CMAKE_JS_LIB: findPackageFile(root, 'emnapi/lib/wasm32-wasi/libemnapi-basic.a'),
    }),
    environments: [{ ANNEAL_BACKEND: 'wasm', NODE_NO_WARNINGS: '1' }],
  },
}

function run(command, args, options = {}) {
  return execFileSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28, ...options })
}

/** What a Windows binary links with: the names that node.exe exports, from the definitions in node-api-headers. */
function importLibrary(folder) {
  const file = join(folder, 'libnode.a')
  const definitions = ['js_native_api.def', 'node_api.def'].map(name =>
    readFileSync(findPackageFile(root, `node-api-headers/def/${name}`), 'utf8'),
  )
  const [first, second] = definitions
  writeFileSync(join(folder, 'node.def'), `${first}\n${second.replace(/^NAME .*\nEXPORTS\n/m, '')}`)
  run(llvm('llvm-dlltool'), ['-m', 'i386:x86-64', '-d', join(folder, 'node.def'), '-l', file, '-D', 'node.exe'])
  return file
}

function crossBuild({ folder: name, file, cmake }) {
  const folder = join(root, name)
  mkdirSync(folder, { recursive: true })
  const definitions = {
    CMAKE_JS_INC: dirname(findPackageFile(root, 'node-api-headers/include/node_api.h')),
    ...cmake(folder),
    ANNEAL_NODE_ADDON_API: dirname(findPackageFile(root, 'node-addon-api/napi.h')),
  }
  withLock(name, () => {
    run('cmake', ['-S', root, '-B', folder, ...Object.entries(definitions).map(([key, value]) => `-D${key}=${value}`)])
    run('cmake', ['--build', folder, '--target', 'anneal', '--parallel', String(Math.min(2, availableParallelism()))])
  })
  return join(folder, file)
}

/** Builds one target into prebuilds/ and checks it. */
function prebuild(name, target) {
  const built = target.cmake
    ? crossBuild(target)
    : buildNative({ cmake: true, force: !existsSync(join(root, target.folder)) })
  const out = join(root, 'prebuilds', name, target.file)
  mkdirSync(dirname(out), { recursive: true })
  copyFileSync(built, out)
  if (target.strip) run(target.strip, ['--strip-unneeded', out])
  for (const [to, from] of Object.entries(target.beside ?? {})) {
    const text = readFileSync(findPackageFile(root, from), 'utf8')
    writeFileSync(
      join(dirname(out), to),
      text.replaceAll(/require\("@emnapi\/([\w-]+)"\)/g, `require("./emnapi-$1.cjs")`),
    )
  }
  const { problems, count } = checkBinary([out], { folders: [target.folder], target: name })
  if (problems.length) throw new Error(problems.join('\n'))
  const { size } = statSync(out)
  console.log(`${name}: built, ${(size / 1e6).toFixed(1)} MB, no foreign name, code or symbol in ${count} objects`)
  return out
}

/** The 30 hashes on the target's own Node. */
function tryOut(name, { environments }, binary) {
  const on = name === 'wasm32' ? here : name
  const problem = runProblem(on)
  if (problem) return console.log(`${name}: not run, ${problem}`)
  const script = join(root, 'scripts/platform_hashes.mjs')
  const files = name === 'wasm32' ? {} : { ANNEAL_BINARY: binary }
  for (const env of environments) console.log(runOn(on, script, { env, files }).trim())
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'no-run': { type: 'boolean' }, require: { type: 'boolean' } },
  })
  const unknown = positionals.find(name => !(name in targets))
  if (unknown) throw new Error(`expected some of ${Object.keys(targets).join(', ')} but received ${unknown}`)
  await buildTs()
  for (const name of positionals.length ? positionals : Object.keys(targets)) {
    const target = targets[name]
    const missing = target.needs.filter(program => !findProgram(program))
    if (missing.length && values.require) throw new Error(`${name}: expected ${missing.join(' and ')} in PATH`)
    if (missing.length) console.log(`${name}: not built, there is no ${missing.join(' and no ')} in PATH`)
    else {
      const binary = prebuild(name, target)
      if (!values['no-run']) tryOut(name, target, binary)
    }
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main()
