/**
 * Before `npm pack`: dist/, binaries in prebuilds/<platform>-<arch>[-musl]/, and binding.gyp in native/ instead of at the
 * root, where npm would take it for a package to compile at install. After it (`--undo`): native/binding.gyp is removed.
 * This platform's binary is made anew; those of others that are there stay unless a source is newer.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { buildNative, newest, root } from './build_native.mjs'
import { buildTs } from './build_ts.mjs'
import { fileProblems } from './check_binary.mjs'

const shippedGyp = join(root, 'native/binding.gyp')
const prebuilds = join(root, 'prebuilds')
const musl = process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime
const here = `${process.platform}-${process.arch}${musl ? '-musl' : ''}`

function dropOutdated() {
  const sources = Math.max(...['native', 'CMakeLists.txt', 'package.json'].map(name => newest(join(root, name))))
  for (const target of existsSync(prebuilds) ? readdirSync(prebuilds) : []) {
    const file = join(prebuilds, target, 'anneal.node')
    if (target !== here && existsSync(file) && statSync(file).mtimeMs > sources) continue
    rmSync(join(prebuilds, target), { recursive: true })
    if (target !== here) console.error(`prebuilds: ${target} is older than the sources and left out`)
  }
}

/** This platform's binary, where `npm pack` and `scripts/prebuilds.mjs` want it. */
function prebuild() {
  const target = join(prebuilds, here, 'anneal.node')
  mkdirSync(dirname(target), { recursive: true })
  copyFileSync(buildNative(), target)
  if (process.platform !== 'win32')
    execFileSync('strip', [process.platform === 'darwin' ? '-x' : '--strip-unneeded', target])
  const problems = process.platform === 'win32' ? [] : fileProblems(target)
  if (problems.length) throw new Error(problems.join('\n'))
}

if (process.argv.includes('--undo')) {
  rmSync(shippedGyp, { force: true })
} else {
  buildTs()
  dropOutdated()
  prebuild()
  copyFileSync(join(root, 'binding.gyp'), shippedGyp)
}
