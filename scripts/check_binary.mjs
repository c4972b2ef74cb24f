/**
 * Gates on what the compiler made, because no test on a new machine would notice: code of a new instruction set in
 * files that every CPU runs, symbols that the linker may take from the wrong object, names that leak out of the binary, and
 * a C library that is too new. Looks with objdump and nm, or llvm's, which read every platform's files; builds nothing.
 *
 *   node scripts/check_binary.mjs [FILE.node …]     default: build/anneal.node; the objects of its build are checked too
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './build_native.mjs'
import { here } from './nodes.mjs'
import { findProgram } from './toolchain.mjs'

const newestGlibc = [2, 34]

/** All that a binary shows of itself (native/exports.map). */
const exported = ['napi_register_module_v1', 'node_api_module_get_api_version_v1']

/** All that an instruction set's object may define for others: its kernels in its own namespace, its streams' arithmetic. */
const own = isa => new RegExp(`^anneal::(${isa}::\\w+\\(anneal::Call const&\\)|stream_math_${isa})$`)
/** How COFF reaches another object's data: pointers, no code. */
const coffPointer = /^\.refptr\./

/** What no object of an instruction set may contain, as objdump prints it (x64). */
const vex = /^\s*[0-9a-f]+:\s+v[a-z0-9]+\s/
const avx512 = /%zmm|%k[1-7]\b/
const forbidden = { sse2: vex, avx2: avx512, common: vex }
/** The head of a function that the compiler made a second time for another instruction set; the loader chooses. */
const clone = /\.(avx2|avx512f)(\.\d+)?>:$/

/** The first line of disassembly that matches, but for those of such functions. */
function firstOutsideOfClones(lines, pattern) {
  let within = false
  return lines.find(line => {
    if (line.endsWith('>:')) within = clone.test(line)
    return !within && pattern.test(line)
  })
}

/** What a tool prints; llvm's tool for files of another platform. */
function tool(target, name, ...args) {
  const program =
    target === here
      ? findProgram(name, `llvm-${name}`, `llvm-${name}-19`)
      : findProgram(`llvm-${name}-19`, `llvm-${name}`)
  if (!program)
    throw new Error(`expected ${target === here ? name : `llvm-${name}`} in PATH to look at a file of ${target}`)
  return execFileSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 30 })
}

/** The versions of glibc and libstdc++ that a binary asks for and that are too new, or not wanted at all. */
function glibcProblems(file, target) {
  const problems = []
  for (const [, library, version] of tool(target, 'objdump', '-T', file).matchAll(
    /\((?:.*?)(GLIBC|GLIBCXX|CXXABI)_([\d.]+)\)/g,
  )) {
    const [major, minor] = version.split('.').map(Number)
    const tooNew = major > newestGlibc[0] || (major === newestGlibc[0] && minor > newestGlibc[1])
    if (library !== 'GLIBC') problems.push(`${file}: expected no shared C++ library but it needs ${library}_${version}`)
    else if (tooNew) problems.push(`${file}: expected at most glibc ${newestGlibc.join('.')} but it needs ${version}`)
  }
  return [...new Set(problems)]
}

/** All that a WebAssembly module asks for besides Node-API: its C library's environment, and writing that never happens. */
const wasiCalls = ['environ_get', 'environ_sizes_get', 'fd_close', 'fd_seek', 'fd_write', 'proc_exit']

function wasmProblems(file) {
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(readFileSync(file)))
  const foreign = imports.filter(({ module, name }) => {
    return (
      !/^_?(napi|node_api|emnapi)_/.test(name) && !(module === 'wasi_snapshot_preview1' && wasiCalls.includes(name))
    )
  })
  return foreign.map(({ module, name }) => `${file}: expected only Node-API's imports but it has ${module}.${name}`)
}

/** The names that a binary shows. */
function shownNames(file, target) {
  if (target.startsWith('win32')) {
    return [...tool(target, 'readobj', '--coff-exports', file).matchAll(/Name: (\w+)/g)].map(([, name]) => name)
  }
  const flags = target.startsWith('darwin') ? ['-gU'] : ['-D', '--defined-only']
  return [...tool(target, 'nm', ...flags, file).matchAll(/ [A-Z] _?(\w+)/g)].map(([, name]) => name)
}

/** Every problem of one finished binary. */
export function fileProblems(file, target = here) {
  if (target === 'wasm32') return wasmProblems(file)
  const problems = target.startsWith('linux') && !target.endsWith('musl') ? glibcProblems(file, target) : []
  const names = shownNames(file, target)
  const leaked = names.filter(name => !exported.includes(name))
  if (leaked.length) problems.push(`${file}: expected no exports but Node-API's, but it has ${leaked.join(', ')}`)
  const absent = exported.filter(name => !names.includes(name))
  if (absent.length) problems.push(`${file}: expected the export ${absent.join(', ')}`)
  return problems
}

function objectsBelow(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true })
    .filter(name => /native[\\/].*\.(o|obj)$/.test(name) && !/_test\.dir/.test(name))
    .map(name => join(folder, name))
}

/** The instruction set that an object was compiled for, by the folder of its library, or 'common'. */
function isaOf(object, isas) {
  const [, library] = /.*[\\/](\w+?)(?:\.dir)?[\\/]native[\\/]/.exec(object)
  return isas.find(({ name }) => name === library)?.name ?? 'common'
}

/** What an instruction set's object offers to the linker beyond its own: weak symbols, or any function. */
function offered(object, isa, target) {
  const symbols = tool(target, 'nm', '-C', object).matchAll(/^[0-9a-f]* +([A-TV-ZVWuvw]) (.*)$/gm)
  return [...symbols]
    .filter(([, kind, name]) => !coffPointer.test(name) && (/[VWuvw]/.test(kind) || !own(isa).test(name)))
    .map(([line]) => line.trim())
}

function objectProblems(object, isas, target) {
  const isa = isaOf(object, isas)
  const shown = relative(root, object)
  const problems =
    isa === 'common'
      ? []
      : offered(object, isa, target).map(name => `${shown}: expected only its kernels but it defines ${name}`)
  const pattern = target.split('-')[1] === 'x64' && forbidden[isa]
  const bad =
    pattern && firstOutsideOfClones(tool(target, 'objdump', '-d', '--no-show-raw-insn', object).split('\n'), pattern)
  if (bad) problems.push(`${shown}: expected ${isa === 'common' ? 'baseline' : isa} code but it has ${bad.trim()}`)
  return problems
}

/** Every problem of binaries and of the objects in the folders of their builds. */
export function checkBinary(files, { folders = ['build/cmake', 'build/Release/obj.target'], target = here } = {}) {
  const isas = JSON.parse(readFileSync(join(root, 'native/sources.json'), 'utf8')).isa[target.split('-')[1] ?? target]
  const found = folders.flatMap(name => objectsBelow(join(root, name)))
  if (!found.length) throw new Error(`expected the objects of a build below ${folders.join(' or ')} but found none`)
  const problems = [
    ...files.flatMap(file => fileProblems(file, target)),
    ...found.flatMap(object => objectProblems(object, isas, target)),
  ]
  return { problems, count: found.length }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const files = process.argv.length > 2 ? process.argv.slice(2) : [join(root, 'build/anneal.node')]
  const { problems, count } = checkBinary(files)
  if (problems.length) console.error(problems.join('\n'))
  else
    console.log(
      `binary: glibc at most ${newestGlibc.join('.')}, two exports; ${count} objects, no foreign symbol, no foreign instruction`,
    )
  process.exitCode = problems.length ? 1 : 0
}
