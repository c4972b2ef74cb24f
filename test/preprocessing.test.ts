/** Transformers against scikit-learn 1.9 in random cases, their JSON, and what they refuse. */
import { describe, expect, it } from 'vitest'
import * as preprocessing from '../src/preprocessing/index.js'
import { type Tensor, tensor } from '../src/tensor/index.js'
import { golden } from './helpers/golden.js'

const { cases, labels, columns } = golden('preprocessing.json')
const { ColumnTransformer, LabelEncoder, makePipeline, MinMaxScaler, OneHotEncoder, OrdinalEncoder } = preprocessing
const { RobustScaler, SimpleImputer, StandardScaler } = preprocessing

// biome-ignore lint/suspicious/noExplicitAny: a case has what its transformer has.
type Case = any
const CLASSES = { StandardScaler, MinMaxScaler, RobustScaler, SimpleImputer, OneHotEncoder, OrdinalEncoder }
type Fittable = InstanceType<typeof StandardScaler>

/** Statistics as the fixture stores them, by kind; a missing value is null. */
function expectLearned(got: unknown, want: unknown, label: string): void {
  if (ArrayBuffer.isView(got) || Array.isArray(got)) {
    const values = Array.from(got as ArrayLike<unknown>)
    const wanted = want as unknown[]
    expect(wanted.length, label).toBe(values.length)
    values.forEach((value, i) => void expectLearned(value, wanted[i], `${label}[${i}]`))
  } else if (typeof got === 'number' && typeof want === 'number') {
    expect(Math.abs(got - want), `${label}: ${got}, want ${want}`).toBeLessThanOrEqual(1e-12 * Math.abs(want))
  } else expect(Number.isNaN(got) ? null : got, label).toBe(want === 'inf' ? Infinity : want)
}

function expectOutput(got: Tensor, want: { shape: number[]; f32: string }, label: string): void {
  expect(got.shape, label).toEqual(want.shape)
  const bytes = Buffer.from(want.f32, 'base64')
  expect(got.data, label).toEqual(
    new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)),
  )
}

function make({ kind, options }: Case): Fittable {
  const { missingValues, unknownValue } = options
  const given = { ...options }
  if (missingValues === null) given.missingValues = NaN
  if (unknownValue === null) given.unknownValue = NaN
  if (kind === 'imputedText') return makePipeline(new SimpleImputer(given), new OrdinalEncoder()) as never
  return new CLASSES[kind as 'StandardScaler'](given)
}

function fitted(row: Case): Fittable {
  const t = make(row)
  if (!row.parts) return t.fit(row.X, row.weights && { sampleWeight: row.weights })
  let at = 0
  for (const n of row.parts) {
    const weights = row.weights && { sampleWeight: row.weights.slice(at, at + n) }
    t.partialFit(row.X.slice(at, at + n), weights)
    at += n
  }
  return t
}

const camel = (key: string) => key.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase())
const nan = (rows: unknown[][]) => rows.map(row => row.map(x => (typeof x === 'number' && Number.isNaN(x) ? null : x)))

function check(row: Case, label: string): void {
  if (!row.fits) return void expect(() => fitted(row), label).toThrow()
  const t = fitted(row)
  const state = row.kind === 'imputedText' ? (t as never as { steps: Fittable[] }).steps[0] : t
  for (const [field, want] of Object.entries(row.learned))
    expectLearned(state[camel(field) as 'mean'], want, `${label} ${field}`)
  if (row.names) expect(t.getFeatureNamesOut(), label).toEqual(row.names)
  if (row.y === null) return void expect(() => t.transform(row.T), label).toThrow()
  const y = t.transform(row.T)
  expectOutput(y, row.y, label)
  const again = preprocessing.fromJSON(JSON.parse(JSON.stringify(t))) as Fittable
  expect(again.transform(row.T), label).toEqual(y)
  if (row.back === null) expect(() => t.inverseTransform(y), label).toThrow()
  else if (Array.isArray(row.back)) expect(nan(t.inverseTransform(y) as never), label).toEqual(row.back)
  else if (row.back) expectOutput(t.inverseTransform(y), row.back, label)
}

describe('scikit-learn', () => {
  const kinds = [...new Set<string>(cases.map((row: Case) => row.kind))]
  it.each(kinds)('%s', kind => {
    cases.forEach((row: Case, i: number) => {
      if (row.kind === kind) check(row, `case ${i} ${JSON.stringify(row.options)}`)
    })
  })
  it('LabelEncoder', () => {
    for (const { y, T, classes, codes } of labels) {
      const encoder = new LabelEncoder().fit(y)
      expect(Array.from(encoder.classes!)).toEqual(classes)
      expect(encoder.inverseTransform(encoder.transform(y))).toEqual(y)
      const again = preprocessing.fromJSON(JSON.parse(JSON.stringify(encoder))) as typeof encoder
      if (codes) expect([...again.transform(T).data]).toEqual(codes)
      else expect(() => encoder.transform(T)).toThrow(expect.objectContaining({ code: 'ERR_LABEL_RANGE' }))
    }
  })
  it('ColumnTransformer and pipelines', () => {
    columns.forEach(({ X, T, one, two, remainder, y, names }: Case, i: number) => {
      const groups = [
        ['a', makePipeline(new SimpleImputer(), new StandardScaler()), one],
        ['b', new MinMaxScaler(), two],
      ] as const
      const t = new ColumnTransformer(groups, { remainder }).fit(X)
      expectOutput(t.transform(T), y, `case ${i}`)
      expect(t.getFeatureNamesOut()).toEqual(names)
      const again = preprocessing.fromJSON(JSON.parse(JSON.stringify(t))) as typeof t
      expectOutput(again.transform(T), y, `case ${i} from JSON`)
    })
  })
})

describe('transformers', () => {
  const X = [
    [1, 10],
    [2, 20],
    [3, 40],
  ]
  it('take a Tensor, a table and nested arrays', () => {
    const table = { rows: 3, names: ['a', 'b'], column: (name: string) => X.map(row => row[name === 'a' ? 0 : 1]) }
    const want = new StandardScaler().fitTransform(X)
    expect(new StandardScaler().fitTransform(tensor(X))).toEqual(want)
    const scaler = new StandardScaler().fit(table)
    expect(scaler.transform(table).data).toEqual(want.data)
    expect(scaler.getFeatureNamesOut()).toEqual(['a', 'b'])
    expect(() => scaler.transform({ ...table, names: ['b', 'a'] })).toThrow(
      "column 0 to be 'a' as in fit but received 'b'",
    )
  })
  it('keep float64 between the steps of a pipeline', () => {
    const far = [[1e9 + 1], [1e9 + 2], [1e9 + 3]]
    const both = makePipeline(new MinMaxScaler({ featureRange: [1e9, 1e9 + 1] }), new StandardScaler())
    expect(both.fitTransform(far)).toEqual(new StandardScaler().fitTransform(far))
    expect(both.inverseTransform(both.transform(far))).toEqual(tensor(far))
  })
  it('give a tensor for each group of columns, from a table whose columns come in another order', () => {
    const columns: Record<string, (number | string | null)[]> = {
      age: [20, null, 40],
      city: ['Rome', 'Bern', null],
      note: ['x', 'y', 'z'],
      job: ['b', 'a', 'b'],
    }
    const table = (names: string[]) => ({ rows: 3, names, column: (name: string) => columns[name] })
    const prepare = new ColumnTransformer([
      ['numbers', makePipeline(new SimpleImputer(), new StandardScaler({ withStd: false })), ['age']],
      ['codes', new OrdinalEncoder({ dtype: 'int32', encodedMissingValue: 2 }), ['city', 'job']],
    ]).fit(table(['note', 'age', 'city', 'job']))
    const [numbers, codes] = prepare.transformTensors(table(['job', 'city', 'age']))
    expect([numbers.dtype, numbers.toArray()]).toEqual(['float32', [[-10], [0], [10]]])
    expect([codes.dtype, codes.toArray()]).toEqual(['int32', [[1, 1], [0, 0], [2, 1]]]) // biome-ignore format: rows
    const again = preprocessing.fromJSON(JSON.parse(JSON.stringify(prepare))) as typeof prepare
    expect(again.transformTensors(table(['age', 'job', 'city']))).toEqual([numbers, codes])
    expect(prepare.transform(table(['age', 'city', 'job'])).dtype).toBe('float32')
    expect(prepare.getFeatureNamesOut()).toEqual(['numbers__age', 'codes__city', 'codes__job'])
    expect(() => prepare.transform(table(['age', 'city']))).toThrow("column 'job' as in fit")
  })
  it('fit copies of the transformers of a ColumnTransformer', () => {
    const scaler = new StandardScaler()
    const both = new ColumnTransformer([
      ['a', scaler, 0],
      ['b', scaler, [false, true]],
    ]).fit(X)
    expect(scaler.nFeaturesIn).toBeNull()
    expect((both.namedTransformers.b as typeof scaler).mean).toEqual(Float64Array.of(70 / 3))
    expect(both.transform(X)).toEqual(new StandardScaler().fitTransform(X))
  })
  it('sort text by code points', () => {
    const encoder = new LabelEncoder().fit(['\u{1f600}', '\uff5e', 'z'])
    expect(encoder.classes).toEqual(['z', '\uff5e', '\u{1f600}'])
  })
})

describe('what is refused', () => {
  const scaler = new StandardScaler().fit([[1, 2], [3, 4]]) // biome-ignore format: rows
  it.each<[string, () => unknown, string, string]>([
    ['one dimension', () => scaler.transform([1, 2] as never), 'ERR_SHAPE', 'add a dimension'],
    ['a flat tensor', () => scaler.transform(tensor([1, 2])), 'ERR_SHAPE', 'add a dimension'],
    ['ragged rows', () => scaler.fit([[1, 2], [3]]), 'ERR_SHAPE', '1 in row 1'],
    ['other columns', () => scaler.transform([[1]]), 'ERR_SHAPE', '2 columns as in fit but received 1'],
    ['no rows', () => scaler.fit([]), 'ERR_EMPTY', 'at least one row'],
    ['no fit', () => new StandardScaler().transform([[1]]), 'ERR_STATE', 'fit to be called first'],
    ['text', () => scaler.transform([[1, 'x']]), 'ERR_ARG_TYPE', 'numbers in column 1 (row 0) but received "x"'],
    ['infinity', () => scaler.transform([[1, Infinity]]), 'ERR_NONFINITE', 'column 1 (row 0)'],
    ['an object', () => scaler.fit({} as never), 'ERR_ARG_TYPE', 'X to be a Tensor, a table or nested arrays'],
    ['a date', () => new OneHotEncoder().fit([[new Date() as never]]), 'ERR_ARG_TYPE', 'row 0 of column 0'],
    ['text and numbers', () => new OneHotEncoder().fit([['a'], [1]]), 'ERR_ARG_TYPE', 'values of one type'],
    ['an unknown category', () => new OneHotEncoder().fit([['a']]).transform([['b']]), 'ERR_LABEL_RANGE', '"b"'],
    [
      'text left over',
      () => new SimpleImputer({ strategy: 'mostFrequent' }).fitTransform([['a']]),
      'ERR_ARG_TYPE',
      'OneHot',
    ],
    ['a misspelt option', () => new StandardScaler({ withmean: true } as never), 'ERR_ARG_TYPE', 'withMean'],
    ['weights below 0', () => scaler.fit([[1]], { sampleWeight: [-1] }), 'ERR_ARG_VALUE', 'sampleWeight[0]'],
    ['a code that is none', () => new LabelEncoder().fit(['a']).inverseTransform([1]), 'ERR_LABEL_RANGE', 'codes[0]'],
    [
      'an unknown class',
      () => preprocessing.fromJSON({ transformer: 'x', options: {}, state: null }),
      'ERR_STATE',
      'x',
    ],
    ['no JSON of one', () => preprocessing.fromJSON([] as never), 'ERR_ARG_TYPE', 'what toJSON gives'],
    ['a function in JSON', () => new SimpleImputer({ strategy: () => 1 }).toJSON(), 'ERR_STATE', 'without functions'],
    [
      'columns by name of arrays',
      () => new ColumnTransformer([['a', scaler, 'x']]).fit([[1]]),
      'ERR_ARG_TYPE',
      'a table',
    ],
    [
      'a column that is not there',
      () => new ColumnTransformer([['a', scaler, 3]]).fit([[1]]),
      'ERR_ARG_VALUE',
      '0 to 0',
    ],
    [
      'a name twice',
      () =>
        new ColumnTransformer([
          ['a', 'drop', 0],
          ['a', 'drop', 0],
        ]),
      'ERR_ARG_VALUE',
      'once',
    ],
    ['no steps', () => makePipeline(), 'ERR_ARG_TYPE', 'at least one transformer'],
  ])('%s', (_, run, code, text) => {
    expect(run).toThrow(expect.objectContaining({ code, message: expect.stringContaining(text) }))
  })
  it('in states that were changed', () => {
    for (const change of [{ mean: 1 }, { mean: { float64: [1] } }, { nFeaturesIn: 0 }, { featureNamesIn: 'ab' }]) {
      const json = scaler.toJSON()
      const state = { ...json.state, ...change }
      expect(() => preprocessing.fromJSON({ ...json, state })).toThrow(expect.objectContaining({ code: 'ERR_STATE' }))
    }
  })
  it('and leaves what was learned', () => {
    const mean = scaler.mean
    expect(() => scaler.fit([[1, 2], [3, Infinity]])).toThrow() // biome-ignore format: rows
    expect(() => scaler.partialFit([[1]])).toThrow()
    expect(scaler.mean).toBe(mean)
  })
})
