/**
 * Builds the addon from the packed tarball as a user of an unusual machine would: an empty project, no prebuilt binary,
 * `npx anneal build` by cmake-js and then by node-gyp; each must train. Without either, the error must say so.
 *
 *   node scripts/check_source_build.mjs [--gyp-binary FILE]     keeps node-gyp's binary for further tests
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { inTemporaryFolder, makeProject, pack, run } from './stranger.mjs'

const { 'gyp-binary': kept } = parseArgs({ options: { 'gyp-binary': { type: 'string' } } }).values

function checkAdvice(project) {
  const { stderr } = spawnSync(process.execPath, ['train.mjs'], { cwd: project, encoding: 'utf8' })
  if (!/npx anneal build/.test(stderr)) throw new Error(`expected advice on building but received:\n${stderr}`)
}

function buildAndTrain(project, tool) {
  rmSync(join(project, 'node_modules/anneal/build'), { recursive: true, force: true })
  // Where a compiler cache is used, it should know a file wherever the project is.
  process.stdout.write(run('npx', ['anneal', 'build', `--${tool}`], project, { CCACHE_BASEDIR: project }))
  process.stdout.write(run(process.execPath, ['train.mjs'], project, { ANNEAL_BACKEND: 'native' }))
}

await inTemporaryFolder('source', folder => {
  const project = makeProject(join(folder, 'project'), pack(folder), 'node-addon-api', 'cmake-js')
  rmSync(join(project, 'node_modules/anneal/prebuilds'), { recursive: true })
  checkAdvice(project)
  buildAndTrain(project, 'cmake')
  buildAndTrain(project, 'gyp')
  if (kept) copyFileSync(join(project, 'node_modules/anneal/build/anneal.node'), kept)
  console.log('source build: from the tarball by cmake-js and by node-gyp, each trains')
})
