/** NumPy's stream: every fixture of rng.json and rng-more.json, states, refused arguments. */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { Generator, RandomState } from '../src/random/index.js'
import type { Cases } from './helpers/cases.js'
import { golden } from './helpers/golden.js'

const rng: Cases = golden('rng.json')
const more: Cases = golden('rng-more.json')

function near(got: ArrayLike<number>, want: number[], tolerance: number) {
  expect(got.length).toBe(want.length)
  want.forEach(
    (value, i) => void expect(Math.abs(got[i] - value)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(value))),
  )
}

describe.each(rng.numpy)('NumPy stream, seed $seed', want => {
  const rs = () => new RandomState(want.seed)
  it('words are those of the PyTorch stream', () => {
    const stream = new Generator(want.seed)
    const words = Array.from({ length: 350 }, () => stream.random64()).flatMap(x => [
      Number(x >> 32n),
      Number(x & 0xffffffffn),
    ])
    expect(want.u32_positions.map((i: number) => words[i])).toEqual(want.u32)
  })
  it('uniform', () => {
    expect([...rs().rand(6)]).toEqual(want.rand)
    expect([...rs().uniform(-3, 2.5, want.uniform_m3_25.length)]).toEqual(want.uniform_m3_25)
  })
  it('normal', () => {
    near(rs().randn(want.randn.length), want.randn, 3e-16)
    near(rs().normal(1.5, 0.25, want.normal_15_025.length), want.normal_15_025, 3e-16)
  })
  it('integers, permutations, choices', () => {
    expect([...rs().randint(3, 1003, want.randint_3_1003.length)]).toEqual(want.randint_3_1003)
    expect([...rs().permutation(10)]).toEqual(want.permutation_10)
    expect([...rs().permutation(37)]).toEqual(want.permutation_37)
    expect([...rs().choice(50, 10, { replace: false })]).toEqual(want.choice_10_of_50_no_replace)
    const list = Array.from({ length: 37 }, (_, i) => `row ${i}`)
    expect(rs().permutation(list)).toEqual(want.permutation_37.map((i: number) => `row ${i}`))
    const shuffled = Float64Array.from({ length: 37 }, (_, i) => i)
    rs().shuffle(shuffled)
    expect([...shuffled]).toEqual(want.permutation_37)
  })
  it.each(want.mvn as Cases[string])('multivariate normal, covariance $cov', ({ mean, cov, n, values }) => {
    near(rs().multivariateNormal(mean, cov, n), values.flat(), cov[0][1] === 0 ? 3e-16 : 4e-15)
  })
  it('refuses a covariance of three dimensions that is not diagonal', () => {
    const { mean, cov, n } = want.mvn3
    expect(() => rs().multivariateNormal(mean, cov, n)).toThrow('cov to be diagonal in more than 2 dimensions')
  })
})

describe('NumPy stream beyond one kind of draw', () => {
  it.each(rng.numpy_array_seed)('array seed $key', ({ key, rand }) => {
    expect([...new RandomState(key).rand(rand.length)]).toEqual(rand)
    expect([...new RandomState(Uint32Array.from(key)).rand(rand.length)]).toEqual(rand)
  })

  it.each(more.numpy)('mixed draws keep the second normal, seed $seed', want => {
    const rs = new RandomState(want.seed)
    near(rs.randn(3), want.randn3, 3e-16)
    expect([...rs.randint(0, 1000, 2)]).toEqual(want.randint2)
    near(rs.normal(2, 3, 2), want.normal2, 3e-16)
    expect([...rs.permutation(9)]).toEqual(want.shuffle9)
    expect([...rs.choice(50, 6)]).toEqual(want.choice_replace)
    expect([...rs.randint(-(2 ** 31), 2 ** 31, 3)]).toEqual(want.randint_wide)
    near([rs.rand(), rs.randn()], want.scalar, 3e-16)
    near(
      rs.multivariateNormal(
        [1, 2, 3],
        [
          [2, 0, 0],
          [0, 1, 0],
          [0, 0, 1],
        ],
        3,
      ),
      want.mvn_diag3.flat(),
      4e-16,
    )
    near(rs.multivariateNormal([1], [[4]], 2), want.mvn_diag1.flat(), 4e-16)
    const { words, position, keptNormal } = rs.getState()
    expect(createHash('sha256').update(words).digest('hex')).toBe(want.state.sha256)
    expect(position).toBe(want.state.position)
    expect(keptNormal === null).toBe(want.state.kept === null)
  })

  it('a seed drops the kept normal; single values equal arrays', () => {
    const rs = new RandomState(1)
    const first = rs.randn()
    rs.seed(1)
    expect([rs.randn(), rs.normal(), rs.uniform(), rs.randint(0, 9)]).toEqual([
      first,
      new RandomState(1).randn(2)[1],
      ...(() => {
        const other = new RandomState(1)
        other.randn(2)
        return [other.rand(), other.randint(0, 9, 1)[0]]
      })(),
    ])
  })

  it('states go round', () => {
    const rs = new RandomState(9)
    rs.rand(1000)
    rs.randn()
    const copy = new RandomState()
    copy.setState(structuredClone(rs.getState()))
    expect([copy.randn(5), copy.rand(700)]).toEqual([rs.randn(5), rs.rand(700)])
  })

  it('without a seed two streams differ', () => {
    expect(new RandomState().rand(4)).not.toEqual(new RandomState(null).rand(4))
  })
})

describe('refused arguments', () => {
  const rs = new RandomState(0)
  const identity = [
    [1, 0],
    [0, 1],
  ]
  it.each<[string, () => unknown]>([
    ['seed -1', () => rs.seed(-1)],
    ['seed 2^32', () => rs.seed(2 ** 32)],
    ['seed NaN', () => rs.seed(NaN)],
    ['a fraction in an array seed', () => rs.seed([1.5])],
    ['n', () => rs.rand(-1)],
    ['huge n', () => rs.randn(2 ** 31)],
    ['infinite bound', () => rs.uniform(0, Infinity, 1)],
    ['overflowing width', () => rs.uniform(-1e308, 1e308, 1)],
    ['std', () => rs.normal(0, -1, 1)],
    ['empty range', () => rs.randint(3, 3, 1)],
    ['permutation', () => rs.permutation(-1)],
    ['more than there are', () => rs.choice(3, 4, { replace: false })],
    ['choice of nothing', () => rs.choice([], 1)],
    ['covariance of another size', () => rs.multivariateNormal([0, 0, 0], identity, 1)],
    [
      'asymmetric covariance',
      () =>
        rs.multivariateNormal(
          [0, 0],
          [
            [1, 0.5],
            [0, 1],
          ],
          1,
        ),
    ],
    [
      'negative variance',
      () =>
        rs.multivariateNormal(
          [0, 0],
          [
            [1, 0],
            [0, -1],
          ],
          1,
        ),
    ],
    [
      'correlation above 1',
      () =>
        rs.multivariateNormal(
          [0, 0],
          [
            [1, 2],
            [2, 1],
          ],
          1,
        ),
    ],
    ['huge sample', () => rs.multivariateNormal([0, 0], identity, 2 ** 31)],
  ])('%s: RangeError', (_, call) => {
    expect(call).toThrow(expect.objectContaining({ name: 'RangeError', code: 'ERR_ARG_VALUE' }))
  })
  it.each<[string, () => unknown]>([
    ['a string as seed', () => rs.seed('1' as never)],
    ['an empty array seed', () => rs.seed([])],
    ['a bigint as seed', () => rs.seed(1n as never)],
    ['permutation of an object', () => rs.permutation({} as never)],
    ['shuffle of a number', () => rs.shuffle(3 as never)],
    ['choice of a string', () => rs.choice('abc' as never, 1)],
    ['an unknown option', () => rs.choice(3, 1, { p: [1] } as never)],
    ['a flat covariance', () => rs.multivariateNormal([0, 0], [1, 0, 0, 1] as never, 1)],
  ])('%s: TypeError', (_, call) => {
    expect(call).toThrow(expect.objectContaining({ name: 'TypeError', code: 'ERR_ARG_TYPE' }))
  })
  it.each([null, {}, { words: new Uint32Array(3), position: 0, keptNormal: null }])('state %j: ERR_STATE', state => {
    expect(() => rs.setState(state as never)).toThrow(expect.objectContaining({ code: 'ERR_STATE' }))
  })
  it('leaves the stream where it was', () => expect(rs.rand()).toBe(new RandomState(0).rand()))
})
