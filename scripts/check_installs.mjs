/**
 * The packed tarball installed in every way and run on every Node: npm with scripts off, pnpm, yarn; a path with spaces and
 * letters beyond ASCII, files that the user may not write, no HOME; foreign platforms whose binaries are in it; no binary
 * that fits; consumers in TypeScript.
 *
 *   node scripts/check_installs.mjs          npm, on the oldest and the newest Node, foreign platforms, no binary
 *   node scripts/check_installs.mjs --all    everything
 *     --record                               writes what held to docs/installs.md
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from './build_native.mjs'
import { here, nodeVersions, npmNode, runOn, runProblem } from './nodes.mjs'
import { inTemporaryFolder, makeProject, pack, program, run } from './stranger.mjs'

const maxInstalled = 25e6 // bytes, with the binaries of every platform
const { all, record } = parseArgs({ options: { all: { type: 'boolean' }, record: { type: 'boolean' } } }).values
const nodes = all ? nodeVersions : [nodeVersions[0], nodeVersions.at(-1)]

/** [what, outcome]; printed as they come. */
const rows = []
function note(what, outcome) {
  rows.push([what, outcome])
  console.log(`${what}: ${outcome}`)
}

function bytesOf(path) {
  const stat = statSync(path)
  return stat.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + bytesOf(join(path, name)), 0) : stat.size
}

function checked(said) {
  if (!said.startsWith('trained: loss')) throw new Error(`expected a training but received: ${said}`)
  return said.trim()
}

/** With a binary: WebAssembly would hide that none fits. */
const native = { ANNEAL_BACKEND: 'native' }

function train(project, node, { env = process.env, ...options } = {}) {
  return checked(
    execFileSync(node, ['train.mjs'], { cwd: project, encoding: 'utf8', env: { ...env, ...native }, ...options }),
  )
}

function byNpm(folder, tarball) {
  const project = makeProject(join(folder, 'mit Leerzeichen, ä und 中'), tarball)
  const size = bytesOf(join(project, 'node_modules/anneal'))
  if (size > maxInstalled) throw new Error(`expected at most ${maxInstalled} bytes installed but it is ${size}`)
  const binaries = readdirSync(join(project, 'node_modules/anneal/prebuilds')).sort()
  note('installed size', `${(size / 1e6).toFixed(1)} MB with the binaries ${binaries.join(', ')}`)
  for (const version of nodes) {
    const node = npmNode(here, version)
    const exact = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
    note(`npm, scripts off, a path with spaces and letters beyond ASCII, Node ${exact}`, train(project, node))
  }
  return project
}

/** The same files on the platforms that this machine emulates. */
function onForeignPlatforms(project) {
  for (const target of readdirSync(join(project, 'node_modules/anneal/prebuilds'))) {
    if (target === here || target === 'wasm32') continue
    const problem = runProblem(target)
    if (problem) console.log(`${target}: not run, ${problem}`)
    else note(`${target}, Node 20`, checked(runOn(target, join(project, 'train.mjs'), { cwd: project, env: native })))
  }
}

/** WebAssembly takes over, and says so once and why. */
function withoutBinary(project) {
  const prebuilds = join(project, 'node_modules/anneal/prebuilds')
  if (!existsSync(join(prebuilds, 'wasm32'))) return console.log('no binary that fits: not run, there is no wasm32')
  renameSync(join(prebuilds, here), join(prebuilds, 'elsewhere'))
  const { stdout, stderr } = spawnSync(process.execPath, ['train.mjs'], { cwd: project, encoding: 'utf8' })
  renameSync(join(prebuilds, 'elsewhere'), join(prebuilds, here))
  const warnings = stderr.match(/anneal runs as WebAssembly.*no such file.*npx anneal build/g) ?? []
  if (warnings.length !== 1) throw new Error(`expected one warning but received: ${stderr}`)
  note('no binary that fits: WebAssembly, with a warning', checked(stdout))
}

/** As a user without a home who may write nothing; only root can become one. */
function asNobody(folder, project) {
  const { HOME: _, ...env } = process.env
  const isRoot = process.getuid?.() === 0
  if (isRoot) for (const path of [folder, project]) chmodSync(path, 0o755)
  const who = isRoot ? { uid: 65534, gid: 65534 } : {}
  note('no HOME, files that the user may not write', train(project, process.execPath, { env, ...who }))
}

/** pnpm and yarn, by their packages on npm. */
function byOthers(folder, tarball) {
  const tools = join(folder, 'tools')
  run('npm', ['install', '--prefix', tools, '--no-audit', '--no-fund', '--loglevel=error', 'pnpm@10', 'yarn@1'], folder)
  const ways = { pnpm: ['add', '--ignore-scripts'], yarn: ['add', '--ignore-scripts', '--non-interactive'] }
  for (const [tool, args] of Object.entries(ways)) {
    const project = makeProject(join(folder, tool))
    run(join(tools, 'node_modules/.bin', tool), [...args, `file:${tarball}`], project)
    note(tool, train(project, process.execPath))
  }
}

const importing = program
  .replace('import { nn', 'import { type Tensor, nn')
  .replace('forward(x)', 'override forward(x: Tensor)')
const requiring = `async function main(): Promise<void> {
  const { nn, tensor } = await import('anneal')
  const layer = new nn.Linear(2, 3)
  console.log('computed', layer.forward(tensor([[1, 2]])).shape)
}
void main()
`

/** One consumer per way of resolving modules, with each compiler. */
function byTypeScript(folder, tarball) {
  const consumers = {
    nodenext: { file: 'train.mts', text: importing, options: { module: 'nodenext' } },
    bundler: { file: 'train.mts', text: importing, options: { module: 'esnext', moduleResolution: 'bundler' } },
    'node16, CommonJS': { file: 'main.cts', text: requiring, options: { module: 'node16' } },
  }
  for (const compiler of ['5.9', '7']) {
    const project = makeProject(join(folder, `typescript-${compiler}`), tarball, `typescript@${compiler}`)
    for (const [name, { file, text, options }] of Object.entries(consumers)) {
      writeFileSync(join(project, file), text)
      const compilerOptions = { target: 'es2022', strict: true, noImplicitOverride: true, types: [], ...options }
      writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [file] }))
      run(join('node_modules/.bin/tsc'), ['-p', '.'], project)
      const said = run(process.execPath, [file.replace(/ts$/, 'js')], project).trim()
      note(`TypeScript ${compiler}, ${name}`, said)
    }
  }
}

function writeRecord() {
  const lines = rows.map(([what, outcome]) => `| ${what} | ${outcome} |`)
  const head = [
    '# Installs',
    '',
    `What \`node scripts/check_installs.mjs --all --record\` last found on ${here}, from the packed tarball in an empty project.`,
    '',
  ]
  writeFileSync(
    join(root, 'docs/installs.md'),
    [...head, '| installed | outcome |', '|---|---|', ...lines, ''].join('\n'),
  )
}

await inTemporaryFolder('installs', folder => {
  const tarball = pack(folder)
  const project = byNpm(folder, tarball)
  onForeignPlatforms(project)
  withoutBinary(project)
  if (all) {
    asNobody(folder, project)
    byOthers(folder, tarball)
    byTypeScript(folder, tarball)
  }
  if (record) writeRecord()
  console.log(`installs: ${rows.length} held`)
})
