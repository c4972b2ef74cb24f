/**
 * `npm run bench:publish`: measures what the README and docs/performance.md show and puts it there. By name some of the
 * parts: `npm run bench:publish -- growth`; default: table. Wants a quiet machine, and a Python in `ANNEAL_PYTHON`.
 */

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { packageRoot } from './harness/package_root.js'

const rounds = ['--rounds', '3', '--seconds', '2']

const plain = ['2-8-3', '64-32-10', '784-128-10', '784-256-128-10', '784-1024-1024-10', '1536-512-10']
const modern = ['3x256', '4x128', '768-256-100', '30-128', '13-64-64-1', '64-32-10 batch 1']
const ours = ['native-fit', 'native-eager', 'native-predict', 'native-forward']
const peers = [
  ...['jax-scan', 'torch-eager', 'torch-compile', 'torch-lecture', 'onnxruntime'],
  ...['tfjs-node-gpu-minimize', 'tfjs-wasm-minimize'],
]

/** Arguments of `npm run bench --` by part. */
const parts: Readonly<Record<string, readonly string[]>> = {
  table: [
    ...['--trial', [...plain, ...modern, 'lecture', 'predict'].join()],
    ...['--drivers', [...ours, ...peers].join()],
    ...rounds,
  ],
  growth: ['--trial', 'growth', '--drivers', 'native-fit,jax-scan,torch-eager', ...rounds],
}

function run(script: string, args: readonly string[]): void {
  const file = join(packageRoot(), 'build/js/bench', script)
  const { status } = spawnSync(process.execPath, [file, ...args], { cwd: packageRoot(), stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

const asked = process.argv.slice(2)
const unknown = asked.find(part => !Object.hasOwn(parts, part))
if (unknown !== undefined) {
  console.error(`bench:publish: expected some of ${Object.keys(parts).join(', ')} but received ${unknown}`)
  process.exit(2)
}
const files = (asked.length ? asked : ['table']).map(part => {
  const out = `build/bench/published-${part}.json`
  run('run.js', [...parts[part], '--out', out])
  return out
})
run('readme.js', files)
