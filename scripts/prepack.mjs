/**
 * Before `npm pack`: dist/, binaries in prebuilds/<platform>-<arch>[-musl]/, and binding.gyp in native/ instead of at the
 * root, where npm would take it for a package to compile at install. After it (`--undo`): native/binding.gyp is removed.
 * This platform's binary is made anew; those of others that are there (scripts/prebuilds.mjs) stay unless a source is newer.
 * With `--prebuilt` prebuilds/ is taken as it is: a release, whose binaries come from other machines.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { buildNative, newest, root } from './build_native.mjs'
import { buildTs } from './build_ts.mjs'
import { fileProblems } from './check_binary.mjs'
import { here } from './nodes.mjs'

const shippedGyp = join(root, 'native/binding.gyp')
const prebuilds = join(root, 'prebuilds')
/** What a release holds. */
const released = [
  ...['linux-x64', 'linux-arm64', 'linux-x64-musl', 'linux-arm64-musl'],
  ...['darwin-x64', 'darwin-arm64', 'win32-x64', 'win32-arm64', 'wasm32'],
]

const fileOf = target => join(prebuilds, target, target === 'wasm32' ? 'anneal.wasm' : 'anneal.node')

function dropOutdated() {
  const sources = Math.max(...['native', 'CMakeLists.txt', 'package.json'].map(name => newest(join(root, name))))
  for (const target of existsSync(prebuilds) ? readdirSync(prebuilds) : []) {
    const file = fileOf(target)
    if (target !== here && existsSync(file) && statSync(file).mtimeMs > sources) continue
    rmSync(join(prebuilds, target), { recursive: true })
    if (target !== here) console.error(`prebuilds: ${target} is older than the sources and left out`)
  }
}

/** This platform's binary, where `npm pack` and `scripts/prebuilds.mjs` want it. */
function prebuild() {
  const target = fileOf(here)
  mkdirSync(dirname(target), { recursive: true })
  copyFileSync(buildNative(), target)
  if (process.platform !== 'win32')
    execFileSync('strip', [process.platform === 'darwin' ? '-x' : '--strip-unneeded', target])
  const problems = process.platform === 'win32' ? [] : fileProblems(target, here)
  if (problems.length) throw new Error(problems.join('\n'))
}

if (process.argv.includes('--undo')) {
  rmSync(shippedGyp, { force: true })
} else {
  await buildTs()
  if (process.argv.includes('--prebuilt')) {
    const absent = released.filter(target => !existsSync(fileOf(target)))
    if (absent.length) throw new Error(`expected a binary of ${absent.join(', ')} in prebuilds/`)
  } else {
    dropOutdated()
    prebuild()
  }
  copyFileSync(join(root, 'binding.gyp'), shippedGyp)
}
