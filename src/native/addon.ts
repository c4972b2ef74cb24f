/**
 * Loads the native addon: the only file that does. It tries the places where a binary may be, takes the first that is
 * this version's and says, when none is, what was tried and what to do. What the addon offers is in types.ts.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AnnealError } from '../base/errors.js'
import { type Attempt, explain, isMusl } from './diagnose.js'
import type { NativeAddon } from './types.js'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const require = createRequire(import.meta.url)

/** Where a binary may be, in the order in which the places are tried. `ANNEAL_BINARY` leaves no choice. */
function* candidates(): Generator<string> {
  const chosen = process.env.ANNEAL_BINARY
  if (chosen) {
    yield resolve(chosen)
    return
  }
  yield join(root, 'build', 'anneal.node')
  yield join(root, 'prebuilds', `${process.platform}-${process.arch}${isMusl() ? '-musl' : ''}`, 'anneal.node')
}

/** What a binary built from this package carries: the version and the list of kernels (as in CMakeLists.txt). */
function expectedBuild(): string {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const kernels = readFileSync(join(root, 'native', 'kernels', 'kernels.def'))
  return `${version}+${createHash('sha256').update(kernels).digest('hex').slice(0, 12)}`
}

/** The addon in one file, or the reason why it cannot be used. */
function tryLoad(file: string): NativeAddon | Attempt {
  if (!existsSync(file)) return { file, kind: 'missing', reason: 'no such file' }
  let loaded: NativeAddon
  try {
    loaded = require(file)
  } catch (error) {
    return { file, kind: 'unloadable', reason: error instanceof Error ? error.message : String(error) }
  }
  const expected = expectedBuild()
  if (loaded.build === expected) return loaded
  const found = typeof loaded.build === 'string' ? `of build ${loaded.build}` : 'of another program'
  return { file, kind: 'stale', reason: `a binary ${found}, but this package is ${expected}` }
}

function load(): NativeAddon {
  const attempts: Attempt[] = []
  for (const file of candidates()) {
    const result = tryLoad(file)
    if ('kernels' in result) return result
    attempts.push(result)
  }
  throw new AnnealError('ERR_ADDON_LOAD', explain(attempts, root))
}

/** The native addon of this package. */
export const addon: NativeAddon = load()
