/** nn.init: PyTorch's bits from the same seed, and bad input. */

import { describe, expect, it } from 'vitest'
import * as nn from '../src/nn/index.js'
import type { Nonlinearity } from '../src/nn/init.js'
import { Generator, manualSeed, rand } from '../src/random/index.js'
import { Tensor, tensor } from '../src/tensor/index.js'
import { camelOptions, expectClose, golden } from './helpers/golden.js'

interface Entry {
  function: string
  args: Record<string, unknown>
  shape: number[]
  seed: number
  values: number[]
  /** The number that the stream gives next. */
  after: number
}

const { entries, gains } = golden('init.json') as {
  entries: Entry[]
  gains: { nonlinearity: string; param: number | null; gain: number }[]
}

const camel = (text: string) => text.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase())

// biome-ignore lint/suspicious/noExplicitAny: initialisers differ in their arguments.
const initialisers = new Map<string, any>(Object.entries(nn.init))

/** What PyTorch takes as the second argument is positional here too, the rest are options. */
const positional: Record<string, string> = { constant_: 'val', sparse_: 'sparsity' }

function run({ function: name, args, shape, seed }: Entry): Tensor {
  manualSeed(seed)
  const { [positional[name]]: second, ...rest } = args
  const options = Object.entries(camelOptions(rest)).map(([key, v]) => [key, typeof v === 'string' ? camel(v) : v])
  const t = new Tensor(shape, 'float32', new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(Number.NaN))
  const takesOptions = !['constant_', 'ones_', 'zeros_', 'eye_'].includes(name)
  const given = [...(second === undefined ? [] : [second]), ...(takesOptions ? [Object.fromEntries(options)] : [])]
  expect(initialisers.get(camel(name))(t, ...given)).toBe(t)
  return t
}

describe('nn.init gives PyTorch’s numbers', () => {
  it('for every initialiser', () => {
    const covered = new Set([...entries.map(entry => camel(entry.function)), 'calculateGain'])
    expect([...initialisers.keys()].filter(name => !covered.has(name))).toEqual([])
  })

  it.each(entries.map(entry => ({ ...entry, text: JSON.stringify(entry.args), entry })))(
    '$function $text $shape, seed $seed',
    ({ entry }) => {
      const { data } = run(entry)
      // The factorization of orthogonal_ is LAPACK's in float32; all else is equal bit for bit.
      if (entry.function === 'orthogonal_') expectClose(data, entry.values, 2e-6, 0)
      else expect([...data]).toEqual(entry.values.map(Math.fround))
      expect(rand([1]).item()).toBe(Math.fround(entry.after))
    },
  )

  it.each(gains)('calculateGain $nonlinearity $param', ({ nonlinearity, param, gain }) => {
    expect(nn.init.calculateGain(camel(nonlinearity) as Nonlinearity, param ?? undefined)).toBeCloseTo(gain, 15)
  })
})

describe('nn.init', () => {
  it('draws from a generator of one’s own', () => {
    const weight = () => tensor(new Float32Array(20), { shape: [4, 5] })
    manualSeed(3)
    const [want, next] = [nn.init.kaimingNormal_(weight()).toArray(), rand([1]).item()]
    manualSeed(3)
    nn.init.kaimingNormal_(weight())
    expect(rand([1]).item()).toBe(next)
    expect(nn.init.kaimingNormal_(weight(), { generator: new Generator(3) }).toArray()).toEqual(want)
  })

  it('makes orthonormal rows or columns of large matrices too', () => {
    const t = nn.init.orthogonal_(tensor(new Float32Array(64 * 200), { shape: [64, 200] }))
    const gram = t.matmul(t.transpose(0, 1)).data
    for (let i = 0; i < gram.length; i++) expect(Math.abs(gram[i] - (i % 65 === 0 ? 1 : 0))).toBeLessThan(1e-6)
  })

  it('leaves empty tensors as they are', () => {
    const empty = () => tensor(new Float32Array(0), { shape: [0, 3] })
    for (const name of ['kaimingUniform_', 'kaimingNormal_', 'xavierUniform_', 'orthogonal_', 'zeros_']) {
      expect(initialisers.get(name)(empty()).shape).toEqual([0, 3])
    }
  })

  const matrix = () => tensor([[1, 2]])
  it.each<[string, () => unknown, unknown]>([
    ['another type', () => nn.init.zeros_([1] as never), TypeError],
    ['labels', () => nn.init.ones_(tensor([1], { dtype: 'int32' })), { code: 'ERR_DTYPE' }],
    ['a vector for fans', () => nn.init.xavierUniform_(tensor([1])), { code: 'ERR_SHAPE' }],
    ['a vector to be orthogonal', () => nn.init.orthogonal_(tensor([1])), { code: 'ERR_SHAPE' }],
    ['a vector to be an identity', () => nn.init.eye_(tensor([1])), { code: 'ERR_SHAPE' }],
    ['bounds the wrong way round', () => nn.init.uniform_(matrix(), { a: 1, b: 0 }), RangeError],
    ['a negative deviation', () => nn.init.normal_(matrix(), { std: -1 }), RangeError],
    ['an empty interval', () => nn.init.truncNormal_(matrix(), { a: 1, b: 1 }), RangeError],
    ['an unknown mode', () => nn.init.kaimingNormal_(matrix(), { mode: 'fan_in' as never }), RangeError],
    ['an unknown activation', () => nn.init.calculateGain('gelu' as never), RangeError],
    ['an unknown option', () => nn.init.kaimingNormal_(matrix(), { slope: 1 } as never), TypeError],
    ['too sparse', () => nn.init.sparse_(matrix(), 1.1), RangeError],
    ['no number', () => nn.init.constant_(matrix(), '1' as never), TypeError],
  ])('refuses %s', (_what, call, error) => {
    if (typeof error === 'function') expect(call).toThrow(error as typeof TypeError)
    else expect(call).toThrow(expect.objectContaining(error as object))
  })
})
