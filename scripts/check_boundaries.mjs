/**
 * Refuses imports (src/) and includes (native/) that point upward in the layer tables below, files in src/ that import
 * each other in a cycle at run time, a .node file loaded anywhere but in the loader, and system headers that an
 * instruction set's file may not see. Reads text only: it does not resolve modules, and a file that does not compile is
 * not its business.
 *
 *   node scripts/check_boundaries.mjs [ROOT]
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, posix, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** From top to bottom: a file may use its own layer and everything below. `index` is src/index.ts. */
const layers = {
  src: [
    ...['cli', 'index', 'callbacks', 'compare', 'train', 'report', 'engine', 'plan', 'models'],
    ...['lr_scheduler', 'optim', 'nn', 'preprocessing', 'metrics', 'data', 'io'],
    ...['random', 'tensor', 'ops', 'emitters', 'streams', 'runs', 'distributed', 'native', 'base'],
  ],
  native: ['test', 'binding', 'wasm', 'distributed', 'plan', 'kernels', 'base'],
}

/** The only file that may load a .node file. */
const loader = 'src/native/addon.ts'

/** All that a translation unit with its own instruction set may see of the system: nothing with an inline function. */
const isaHeaders = ['immintrin.h', 'arm_neon.h', 'stddef.h', 'stdint.h']

const root = resolve(process.argv[2] ?? dirname(dirname(fileURLToPath(import.meta.url))))
const problems = []

function walk(folder) {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap(entry => {
    const path = `${folder}/${entry.name}`
    return entry.isDirectory() ? walk(path) : [path]
  })
}

/** [line number, text] of every match of `pattern` (its first group) in a file. */
function matches(file, pattern) {
  const lines = readFileSync(join(root, file), 'utf8').split('\n')
  return lines.flatMap((line, i) => [...line.matchAll(pattern)].map(match => [i + 1, match[1]]))
}

function layerOf(path) {
  const [, name] = path.split('/')
  return name.replace(/\.(ts|js|cc|h)$/, '')
}

function checkArrow(file, line, target) {
  const side = file.split('/')[0]
  if (target.split('/')[0] !== side) {
    problems.push(`${file}:${line}: expected an import from within ${side}/ but received ${target}`)
    return
  }
  const [from, to] = [layerOf(file), layerOf(target)].map(name => layers[side].indexOf(name))
  for (const [path, rank] of [
    [file, from],
    [target, to],
  ]) {
    if (rank < 0)
      problems.push(`${path}: expected one of the layers ${layers[side].join(', ')} but received ${layerOf(path)}`)
  }
  if (from >= 0 && to >= 0 && to < from) {
    const [upper, lower] = [layers[side][to], layers[side][from]]
    problems.push(`${file}:${line}: expected no import upward, but ${lower} is below ${upper} (${target})`)
  }
}

function checkTypeScript() {
  const files = walk('src').filter(file => file.endsWith('.ts'))
  for (const file of files) {
    if (file.endsWith('.test.ts')) continue
    for (const [line, name] of matches(file, /(?:from|import)\s*\(?\s*'(\.[^']*)'/g)) {
      checkArrow(file, line, posix.normalize(posix.join(posix.dirname(file), name)))
    }
    for (const [line] of matches(file, /(\.node['"`]|\bdlopen\b)/g)) {
      if (file !== loader) problems.push(`${file}:${line}: expected only ${loader} to load a .node file`)
    }
  }
  checkLoops(files.filter(file => !file.endsWith('.test.ts')))
  return files
}

/** The project files that `file` imports at run time: type-only imports are gone by then. */
function importedAtRunTime(file) {
  const text = readFileSync(join(root, file), 'utf8')
  const statements = text.matchAll(
    /^(?:import|export)\s+(type\s)?([^;'"]*?)\s*from\s*'(\.[^']*)'|^import\s*'(\.[^']*)'/gm,
  )
  return [...statements].flatMap(([, typeOnly, names = '', from, alone]) => {
    const listed =
      names
        .match(/^\{(.*)\}$/s)?.[1]
        .split(',')
        .filter(name => name.trim()) ?? []
    const erased = typeOnly || (listed.length > 0 && listed.every(name => /^\s*type\s/.test(name)))
    return erased ? [] : [posix.normalize(posix.join(posix.dirname(file), from ?? alone)).replace(/\.js$/, '.ts')]
  })
}

/** Every import cycle is reported once, by the path around it. */
function checkLoops(files) {
  const state = new Map()
  const visit = (file, path) => {
    if (state.get(file) === 'done') return
    const at = path.indexOf(file)
    if (at >= 0) {
      problems.push(`${file}:1: expected no import cycle but received ${[...path.slice(at), file].join(' → ')}`)
      return
    }
    for (const target of importedAtRunTime(file)) if (existsSync(join(root, target))) visit(target, [...path, file])
    state.set(file, 'done')
  }
  for (const file of files) visit(file, [])
}

/** The file that `#include "name"` in `file` means, relative to the root. */
function included(file, name) {
  return posix.normalize(posix.join(posix.dirname(file), name))
}

function checkNative() {
  const files = walk('native').filter(file => /\.(cc|h|inc|def)$/.test(file))
  for (const file of files) {
    for (const [line, name] of matches(file, /^\s*#\s*include\s+"([^"]+)"/g)) {
      const target = included(file, name)
      if (existsSync(join(root, target))) checkArrow(file, line, target)
      else problems.push(`${file}:${line}: expected an include that names an existing file but received ${name}`)
    }
  }
  return files
}

/** Every project file that `file` includes, directly or not, itself first. */
function reachable(file, seen = new Set()) {
  if (seen.has(file) || !existsSync(join(root, file))) return seen
  seen.add(file)
  for (const [, name] of matches(file, /^\s*#\s*include\s+"([^"]+)"/g)) reachable(included(file, name), seen)
  return seen
}

function checkIsaHeaders() {
  const units = walk('native/kernels/isa').filter(file => file.endsWith('.cc'))
  for (const unit of units) {
    for (const file of reachable(unit)) {
      for (const [line, header] of matches(file, /^\s*#\s*include\s+<([^>]+)>/g)) {
        if (isaHeaders.includes(header)) continue
        problems.push(
          `${file}:${line}: expected only <${isaHeaders.join('>, <')}> below ${unit} but received <${header}>`,
        )
      }
    }
  }
}

if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) throw new Error(`no such folder: ${root}`)
const count = checkTypeScript().length + checkNative().length
checkIsaHeaders()
if (problems.length) {
  console.error(problems.join('\n'))
  process.exitCode = 1
} else {
  console.log(
    `boundaries: ${count} files, no arrow upward, no import cycle (${relative(process.cwd(), root).split(sep).join('/') || '.'})`,
  )
}
