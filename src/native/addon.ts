/**
 * Loads the native addon: the only file that does. It tries the places where a binary may be, takes the first that is
 * this build's and says, when none is, what was tried and what to do. It needs nothing of the package but itself and a
 * binary: the build that it expects was written into it. What the addon offers is in types.ts.
 */
import { existsSync } from 'node:fs'
import nodeModule from 'node:module'
import { dirname, isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AnnealError } from '../base/errors.js'
import { type Attempt, explain, isMusl } from './diagnose.js'
import { faultOfFile } from './inspect.js'
import { build, byName } from './kernels.gen.js'
import type { NativeAddon } from './types.js'
import { loadWasm } from './wasm.js'

const here = dirname(fileURLToPath(import.meta.url))
const root = dirname(dirname(here))

/** The package's prebuilds/, or a copy of it beside the file that a bundler made of the program and this package. */
const prebuilds = [join(root, 'prebuilds'), join(here, 'prebuilds')].find(existsSync) ?? join(root, 'prebuilds')

/**
 * Where a binary may be, in the order in which the places are tried. `ANNEAL_BINARY` leaves no choice, and
 * `ANNEAL_BACKEND=wasm` none but WebAssembly, which is there for machines that no binary fits.
 */
function* candidates(): Generator<string> {
  const { ANNEAL_BINARY: chosen, ANNEAL_BACKEND: backend } = process.env
  if (chosen) {
    yield chosen
    return
  }
  if (backend !== 'wasm') {
    yield join(root, 'build', 'anneal.node')
    yield join(prebuilds, `${process.platform}-${process.arch}${isMusl() ? '-musl' : ''}`, 'anneal.node')
  }
  if (backend !== 'native') yield join(prebuilds, 'wasm32', 'anneal.wasm')
}

/** What is wrong with a file before it is loaded; '' where nothing is. */
function problemOf(file: string): string {
  if (!isAbsolute(file)) return 'expected an absolute path in ANNEAL_BINARY'
  if (!existsSync(file)) return 'no such file'
  try {
    return faultOfFile(file, build)
  } catch (error) {
    return `it cannot be read: ${(error as Error).message}`
  }
}

/** The addon in one file, its kernels still to be called by position, or the reason why it cannot be used. */
function tryLoad(file: string): NativeAddon | Attempt {
  const problem = problemOf(file)
  if (problem) return { file, reason: problem }
  try {
    // From its own path, by no name that webpack takes for its own: bundlers must leave this to Node.
    return file.endsWith('.wasm') ? loadWasm(dirname(file)) : nodeModule.createRequire(file)(file)
  } catch (error) {
    return { file, reason: error instanceof Error ? error.message : String(error) }
  }
}

function warnOfWasm(attempts: readonly Attempt[]): void {
  const reasons = attempts.map(({ file, reason }) => `${file}: ${reason}`).join('; ')
  const why = reasons
    ? `no native binary loads (${reasons}; npx anneal build compiles one)`
    : 'ANNEAL_BACKEND=wasm asks for it'
  process.emitWarning(`anneal runs as WebAssembly, on one thread and slower than natively, because ${why}`)
}

function load(): NativeAddon {
  const attempts: Attempt[] = []
  for (const file of candidates()) {
    const result = tryLoad(file)
    if ('kernels' in result) {
      if (file.endsWith('.wasm')) warnOfWasm(attempts)
      return { ...result, kernels: byName(result.kernels as never) } as NativeAddon
    }
    attempts.push(result)
  }
  throw new AnnealError('ERR_ADDON_LOAD', explain(attempts, root))
}

/** The native addon of this package. */
export const addon: NativeAddon = load()
