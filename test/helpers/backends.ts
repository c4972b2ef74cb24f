/**
 * The backends that a test file compares. TensorFlow.js on wasm and cpu is a dev dependency and must load; node-gpu is
 * there after `npm run setup:tfjs`, and a test that is skipped says by name that it is not. ANNEAL_REQUIRE_TFJS=node-gpu
 * (a list of kinds) makes its absence a failure. Not a test.
 */

import { test } from 'vitest'
import { type Backend, backends } from '../../src/compare/index.js'
import type { TfjsKind } from '../../src/compare/tfjs/index.js'

const required = ['wasm', 'cpu', ...(process.env.ANNEAL_REQUIRE_TFJS?.split(',').map(name => name.trim()) ?? [])]

/** Loads kinds of TensorFlow.js; declares a test for each that does not load. */
async function loadTfjs(kinds: readonly TfjsKind[]): Promise<Backend[]> {
  const loaded: Backend[] = []
  for (const kind of kinds) {
    try {
      loaded.push(await backends.tfjs(kind))
    } catch (error) {
      const reason = (error as Error).message
      if (required.includes(kind)) test(`required: ${kind}`, () => Promise.reject(error))
      else test.skip(`skipped: ${kind} (${reason})`)
    }
  }
  return loaded
}

export const tfjsBackends = await loadTfjs(['node-gpu', 'wasm', 'cpu'])
export const allBackends: readonly Backend[] = [backends.native, backends.reference, ...tfjsBackends]
