/**
 * Gates on what the compiler made, because no test on a new machine would notice: code of a new instruction set in
 * files that every CPU runs, symbols that the linker may take from the wrong object, and a C library that is too new.
 * Looks with objdump and nm; builds nothing.
 *
 *   node scripts/check_binary.mjs [FILE.node …]     default: build/anneal.node; the objects of its build are checked too
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './build_native.mjs'

const newestGlibc = [2, 34]

/** What no object of an instruction set may contain, as objdump prints it (x64). */
const vex = /\tv[a-z0-9]+ /
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

function tool(program, ...args) {
  return execFileSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 30 })
}

/** The versions of glibc and libstdc++ that a binary asks for and that are too new, or not wanted at all. */
export function glibcProblems(file) {
  const problems = []
  for (const [, library, version] of tool('objdump', '-T', file).matchAll(
    /\((?:.*?)(GLIBC|GLIBCXX|CXXABI)_([\d.]+)\)/g,
  )) {
    const [major, minor] = version.split('.').map(Number)
    const tooNew = major > newestGlibc[0] || (major === newestGlibc[0] && minor > newestGlibc[1])
    if (library !== 'GLIBC') problems.push(`${file}: expected no shared C++ library but it needs ${library}_${version}`)
    else if (tooNew) problems.push(`${file}: expected at most glibc ${newestGlibc.join('.')} but it needs ${version}`)
  }
  return [...new Set(problems)]
}

function objectsBelow(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true })
    .filter(name => /native\/.*\.o$/.test(name) && !name.includes('_test.dir'))
    .map(name => join(folder, name))
}

/** The instruction set that an object was compiled for, or 'common'. */
function isaOf(object, isas) {
  const source = object.replace(/(\.cc)?\.o$/, '.cc')
  return isas.find(({ sources }) => sources.some(name => source.endsWith(name)))?.name ?? 'common'
}

function objectProblems(object, isas) {
  const isa = isaOf(object, isas)
  const shown = relative(root, object)
  const problems = []
  if (isa !== 'common') {
    const weak = tool('nm', '-C', object)
      .split('\n')
      .filter(line => / [WVu] /.test(line))
    problems.push(
      ...weak.map(line => `${shown}: expected no weak symbol but it has ${line.trim().replace(/\s+/g, ' ')}`),
    )
  }
  const pattern = process.arch === 'x64' && forbidden[isa]
  const bad = pattern && firstOutsideOfClones(tool('objdump', '-d', '--no-show-raw-insn', object).split('\n'), pattern)
  if (bad) problems.push(`${shown}: expected ${isa === 'common' ? 'baseline' : isa} code but it has ${bad.trim()}`)
  return problems
}

/** Every problem of a binary and of the objects in the build folders. */
export function checkBinary(files, { objects = true } = {}) {
  const isas = JSON.parse(readFileSync(join(root, 'native/sources.json'), 'utf8')).isa[process.arch]
  const folders = objects ? ['build/cmake', 'build/Release/obj.target'].map(name => join(root, name)) : []
  const found = folders.flatMap(objectsBelow)
  if (objects && !found.length)
    throw new Error('expected the objects of a build below build/ but found none: npm run build:native')
  const problems = [...files.flatMap(glibcProblems), ...found.flatMap(object => objectProblems(object, isas))]
  return { problems, count: found.length }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const files = process.argv.length > 2 ? process.argv.slice(2) : [join(root, 'build/anneal.node')]
  const { problems, count } = checkBinary(files)
  if (problems.length) console.error(problems.join('\n'))
  else
    console.log(
      `binary: glibc at most ${newestGlibc.join('.')}; ${count} objects, no weak symbol, no foreign instruction`,
    )
  process.exitCode = problems.length ? 1 : 0
}
