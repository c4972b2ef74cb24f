/**
 * Builds and runs the C++ tests of the kernels and of the plan (native/test), which need cmake and no Node. What is not
 * an option of this script goes to the kernels' test.
 *
 *   node scripts/kernel_test.mjs             on this CPU
 *   node scripts/kernel_test.mjs --sanitize  on this CPU, under AddressSanitizer and UndefinedBehaviorSanitizer
 *   node scripts/kernel_test.mjs --neon      cross-compiled for aarch64, run by qemu-aarch64
 */
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { root } from './build_native.mjs'
import { cmakeProblem, findProgram } from './toolchain.mjs'

const aarch64 = [
  '-DCMAKE_SYSTEM_NAME=Linux',
  '-DCMAKE_SYSTEM_PROCESSOR=aarch64',
  '-DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++',
]
const variants = {
  '--plain': { folder: 'build/kernels', define: [], runner: [] },
  '--sanitize': { folder: 'build/kernels-sanitize', define: ['-DANNEAL_SANITIZE=ON'], runner: [] },
  '--neon': { folder: 'build/kernels-neon', define: aarch64, runner: ['qemu-aarch64'], needs: 'aarch64-linux-gnu-g++' },
}

function fail(message) {
  console.error(`kernel_test: ${message}`)
  process.exit(1)
}

/** Runs a program, quietly if asked; stops with its exit code (and its output) when it fails. */
function run(program, args, { quiet = false } = {}) {
  const result = spawnSync(program, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: quiet ? 'pipe' : 'inherit',
    maxBuffer: 1 << 28,
  })
  if (result.status === 0) return
  if (quiet) console.error(`${result.stdout ?? ''}${result.stderr ?? ''}`)
  fail(`${program} failed (${result.error?.message ?? result.signal ?? `exit code ${result.status}`})`)
}

const args = process.argv.slice(2)
const name = args.find(arg => arg in variants) ?? '--plain'
const { folder, define, runner, needs } = variants[name]
for (const program of [...runner, needs].filter(Boolean)) {
  if (!findProgram(program)) fail(`expected ${program} in PATH for ${name} (Debian: qemu-user, g++-aarch64-linux-gnu)`)
}
if (cmakeProblem()) fail(cmakeProblem())

const build = join(root, folder)
run('cmake', ['-S', '.', '-B', build, '-DANNEAL_KERNEL_TEST=ON', ...define], { quiet: true })
run('cmake', ['--build', build, '--parallel', String(availableParallelism())], { quiet: true })
const rest = args.filter(arg => arg !== name)
for (const command of [['kernels_test', ...rest], ['plan_test']]) {
  const [program, ...first] = [...runner, join(build, command[0])]
  run(program, [...first, ...command.slice(1)])
}
