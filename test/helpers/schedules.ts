/** Optimizers and schedules from the entries of test/golden/schedulers.json. Not a test, and without the addon. */

import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import * as lrScheduler from '../../src/lr_scheduler/index.js'

// biome-ignore lint/suspicious/noExplicitAny: goldens are plain JSON of many forms.
export type Golden = any

export type Group = lrScheduler.ScheduledGroup
export interface FakeOptimizer {
  paramGroups: Group[]
}

export const goldens: Golden[] = JSON.parse(
  readFileSync(new URL('../golden/schedulers.json', import.meta.url), 'utf8'),
).entries

/** The functions of the goldens, by name. */
const functions: Record<string, (p: Golden) => (x: number) => number> = {
  pow: p => e => p.base ** e,
  inv: p => e => 1 / (1 + p.k * e),
  stairs: p => e => p.f ** Math.floor(e / p.every),
  warmup: p => e => Math.min(1, (e + 1) / p.n),
  const: p => () => p.v,
  cosine: p => e => 0.5 * (1 + Math.cos((Math.PI * e) / p.n)),
  half_even: p => e => (e % p.every === 0 ? 0.5 : 1),
  cyc_pow: p => x => 1 / 5 ** (x * 0.0001 * p.k),
  halving: () => x => 1 / 2 ** (x - 1),
}

/** `total_iters` is `totalIters`, `T_0` is `t0`. */
export function camel(name: string): string {
  const plain = name.startsWith('T_') ? `t${name.slice(1)}` : name
  return plain.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

function optionsOf(optimizer: FakeOptimizer, args: Golden): Golden {
  const value = (v: Golden): Golden => {
    if (Array.isArray(v)) return v.map(value)
    if (typeof v !== 'object' || v === null) return v
    return v.fn ? functions[v.fn](v) : build(optimizer, v.scheduler, v.args)
  }
  return Object.fromEntries(Object.entries(args).map(([key, v]) => [camel(key), value(v)]))
}

/** The schedule of an entry's name and PyTorch arguments. */
export function build(optimizer: FakeOptimizer, name: string, args: Golden): lrScheduler.LRScheduler {
  const options = optionsOf(optimizer, args)
  if (name === 'ChainedScheduler') return new lrScheduler.ChainedScheduler(options.schedulers)
  return new (lrScheduler as Golden)[name](optimizer, options)
}

/** An object with the groups that an optimizer of this type would have. */
export function optimizerOf({ optimizer: { type, ...given }, groups }: Golden): FakeOptimizer {
  const adam = { betas: [0.9, 0.999], eps: 1e-8, weightDecay: type === 'AdamW' ? 0.01 : 0 }
  const defaults = type === 'SGD' ? { momentum: 0, dampening: 0, weightDecay: 0, nesterov: false } : adam
  const filled = groups.map((group: Golden) => ({ ...structuredClone(defaults), ...given, ...group }))
  return {
    paramGroups: filled.map((g: object) => Object.fromEntries(Object.entries(g).map(([k, v]) => [camel(k), v]))),
  }
}

/** Equal within a relative 1e-12, whatever the nesting; text stands for infinity. */
export function expectSame(got: unknown, want: unknown, where: string): void {
  if (Array.isArray(want)) {
    expect(got, where).toHaveLength(want.length)
    for (const [i, entry] of want.entries()) expectSame((got as unknown[])[i], entry, `${where}[${i}]`)
  } else if (typeof want === 'object' && want !== null) {
    expect(Object.keys(got as object).sort(), where).toEqual(Object.keys(want).sort())
    for (const [key, entry] of Object.entries(want)) expectSame((got as Golden)[key], entry, `${where}.${key}`)
  } else if (want === 'Infinity' || want === '-Infinity') {
    expect(got, where).toBe(Number(want))
  } else if (typeof want === 'number') {
    expect(Math.abs((got as number) - want), `${where}: ${got} is not ${want}`).toBeLessThanOrEqual(
      1e-12 * Math.abs(want),
    )
  } else {
    expect(got, where).toBe(want)
  }
}
