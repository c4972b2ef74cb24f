/** Reads the goldens of test/golden and compares with their tolerances. Not a test. */

import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { type Tensor, tensor } from '../../src/tensor/index.js'

/** A tensor as the goldens store it. */
export interface Stored {
  shape: number[]
  dtype: string
  data: (number | string)[]
}

// biome-ignore lint/suspicious/noExplicitAny: the goldens are plain JSON of many forms.
export function golden(name: string): any {
  return JSON.parse(readFileSync(new URL(`../golden/${name}`, import.meta.url), 'utf8'))
}

/** Not-finite numbers are stored as text. */
export function numbers(values: readonly (number | string)[]): number[] {
  return values.map(Number)
}

/** A stored float tensor. */
export function stored({ shape, data }: Stored, requiresGrad = false): Tensor {
  return tensor(Float32Array.from(numbers(data)), { shape, requiresGrad })
}

/** |got - want| <= atol + rtol·|want| elementwise; NaN and infinities must be equal. */
export function expectClose(got: ArrayLike<number>, want: ArrayLike<number>, atol = 1e-6, rtol = 1e-5): void {
  expect(got.length).toBe(want.length)
  for (let i = 0; i < want.length; i++) {
    if (!Number.isFinite(want[i])) expect(got[i], `element ${i}`).toBe(want[i])
    else
      expect(Math.abs(got[i] - want[i]), `element ${i}: ${got[i]}, want ${want[i]}`).toBeLessThanOrEqual(
        atol + rtol * Math.abs(want[i]),
      )
  }
}

/** Options in PyTorch's snake_case as ours in camelCase. */
export function camelOptions(args: Record<string, unknown>): Record<string, unknown> {
  const camel = (key: string) => key.replace(/_([a-z\d])/g, (_, c: string) => c.toUpperCase())
  const small = (key: string) => key[0].toLowerCase() + key.slice(1)
  return Object.fromEntries(Object.entries(args).map(([key, value]) => [small(camel(key)), value]))
}
