/**
 * Before `npm pack`: dist/, this platform's binary in prebuilds/, and binding.gyp in native/ instead of at the root,
 * where npm would take it for a package to compile at install. After it (`--undo`): native/binding.gyp is removed.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { buildNative, root } from './build_native.mjs'
import { buildTs } from './build_ts.mjs'
import { glibcProblems } from './check_binary.mjs'

const shippedGyp = join(root, 'native/binding.gyp')
const musl = process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime

function prebuild() {
  const target = join(root, 'prebuilds', `${process.platform}-${process.arch}${musl ? '-musl' : ''}`, 'anneal.node')
  rmSync(join(root, 'prebuilds'), { recursive: true, force: true })
  mkdirSync(dirname(target), { recursive: true })
  copyFileSync(buildNative(), target)
  if (process.platform !== 'win32')
    execFileSync('strip', [process.platform === 'darwin' ? '-x' : '--strip-unneeded', target])
  const problems = process.platform === 'linux' && !musl ? glibcProblems(target) : []
  if (problems.length) throw new Error(problems.join('\n'))
}

if (process.argv.includes('--undo')) {
  rmSync(shippedGyp, { force: true })
} else {
  buildTs()
  prebuild()
  copyFileSync(join(root, 'binding.gyp'), shippedGyp)
}
