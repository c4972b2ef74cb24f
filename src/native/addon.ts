/**
 * Loads the native addon: the only file that does. It tries the places where a binary may be, takes the first that is
 * this version's and says, when none is, what was tried and what to do. What the addon offers is in types.ts.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AnnealError } from '../base/errors.js'
import { type Attempt, explain, isMusl } from './diagnose.js'
import { byName, formatHash } from './kernels.gen.js'
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

/** Why a binary is none of this package's: its version or its program format is another; empty where it is. */
function difference({ version: found, format }: Partial<Pick<NativeAddon, 'version' | 'format'>>): string {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  if (typeof found !== 'string' || typeof format?.hash !== 'string')
    return `a binary of another program, but this package is version ${version}`
  if (found !== version) return `a binary of version ${found}, but this package is version ${version}`
  return format.hash === formatHash
    ? ''
    : `a binary of program format ${format.hash}, but this package was compiled for ${formatHash}`
}

/** The addon in one file, its kernels still to be called by position, or the reason why it cannot be used. */
function tryLoad(file: string): NativeAddon | Attempt {
  if (!existsSync(file)) return { file, kind: 'missing', reason: 'no such file' }
  let loaded: NativeAddon
  try {
    loaded = require(file)
  } catch (error) {
    return { file, kind: 'unloadable', reason: error instanceof Error ? error.message : String(error) }
  }
  const reason = difference(loaded)
  return reason ? { file, kind: 'stale', reason } : loaded
}

function load(): NativeAddon {
  const attempts: Attempt[] = []
  for (const file of candidates()) {
    const result = tryLoad(file)
    if ('kernels' in result) return { ...result, kernels: byName(result.kernels as never) } as NativeAddon
    attempts.push(result)
  }
  throw new AnnealError('ERR_ADDON_LOAD', explain(attempts, root))
}

/** The native addon of this package. */
export const addon: NativeAddon = load()
