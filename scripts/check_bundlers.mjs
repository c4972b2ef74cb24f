/**
 * Runs the table in docs/bundlers.md, row by row, in an empty project with the packed tarball: the commands must succeed and
 * the program must train, from elsewhere than the project where prebuilds/ was copied. The tools are installed for this.
 *
 *   node scripts/check_bundlers.mjs [WORD …]     rows whose tool begins with one of these; default: all
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { root } from './build_native.mjs'
import { inTemporaryFolder, makeProject, pack } from './stranger.mjs'

/** The packages of all rows. */
const packages = [
  ...['esbuild', 'rollup', '@rollup/plugin-node-resolve', 'rolldown', 'webpack@5', 'webpack-cli', '@vercel/ncc'],
  ...['@vercel/nft', '@oven/bun-linux-x64', 'deno', 'jest'],
]

const jestTest = `test('trains', async () => {
  await import('./train.mjs')
})
`

function rowsOf(page) {
  const table = readFileSync(join(root, page), 'utf8').matchAll(/^\| (.*?) \| `(.*)` \| `(.*)` \|$/gm)
  return [...table].map(([, tool, commands, program]) => ({ tool, commands, program }))
}

/** What a command prints: of a program that fails, a line that a bundler made may be megabytes long. */
function shell(command, project) {
  const programs = ['.bin', '@oven/bun-linux-x64/bin'].map(name => join(project, 'node_modules', name))
  const PATH = [...programs, process.env.PATH].join(delimiter)
  return execFileSync('bash', ['-c', `${command} 2>&1`], {
    cwd: project,
    encoding: 'utf8',
    env: { ...process.env, PATH },
    maxBuffer: 1 << 28,
  })
}

/** Whether a program trains; with node_modules out of its sight where it has all it needs. */
function trains(program, project, alone) {
  const hidden = join(project, 'hidden')
  if (alone) renameSync(join(project, 'node_modules'), hidden)
  try {
    return shell(alone ? program.replaceAll('node_modules', 'hidden') : program, project).includes('trained: loss')
  } finally {
    if (alone) renameSync(hidden, join(project, 'node_modules'))
  }
}

/** A path that is wrong must be what the program complains of. */
function heedsBinary(program, project) {
  try {
    shell(`export ANNEAL_BINARY=/no/such/anneal.node; ${program.replace(/^ANNEAL_BINARY=\S+ /, '')}`, project)
  } catch (error) {
    return error.stdout.includes('/no/such/anneal.node')
  }
  return false
}

function checkRow({ tool, commands, program }, project) {
  for (const folder of ['out', 'dist']) rmSync(join(project, folder), { recursive: true, force: true })
  shell(commands, project)
  const alone = commands.includes('prebuilds') && !tool.startsWith('Bun')
  if (!trains(program, project, alone)) throw new Error(`${tool}: expected a program that trains`)
  if (!heedsBinary(program, project)) throw new Error(`${tool}: expected ANNEAL_BINARY to leave no choice`)
  console.log(`${tool}: trains`)
}

await inTemporaryFolder('bundlers', folder => {
  const project = makeProject(join(folder, 'project'), pack(folder), ...packages)
  writeFileSync(join(project, 'train.test.cjs'), jestTest)
  const wanted = process.argv.slice(2)
  const rows = rowsOf('docs/bundlers.md').filter(
    ({ tool }) => !wanted.length || wanted.some(word => tool.startsWith(word)),
  )
  if (!rows.length) throw new Error('expected rows in the table of docs/bundlers.md')
  for (const row of rows) checkRow(row, project)
  console.log(`bundlers: ${rows.length} rows of docs/bundlers.md hold`)
})
