/**
 * Builds and runs the C++ tests of the kernels, of the plan and of the streams' functions (native/test), which need cmake
 * and no Node. What is not an option of this script goes to the kernels' test.
 *
 *   node scripts/kernel_test.mjs             on this CPU, from the objects of the addon
 *   node scripts/kernel_test.mjs --sanitize  on this CPU, under AddressSanitizer and UndefinedBehaviorSanitizer
 *   node scripts/kernel_test.mjs --neon      cross-compiled for aarch64, run by qemu-aarch64
 *
 * The kernels of AVX-512 over emulated instructions are left out where the instructions can be had, and under sanitizers:
 * compiling them takes a minute. --emulate takes them in. --draws N is how many arguments the streams' functions get,
 * --fuzz N for how many seconds mutated programs are run (plan_fuzz).
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { buildNative, root, withLock } from './build_native.mjs'
import { cmakeProblem, findProgram } from './toolchain.mjs'

const aarch64 = [
  '-DCMAKE_SYSTEM_NAME=Linux',
  '-DCMAKE_SYSTEM_PROCESSOR=aarch64',
  '-DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++',
]
const targets = ['kernels_test', 'plan_test', 'plan_fuzz', 'libm_test']
/** Where each variant is built, what makes that folder a cmake build, and what runs the programs. */
const variants = {
  '--plain': { folder: 'build/cmake', configure: () => buildNative({ cmake: true }) },
  '--sanitize': { folder: 'build/cmake-sanitize', configure: () => buildNative({ sanitize: true }) },
  '--neon': {
    folder: 'build/neon',
    configure: folder => run('cmake', ['-S', '.', '-B', folder, ...aarch64], { quiet: true }),
    needs: ['qemu-aarch64', 'aarch64-linux-gnu-g++'],
  },
}

/** Whether this processor runs the kernels of AVX-512; not known but on Linux. */
function hasAvx512() {
  try {
    return / avx512dq /.test(readFileSync('/proc/cpuinfo', 'utf8'))
  } catch {
    return false
  }
}

function fail(message) {
  console.error(`kernel_test: ${message}`)
  process.exit(1)
}

/** Runs a program, quietly if asked; stops with its exit code (and its output) when it fails. */
function run(program, args, { quiet = false, env = {} } = {}) {
  const result = spawnSync(program, args, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    stdio: quiet ? 'pipe' : 'inherit',
    maxBuffer: 1 << 28,
  })
  if (result.status === 0) return
  if (quiet) console.error(`${result.stdout ?? ''}${result.stderr ?? ''}`)
  fail(`${program} failed (${result.error?.message ?? result.signal ?? `exit code ${result.status}`})`)
}

const args = process.argv.slice(2)
const name = args.find(arg => arg in variants) ?? '--plain'
const { folder, configure, needs = [] } = variants[name]
for (const program of needs) {
  if (!findProgram(program)) fail(`expected ${program} in PATH for ${name} (Debian: qemu-user, g++-aarch64-linux-gnu)`)
}
if (cmakeProblem()) fail(cmakeProblem())

const build = join(root, folder)
configure(build)
const drawsAt = args.indexOf('--draws')
const draws = drawsAt < 0 ? [] : args.splice(drawsAt, 2)
const fuzzAt = args.indexOf('--fuzz')
const seconds = fuzzAt < 0 ? '3' : args.splice(fuzzAt, 2)[1]
const fuzz = [
  '--seconds',
  seconds,
  '--seed',
  String(Math.floor(Date.now() / 1000)),
  '--folder',
  'native/test/plan_programs',
]
const rest = args.filter(arg => arg !== name && arg !== '--emulate')
const emulate = args.includes('--emulate') || (name === '--plain' && !hasAvx512())
const parallel = ['--parallel', String(availableParallelism())]
withLock(folder, () => {
  run('cmake', [`-DANNEAL_EMULATE=${emulate ? 'ON' : 'OFF'}`, build], { quiet: true })
  run('cmake', ['--build', build, '--target', ...targets, ...parallel], { quiet: true })
})
const emulator = name === '--neon' ? ['qemu-aarch64'] : []
// Plans run the kernels of one instruction set: under sanitizers, of one that is instrumented (native/sources.json).
const instrumented = name === '--sanitize' ? { ANNEAL_MAX_ISA: 'avx2' } : {}
const commands = [
  ['kernels_test', rest],
  ['plan_test', [], instrumented],
  ['plan_fuzz', fuzz, instrumented],
  ['libm_test', draws],
]
for (const [program, programArgs, env] of commands) {
  if (program === 'plan_fuzz' && emulator.length) continue // guard pages under emulation prove nothing about pages here
  const [first, ...others] = [...emulator, join(build, program)]
  run(first, [...others, ...programArgs], { env })
}
