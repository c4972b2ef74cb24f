/**
 * Puts the compiled modules of build/esm/ together as dist/: one file for the library, one for each command, and those
 * parts of their own that look for files beside them, so that `import.meta.url` means the same as in src/. Loading a few
 * files takes a tenth of the time of some hundred. Declarations are not bundled.
 */
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { rolldown } from 'rolldown'
import { root } from './build_native.mjs'

const modules = join(root, 'build', 'esm')
const dist = join(root, 'dist')

/** Modules that look for files beside them. */
const placed = [
  'native/addon',
  'report/png',
  'callbacks/live_view/server',
  'compare/tfjs/load',
  'cli/package_json',
  'cli/machine',
  'cli/build',
]

/** What nothing of the rest is needed for: it is evaluated before all that looks for files. */
const base = /^(base\/|native\/(diagnose|inspect|kernels\.gen|wasm)$|report\/style$)/

/** Modules that are not public but measured by bench/. */
const measured = ['compare/bench/cases', 'compare/bench/results', 'compare/backend', 'cli/options', 'tensor/tape']
const entries = ['index', 'cli/main', 'emitters/reference', 'ops/twins', ...measured]

const nameOf = id => relative(modules, id).split(sep).join('/').replace(/\.js$/, '')

/** In which file a module goes; null: wherever what imports it goes. */
function fileFor(id) {
  const name = nameOf(id)
  if (name.startsWith('..')) return null
  if (placed.includes(name)) return name
  if (base.test(name)) return 'base'
  return /^(cli\/|compare\/(bench|validate)\/|index$)/.test(name) ? null : 'anneal'
}

const group = { name: fileFor, debugName: 'file', test: id => fileFor(id) !== null }

/** For programs that require the package. */
const required = `'use strict'
try {
  module.exports = require('../index.js')
} catch (error) {
  if (error.code !== 'ERR_REQUIRE_ESM') throw error
  const node = 'a Node that requires ES modules (20.19, 22.12 or later)'
  const message = \`anneal: expected \${node} but received \${process.versions.node}; use await import('anneal')\`
  throw Object.assign(new Error(message, { cause: error }), { code: error.code })
}
`

/** dist/cjs/: what require() gets, and the declarations again, which TypeScript takes for CommonJS in that folder. */
function writeCommonJs() {
  const folder = join(dist, 'cjs')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' }))
    if (name.endsWith('.d.ts') && !/^(cjs|cli)\b/.test(name)) cpSync(join(dist, name), join(folder, name))
  writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }\n')
  writeFileSync(join(folder, 'index.js'), required)
}

/** Removes the JavaScript of the last time; declarations stay. */
function clear() {
  for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' }))
    if (name.endsWith('.js')) rmSync(join(dist, name))
}

/** One character beyond Latin-1 makes V8 hold a whole file with two bytes for each, for as long as the program runs. */
const inLatin1 = code => code.replace(/[^\0-\xff]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)

export async function bundle() {
  const bundled = await rolldown({
    input: Object.fromEntries(entries.map(name => [name, join(modules, `${name}.js`)])),
    platform: 'node',
    preserveEntrySignatures: 'allow-extension',
    external: id => !id.startsWith('.') && !id.startsWith(modules),
    onLog(level, log) {
      throw new Error(`bundle: expected nothing to report but received a ${level}: ${log.message}`)
    },
  })
  const { output } = await bundled.generate({
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    minifyInternalExports: false,
    comments: false, // they are in the declarations, where editors show them
    codeSplitting: { includeDependenciesRecursively: false, groups: [group] },
  })
  clear()
  for (const { fileName, code } of output) {
    mkdirSync(join(dist, dirname(fileName)), { recursive: true })
    writeFileSync(join(dist, fileName), inLatin1(code))
  }
  writeCommonJs()
}
