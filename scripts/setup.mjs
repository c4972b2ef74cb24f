/**
 * What `npm start`, `npm test` and `npm run bench` run: makes a bare clone ready (packages, native addon, TypeScript; each
 * only when it is missing or out of date), then runs the lecture, the tests or the benches. Plain Node without a
 * dependency, because none may be installed yet. `node scripts/setup.mjs` alone only makes ready.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [task, ...rest] = process.argv.slice(2)

function fail(message) {
  console.error(`anneal: ${message}`)
  process.exit(1)
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19))
    fail(`Node 20.19 or later is needed to build and test, this is ${process.versions.node}`)
}

function readLock(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {}
}

/** Whether node_modules holds what package-lock.json asks for. Optional packages are other platforms' binaries. */
function packagesReady() {
  const installed = readLock(join(root, 'node_modules/.package-lock.json'))
  const wanted = Object.entries(readLock(join(root, 'package-lock.json')))
  return wanted.every(([path, entry]) => path === '' || entry.optional || installed[path]?.version === entry.version)
}

/** `npm ci` by the npm that runs us, without install scripts: no package here needs one. */
function installPackages() {
  console.log('packages: npm ci')
  const args = ['ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund']
  const npm = process.env.npm_execpath
  const options = { cwd: root, stdio: 'inherit', env: { ...process.env, NODE_ENV: '' } }
  const byNode = npm?.endsWith('.js')
  const result = byNode
    ? spawnSync(process.execPath, [npm, ...args], options)
    : spawnSync('npm', args, { ...options, shell: process.platform === 'win32' })
  if (result.status !== 0) fail('npm ci failed. It needs the npm registry once; then run the same command again')
}

async function makeReady() {
  checkNode()
  if (!packagesReady()) installPackages()
  const [{ buildTs }, { BuildError }] = await Promise.all([import('./build_ts.mjs'), import('./build_native.mjs')])
  try {
    await buildTs()
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    fail(error.message)
  }
}

function runAndExit(...args) {
  const { status, signal } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
  process.exit(signal ? 1 : status)
}

const programs = {
  start: ['build/js/examples/lr-decay.js'],
  test: ['node_modules/vitest/vitest.mjs', 'run'],
  'test:full': ['node_modules/vitest/vitest.mjs', 'run', '--testTimeout=3600000'],
  bench: ['build/js/bench/run.js'],
  'bench:publish': ['build/js/bench/publish.js'],
  'bench:readme': ['build/js/bench/readme.js'],
  'bench:server': ['--expose-gc', 'build/js/bench/server.js'],
}

if (task !== undefined && !Object.hasOwn(programs, task))
  fail(`setup: expected one of ${Object.keys(programs).join(', ')} but received ${task}`)
await makeReady()
if (task === 'test:full') process.env.ANNEAL_FULL = '1'
if (task !== undefined) runAndExit(...programs[task], ...rest)
