/**
 * C++ as .clang-format says: checks every file of native/, or writes it with --write. Not here: kernels.def, a table
 * laid out by hand.
 *
 *   node scripts/format_cpp.mjs [--write]
 */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import clangFormat from 'clang-format-node'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const files = readdirSync(join(root, 'native'), { recursive: true })
  .filter(name => /\.(cc|h|inc)$/.test(name))
  .map(name => join('native', name))

const how = process.argv.includes('--write') ? ['-i'] : ['--dry-run', '--Werror']
const { status, error } = spawnSync(clangFormat.clangFormatPath, [...how, ...files], { cwd: root, stdio: 'inherit' })
if (status !== 0) {
  console.error(`format_cpp: ${error?.message ?? 'expected formatted C++; `npm run format` writes it'}`)
  process.exit(1)
}
