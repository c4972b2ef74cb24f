/** PyTorch's stream: every fixture of rng.json and rng-more.json, states, holders, refused arguments. */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { defaultGenerator, Generator, manualSeed, rand, randint, randn, randperm } from '../src/random/index.js'
import { Scope } from '../src/runs/scope.js'
import type { Cases } from './helpers/cases.js'
import { golden } from './helpers/golden.js'

const rng: Cases = golden('rng.json')
const more: Cases = golden('rng-more.json')
const seeded = (seed: string | number) => new Generator(BigInt(seed))
const exactly = (values: number[]) => Float32Array.from(values)

describe.each(rng.torch)('PyTorch stream, seed $seed', want => {
  it('random 63 bits', () => {
    const g = seeded(want.seed)
    expect(want.random_int64.map(() => String(g.randomInt64()))).toEqual(want.random_int64)
  })
  it('uniform', () => {
    expect(seeded(want.seed).uniform_(new Float32Array(want.rand.length))).toEqual(exactly(want.rand))
    expect([...seeded(want.seed).uniform_(new Float64Array(want.rand64.length))]).toEqual(want.rand64)
  })
  it('uniform within bounds is fused', () => {
    const bound = 1 / Math.sqrt(2)
    const out = seeded(want.seed).uniform_(new Float32Array(want.uniform_m07_07.length), -bound, bound)
    expect(out).toEqual(exactly(want.uniform_m07_07))
  })
  it('randint and randperm', () => {
    expect([...seeded(want.seed).randint(-5, 100, want.randint_m5_100.length)]).toEqual(want.randint_m5_100)
    expect([...seeded(want.seed).randperm(10)]).toEqual(want.randperm_10)
    expect([...seeded(want.seed).randperm(100)]).toEqual(want.randperm_100)
  })
  it.each(Object.keys(want.normal_mean03_std2))('normal %s', key => {
    const [n, dtype] = key.split('_')
    const out = dtype === 'float32' ? new Float32Array(+n) : new Float64Array(+n)
    expect([...seeded(want.seed).normal_(out, 0.3, 2)].map(Math.fround)).toEqual(
      want.normal_mean03_std2[key].map(Math.fround),
    )
    if (dtype === 'float64') {
      out.forEach((x, i) => void expect(Math.abs(x / want.normal_mean03_std2[key][i] - 1)).toBeLessThan(4e-16))
    }
  })
  it('bernoulli: many at once are each compared with a float64 uniform, whatever the probability', () => {
    for (const p of [0, 2 ** -53, 1e-9, 0.2, 1 / 3, 0.5, 1 - 2 ** -53, 1]) {
      const [many, one] = [seeded(want.seed), seeded(want.seed)]
      const uniform = one.uniform_(new Float64Array(1500))
      expect([...many.bernoulli_(new Int32Array(1500), p)]).toEqual(Array.from(uniform, u => (u < p ? 1 : 0)))
      expect(many.bernoulli_(new Float32Array(1))).toEqual(one.bernoulli_(new Float32Array(1)))
    }
  })

  it('bernoulli, and dropout through it', () => {
    for (const type of [Float32Array, Float64Array, Int32Array]) {
      expect([...seeded(want.seed).bernoulli_(new type(24), 0.7)]).toEqual(want.bernoulli_07)
    }
    const scale = Math.fround(1 / Math.fround(0.7))
    const mask = seeded(want.seed).bernoulli_(new Float32Array(24), 1 - 0.3)
    expect(mask.map(kept => kept * scale)).toEqual(exactly(want.dropout_03_ones24))
  })
  it('the draws of a linear layer', () => {
    const g = seeded(want.seed)
    const gain = Math.sqrt(2 / (1 + Math.sqrt(5) ** 2))
    const [w, b] = [Math.sqrt(3) * (gain / Math.sqrt(3)), 1 / Math.sqrt(3)]
    expect(g.uniform_(new Float32Array(15), -w, w)).toEqual(exactly(want.linear_3_5.weight.flat()))
    expect(g.uniform_(new Float32Array(5), -b, b)).toEqual(exactly(want.linear_3_5.bias))
  })
})

describe('PyTorch stream beyond one kind of draw', () => {
  it.each(more.seeds)('seed $seed wraps modulo 2^64, its low 32 bits count', want => {
    const g = seeded(want.seed)
    expect(String(g.initialSeed())).toBe(want.initial_seed)
    expect([...g.randperm(8)]).toEqual(want.randperm_8)
    const low = new Generator(BigInt.asUintN(32, BigInt(want.seed)))
    expect(low.randperm(8)).toEqual(new Generator(BigInt(want.seed)).randperm(8))
  })

  it.each(more.mixed)('mixed draws keep the second normal, seed $seed', want => {
    const g = seeded(want.seed)
    expect(g.normal_(new Float32Array(3))).toEqual(exactly(want.normal3_f32))
    expect([...g.bernoulli_(new Float32Array(5), 0.5)]).toEqual(want.bernoulli_05)
    expect(g.normal_(new Float32Array(20))).toEqual(exactly(want.normal20_f32))
    expect([...g.normal_(new Float64Array(2))]).toEqual(want.normal2_f64)
    expect([...g.randperm(700)]).toEqual(want.randperm_700)
    expect([...g.normal_(new Float64Array(1), 5, 0.5)]).toEqual(want.normal1_f64)
    expect(createHash('sha256').update(g.getState()).digest('hex')).toBe(want.state_sha256)
    expect([...g.normal_(new Float64Array(2))]).toEqual(want.after.normal2_f64)
    expect(String(g.randomInt64())).toBe(want.after.int64)
  })

  it.each(more.integers)('integers of every range, seed $seed', want => {
    const g = seeded(want.seed)
    expect([...g.random_(new Int32Array(6))]).toEqual(want.full.i32)
    expect([...g.random_(new Float32Array(6))]).toEqual(want.full.f32)
    expect([...g.random_(new Float64Array(6))]).toEqual(want.full.f64)
    for (const { low, high, values } of want.bounded) {
      const again = new Generator().setState(g.getState())
      expect([...g.randint(low, high, values.length)]).toEqual(values)
      expect([...again.random_(new Float64Array(values.length), low, high)]).toEqual(values)
    }
  })

  it('a seed drops the kept normal', () => {
    const g = new Generator(1)
    const first = g.normal_(new Float64Array(1))
    expect(g.manualSeed(1).normal_(new Float64Array(1))).toEqual(first)
  })

  it('seed() is different each time and reported', () => {
    const g = new Generator()
    expect(g.initialSeed()).toBe(67280421310721n)
    const [a, b] = [g.seed(), g.seed()]
    expect(a).not.toBe(b)
    expect(g.initialSeed()).toBe(b)
    expect(b).toBeLessThan(2n ** 53n)
  })

  it('empty fills draw nothing', () => {
    const g = new Generator(0)
    g.uniform_(new Float32Array(0))
    g.normal_(new Float64Array(0))
    g.randperm(0)
    g.randperm(1)
    expect(g.random64()).toBe(new Generator(0).random64())
  })
})

describe('states', () => {
  it('a state of PyTorch goes on as there', () => {
    const want = more.mixed.find(m => m.state_base64)!
    const g = new Generator().setState(Buffer.from(want.state_base64, 'base64'))
    expect(g.initialSeed()).toBe(3n)
    expect([...g.normal_(new Float64Array(2))]).toEqual(want.after.normal2_f64)
    expect(String(g.randomInt64())).toBe(want.after.int64)
  })

  it.each([0, 1, 2, 623, 624, 625, 1248])('round trip after %i words', n => {
    const g = new Generator(7)
    g.uniform_(new Float32Array(n))
    g.normal_(new Float32Array(1))
    const copy = new Generator().setState(structuredClone(g.getState()))
    expect(copy.getState()).toEqual(g.getState())
    const [a, b] = [g, copy].map(x => [x.normal_(new Float32Array(40)), x.normal_(new Float64Array(3)), x.random64()])
    expect(a).toEqual(b)
  })

  it('refuses what is no state and stays as it was', () => {
    const g = new Generator(5)
    const good = g.getState()
    const broken = (at: number, value: number) => Uint8Array.from(good, (byte, i) => (i === at ? value : byte))
    const states = [
      new Uint8Array(10),
      new Uint8Array(5056),
      broken(12, 0),
      broken(8, 9),
      broken(17, 77),
      broken(28, 1),
    ]
    for (const state of states) expect(() => g.setState(state)).toThrow(expect.objectContaining({ code: 'ERR_STATE' }))
    for (const state of [null, undefined, 'x', {}, [...good], new Float32Array(5056)]) {
      expect(() => g.setState(state as never)).toThrow(TypeError)
    }
    expect(g.getState()).toEqual(good)
  })
})

/** The shuffle that randperm is, with one draw of `randint` per element. */
function shuffled(g: Generator, n: number): number[] {
  const order = Array.from({ length: n }, (_, i) => i)
  for (let i = 0; i < n - 1; i++) {
    const j = i + g.randint(0, n - i, 1)[0]
    ;[order[i], order[j]] = [order[j], order[i]]
  }
  return order
}

describe('permutations', () => {
  it.each([1, 2, 3, 720, 1024, 1025, 3000])('of %i are shuffles of as many draws', n => {
    const [a, b] = [new Generator(n), new Generator(n)]
    expect([...a.randperm(n)]).toEqual(shuffled(b, n))
    expect(a.getState()).toEqual(b.getState())
  })

  // Coming seeds are foreseen where epochs draw alike: right must be also what was not foreseen.
  it.each<[string, (epoch: number) => number]>([
    ['as epochs draw', () => 1],
    ['with nothing between', () => 0],
    ['with more between, now and then', epoch => 1 + (epoch % 5 === 3 ? 2 : 0)],
    ['from a state put back, now and then', epoch => (epoch % 7 === 4 ? -1 : 1)],
  ])('from seeds of another stream %s', (_, between) => {
    const [a, b] = [new Generator(3), new Generator(3)]
    let kept = a.getState()
    for (let epoch = 0; epoch < 200; epoch++) {
      const skipped = between(epoch)
      if (skipped < 0) for (const g of [a, b]) g.setState(kept)
      for (let i = 1; i < skipped; i++) for (const g of [a, b]) g.random64()
      if (skipped > 0) b.random64()
      const got = new Int32Array(20)
      if (skipped > 0) a.permuteEpochs(got, 20, 0, 1)
      else a.permuteSeeded(got)
      if (epoch % 3 === 0) kept = b.getState()
      expect([...got]).toEqual([...new Generator(b.random64()).randperm(20)])
    }
    expect(a.getState()).toEqual(b.getState())
  })
})

describe('orders of several epochs', () => {
  it.each([
    [20, 20, 9],
    [20, 16, 5],
    [1500, 1490, 12],
  ])('of %i samples, %i apart, are those of one after the other', (n, stride, count) => {
    const [a, b] = [new Generator(3), new Generator(3)]
    const [table, one] = [new Int32Array(stride * (count - 1) + n), new Int32Array(n)]
    a.permuteEpochs(table, n, stride, count)
    for (let epoch = 0; epoch < count; epoch++) {
      b.permuteEpochs(one, n, 0, 1)
      const end = epoch < count - 1 ? stride : n
      expect([...table.subarray(epoch * stride, epoch * stride + end)]).toEqual([...one.subarray(0, end)])
    }
    expect(a.getState()).toEqual(b.getState())
  })

  it('are refused where they do not fit', () => {
    const fails = (length: number, n: number, stride: number, count: number) =>
      expect(() => new Generator(0).permuteEpochs(new Int32Array(length), n, stride, count)).toThrow(RangeError)
    fails(19, 20, 0, 1)
    fails(40, 20, 21, 2)
    fails(40, 20, 2 ** 31 - 1, 2 ** 31 - 1)
    fails(40, 20, -1, 2)
  })
})

describe('holding a generator', () => {
  const busy = expect.objectContaining({ code: 'ERR_BUSY' })

  it('keeps others from drawing, and lets the holder draw', () => {
    const [g, fit] = [new Generator(0), new Scope()]
    g.acquire(fit)
    const uses = [
      () => g.random64(),
      () => g.uniform_(new Float32Array(1)),
      () => g.normal_(new Float32Array(1)),
      () => g.bernoulli_(new Float32Array(1)),
      () => g.random_(new Int32Array(1)),
      () => g.randint(0, 2, 1),
      () => g.randperm(2),
      () => g.manualSeed(0),
      () => g.seed(),
      () => g.getState(),
      () => g.setState(new Generator().getState()),
      () => g.acquire(new Scope()),
      () => new Scope().run(() => g.random64()),
    ]
    for (const use of uses) expect(use).toThrow(busy)
    g.release(new Scope())
    expect(uses[0]).toThrow(busy)
    expect(fit.run(() => g.randomInt64())).toBe(new Generator(0).randomInt64())
    expect(() =>
      fit.run(() => {
        throw new Error('inside')
      }),
    ).toThrow('inside')
    expect(uses[0]).toThrow(busy)
    g.release(fit)
    expect(g.random64()).toBeTypeOf('bigint')
  })
})

describe('refused arguments', () => {
  const g = new Generator(0)
  const f = new Float32Array(2)
  it.each([NaN, Infinity, 1.5, 2 ** 60])('seed %s: RangeError', seed => {
    expect(() => g.manualSeed(seed)).toThrow(expect.objectContaining({ name: 'RangeError', code: 'ERR_ARG_VALUE' }))
  })
  it.each([['5'], [null], [{}], [Symbol('s')], [true]])('seed %s: TypeError', seed => {
    expect(() => g.manualSeed(seed as never)).toThrow(
      expect.objectContaining({ name: 'TypeError', code: 'ERR_ARG_TYPE' }),
    )
  })
  it.each<[string, () => unknown]>([
    ['randperm(-1)', () => g.randperm(-1)],
    ['randperm(2^31)', () => g.randperm(2 ** 31)],
    ['randperm(1.5)', () => g.randperm(1.5)],
    ['randint(5, 5)', () => g.randint(5, 5, 1)],
    ['randint beyond int32', () => g.randint(0, 2 ** 40, 1)],
    ['randint n', () => g.randint(0, 2, -1)],
    ['random_ beyond float32', () => g.random_(f, 0, 2 ** 25)],
    ['uniform_ reversed', () => g.uniform_(f, 2, 1)],
    ['uniform_ NaN', () => g.uniform_(f, NaN, 1)],
    ['uniform_ too wide', () => g.uniform_(f, -3e38, 3e38)],
    ['normal_ negative std', () => g.normal_(f, 0, -1)],
    ['bernoulli_ p', () => g.bernoulli_(f, 1.5)],
  ])('%s: RangeError', (_, call) => {
    expect(call).toThrow(expect.objectContaining({ name: 'RangeError', code: 'ERR_ARG_VALUE' }))
  })
  it.each<[string, () => unknown]>([
    ['random_ with one bound', () => g.random_(f, 3)],
    ['randperm of a string', () => g.randperm('3' as never)],
    ['uniform_ into an Int32Array', () => g.uniform_(new Int32Array(2) as never)],
    ['normal_ into an array', () => g.normal_([0] as never)],
    ['bernoulli_ into a DataView', () => g.bernoulli_(new DataView(new ArrayBuffer(8)) as never)],
    ['rand without a shape', () => rand(3 as never)],
    ['rand with an unknown option', () => rand([2], { seed: 1 } as never)],
    ['rand with another generator', () => rand([2], { generator: {} as never })],
  ])('%s: TypeError', (_, call) => {
    expect(call).toThrow(expect.objectContaining({ name: 'TypeError', code: 'ERR_ARG_TYPE' }))
  })
  it('leaves the stream where it was', () => expect(g.random64()).toBe(new Generator(0).random64()))
  it('fills of a detached buffer do nothing', () => {
    const detached = new Float32Array(4)
    structuredClone(detached.buffer, { transfer: [detached.buffer] })
    expect(new Generator(0).uniform_(detached).length).toBe(0)
  })
})

describe('tensors', () => {
  it('come from the default generator', () => {
    const want = rng.torch[0]
    expect(manualSeed(0)).toBe(defaultGenerator)
    const x = rand([2, 3], { requiresGrad: true })
    expect([x.shape, x.dtype, x.requiresGrad, x.data]).toEqual([[2, 3], 'float32', true, exactly(want.rand)])
    manualSeed(0)
    expect([...randint(-5, 100, [3, 4]).data]).toEqual(want.randint_m5_100)
    manualSeed(0)
    expect(randperm(10).toArray()).toEqual(want.randperm_10)
    expect(randperm(10).dtype).toBe('int32')
  })
  it('or from a generator of their own', () => {
    const fresh = () => ({ generator: new Generator(4) })
    expect(randn([5, 7], fresh()).data).toEqual(fresh().generator.normal_(new Float32Array(35)))
    expect(randint(0, 9, [0, 3], fresh()).shape).toEqual([0, 3])
  })
  it.each([[[-1]], [[1.5]], [[2 ** 20, 2 ** 20]], [[NaN]]])('shape %j: RangeError', shape => {
    expect(() => rand(shape)).toThrow(RangeError)
  })
})
