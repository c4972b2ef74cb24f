/**
 * `anneal build`: compiles the native addon from the sources in this package, for machines without a prebuilt binary. It
 * loads nothing of the library, whose loading is what it repairs; the work is scripts/build_native.mjs.
 */

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'

interface Options {
  readonly cmake?: boolean
  readonly gyp?: boolean
  readonly force?: boolean
}

const help = `
It needs a C++ compiler, cmake (or python3 and make, for node-gyp), and in your project the headers and the build tool:
  npm install --no-save node-addon-api cmake-js
Nothing else is downloaded. The binary is found from then on.`

function build(options: Options): void {
  const script = fileURLToPath(new URL('../../scripts/build_native.mjs', import.meta.url))
  const flags = (['cmake', 'gyp', 'force'] as const).filter(name => options[name]).map(name => `--${name}`)
  const { status, error } = spawnSync(process.execPath, [script, ...flags], { stdio: 'inherit' })
  if (error) throw error
  process.exitCode = status ?? 1
}

export function define(command: Command): void {
  command
    .option('--cmake', 'by cmake-js (the default where there is a cmake)')
    .option('--gyp', 'by node-gyp')
    .option('--force', 'although the binary is up to date')
    .addHelpText('after', help)
    .action(build)
}
