/**
 * Compiles src/ to build/esm/, which is bundled as dist/ (bundle.mjs), and examples/ and bench/ to build/js/, after the
 * native addon, whose kernels' types are written from the binary (generate_kernels.mjs). Output of files that are gone is
 * removed, so that dist/ is exactly what src/ says (npm packs dist/ whole). Checks types; does not lint.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { BuildError, newest, root } from './build_native.mjs'
import { bundle } from './bundle.mjs'
import { generateKernels } from './generate_kernels.mjs'

const stampFile = join(root, 'build', 'ts.stamp')
const folders = ['src', 'examples', 'bench']

/** Whether the last complete compilation is newer than everything that goes into one. */
function upToDate() {
  const inputs = [...folders, 'tsconfig.json', 'tsconfig.build.json', 'tsconfig.programs.json', 'package.json']
  const started = statSync(stampFile, { throwIfNoEntry: false })?.mtimeMs ?? 0
  return existsSync(join(root, 'dist/index.js')) && started >= Math.max(...inputs.map(name => newest(join(root, name))))
}

function compile(project) {
  const tsc = createRequire(join(root, 'package.json')).resolve('typescript/bin/tsc')
  const { status } = spawnSync(process.execPath, [tsc, '-p', project], { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

/** Removes compiled files whose source is gone. */
function prune(compiled, source) {
  if (!existsSync(compiled)) return
  for (const entry of readdirSync(compiled, { withFileTypes: true })) {
    const path = join(compiled, entry.name)
    const sourceName = entry.name.replace(/\.d\.ts$|\.js$/, '.ts')
    if (!existsSync(join(source, sourceName))) rmSync(path, { recursive: true })
    else if (entry.isDirectory()) prune(path, join(source, entry.name))
  }
}

/** Compiles everything unless it is up to date. */
export async function buildTs({ force = false } = {}) {
  generateKernels()
  if (!force && upToDate()) return
  const started = Date.now()
  compile('tsconfig.build.json')
  for (const folder of ['dist', 'build/esm']) prune(join(root, folder), join(root, 'src'))
  await bundle()
  chmodSync(join(root, 'dist/cli/main.js'), 0o755) // npm does this at install, but not in a checkout
  compile('tsconfig.programs.json')
  for (const name of ['examples', 'bench']) prune(join(root, 'build/js', name), join(root, name))
  mkdirSync(dirname(stampFile), { recursive: true })
  writeFileSync(stampFile, '')
  utimesSync(stampFile, started / 1000, started / 1000) // a source saved meanwhile counts as newer
  console.log(`TypeScript: compiled in ${((Date.now() - started) / 1000).toFixed(1)} s, dist/ and build/js/`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    await buildTs({ force: true })
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    console.error(error.message)
    process.exitCode = 1
  }
}
