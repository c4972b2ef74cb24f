/**
 * What is chosen by the processor instead of for one: every threshold in TypeScript that depends on it, from its instruction
 * set and its caches. Tile heights are the kernels' own, by the registers of their instruction set (native/kernels/product.inc).
 */

import { addon } from './addon.js'

/**
 * Multiplications and additions that the products of a plan do in a millisecond on a core of the slower kind: clocks of 2 GHz,
 * one unit for the words of AVX-512, two for the others'.
 */
const PER_MS: Readonly<Record<string, number>> = { avx512: 6.4e7, avx2: 6e7, neon: 3e7, sse2: 1.2e7, wasm: 6e6 }

const [, secondCache] = addon.caches

export const cpu = {
  perMs: PER_MS[addon.isa] ?? PER_MS.wasm,
  /** Floats that the second cache holds: what is larger comes from memory, or from a cache that others share. */
  nearFloats: secondCache / 4,
}

function sizeText(bytes: number): string {
  return bytes >= 2 ** 20 ? `${bytes / 2 ** 20} MB` : `${bytes / 2 ** 10} KB`
}

/** The class as figures name it: `avx512, caches of 48 KB, 2 MB, 32 MB`. */
export const cpuClass = `${addon.isa}, caches of ${addon.caches.map(sizeText).join(', ')}`
