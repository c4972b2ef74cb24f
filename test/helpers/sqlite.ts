/**
 * better-sqlite3, whose binary its install script would fetch: packages are installed without scripts here, so it is built
 * once from its sources where node-gyp can (a debug build: a quarter of the time). Not a test.
 */

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'

/** What the tests use of the package. */
type Sqlite = new (
  path: string,
) => {
  exec(sql: string): void
  prepare(sql: string): Statement
  close(): void
}

interface Statement {
  run(...values: unknown[]): void
  all(): Record<string, unknown>[]
  iterate(): Iterable<Record<string, unknown>>
  safeIntegers(on: boolean): Statement
}

const require = createRequire(import.meta.url)

/** The package, or null where its binary can be neither found nor built; says why. */
export function sqlite(): Sqlite | null {
  const folder = dirname(require.resolve('better-sqlite3/package.json'))
  const binaries = ['Debug', 'Release'].map(kind => join(folder, 'build', kind, 'better_sqlite3.node'))
  if (!binaries.some(existsSync)) build(folder)
  if (binaries.some(existsSync)) return require('better-sqlite3')
  console.warn('skipped: better-sqlite3 (its binary is not there and could not be built)')
  return null
}

function build(folder: string): void {
  const prefix = resolve(dirname(process.execPath), '..')
  const headers = existsSync(join(prefix, 'include/node/node.h')) ? [`--nodedir=${prefix}`] : []
  const gyp = require.resolve('node-gyp/bin/node-gyp.js')
  spawnSync(process.execPath, [gyp, 'rebuild', '--debug', ...headers], { cwd: folder, stdio: 'ignore' })
}
