/** Data sets, splits and loaders against scikit-learn and PyTorch, and what they refuse. */
import { describe, expect, it } from 'vitest'
import {
  DataLoader,
  qwerty,
  randomSplit,
  Subset,
  TensorDataset,
  trainTestIndices,
  trainTestSplit,
} from '../src/data/index.js'
import { defaultGenerator, Generator, manualSeed, RandomState } from '../src/random/index.js'
import { Scope } from '../src/runs/scope.js'
import { type Tensor, tensor } from '../src/tensor/index.js'
import type { Cases } from './helpers/cases.js'
import { golden } from './helpers/golden.js'

const rng: Cases = golden('rng.json')
const more: Cases = golden('rng-more.json')
const lectureData = golden('lecture-data.json')
const lecture = golden('lecture.json')

const range = (n: number) => tensor(Int32Array.from({ length: n }, (_, i) => i))
const numbers = (n: number) => new TensorDataset(range(n))
const column = (batch: Tensor[]) => [...batch[0].data]
const epoch = (loader: DataLoader) => Array.from(loader, column)

describe('the lecture', () => {
  const { X, y } = qwerty()
  it('has the same data, bit for bit', () => {
    expect([X.shape, X.dtype, y.shape, y.dtype]).toEqual([[900, 2], 'float32', [900], 'int32'])
    expect(X.data).toEqual(Float32Array.from(lectureData.X))
    expect([...y.data]).toEqual(lectureData.y)
  })
  it('has the same split', () => {
    const rows = trainTestIndices(900, { testSize: 0.2, randomState: 42 })
    expect([...rows.train]).toEqual(lectureData.train_idx)
    expect([...rows.test]).toEqual(lectureData.test_idx)
    const [XTrain, XTest, yTrain, yTest] = trainTestSplit(X, y, { testSize: 0.2, randomState: 42 })
    expect([XTrain.shape, XTest.shape, yTrain.shape, yTest.shape]).toEqual([[720, 2], [180, 2], [720], [180]])
    const point = (i: number) => [lectureData.X[2 * i], lectureData.X[2 * i + 1]].map(Math.fround)
    expect(XTrain.toArray()).toEqual(lectureData.train_idx.map(point))
    expect(XTest.toArray()).toEqual(lectureData.test_idx.map(point))
    expect(yTest.toArray()).toEqual(lectureData.test_idx.map((i: number) => lectureData.y[i]))
    expect(yTrain.dtype).toBe('int32')
  })
  it('has the same batches in all 20 epochs, with the test loader in between', () => {
    manualSeed(0)
    defaultGenerator.uniform_(new Float32Array(16 + 8 + 24 + 3)) // the words of the initialisation
    const train = new DataLoader(numbers(720), { batchSize: 32, shuffle: true })
    const test = new DataLoader(numbers(180), { batchSize: 32 })
    expect([train.length, test.length]).toEqual([23, 6])
    for (const want of lecture.batch_order_epochs) {
      expect(epoch(train).flat()).toEqual(want)
      expect(epoch(test).flat()).toEqual([...range(180).data])
    }
  })
})

describe('trainTestSplit', () => {
  it.each(rng.split)('as scikit-learn: n $n, testSize $test_size, seed $seed', want => {
    const { stratify, test_size: testSize, seed: randomState } = want
    const n = want.n ?? stratify.length
    const got = trainTestIndices(n, { testSize, randomState, stratify })
    expect([...got.train]).toEqual(want.train)
    expect([...got.test]).toEqual(want.test)
    if (stratify) {
      const names = stratify.map((c: number) => 'abc'[c])
      expect(trainTestIndices(n, { testSize, randomState, stratify: names })).toEqual(got)
      expect(trainTestIndices(n, { testSize, randomState, stratify: tensor(stratify, { dtype: 'int32' }) })).toEqual(
        got,
      )
    }
  })
  it.each([
    [{}, 7, 3],
    [{ testSize: 0.35 }, 6, 4],
    [{ trainSize: 0.35 }, 3, 7],
    [{ trainSize: 4 }, 4, 6],
    [{ testSize: 0.2, trainSize: 0.29 }, 2, 2],
    [{ testSize: 1, trainSize: 9 }, 9, 1],
  ])('sizes of 10 rows with %j: %i and %i', (options, train, test) => {
    const got = trainTestIndices(10, { ...options, randomState: 0 })
    expect([got.train.length, got.test.length]).toEqual([train, test])
    expect(new Set([...got.train, ...got.test]).size).toBe(train + test)
  })
  it('without shuffling cuts from the front', () => {
    const got = trainTestIndices(10, { shuffle: false, testSize: 2, trainSize: 5 })
    expect([[...got.train], [...got.test]]).toEqual([
      [0, 1, 2, 3, 4],
      [5, 6],
    ])
  })
  it('goes on with a given stream', () => {
    const rs = new RandomState(3)
    const [a, b] = [0, 1].map(() => trainTestIndices(50, { randomState: rs }))
    expect(a).toEqual(trainTestIndices(50, { randomState: 3 }))
    expect(b).not.toEqual(a)
  })
  it('splits arrays of every kind, one or more', () => {
    const options = { testSize: 2, randomState: 0 }
    const { train, test } = trainTestIndices(10, options)
    const list = Array.from({ length: 10 }, (_, i) => `row ${i}`)
    const [listTrain, listTest, wide] = trainTestSplit(
      list,
      Float64Array.from(list, (_, i) => i / 2),
      options,
    )
    expect(listTrain).toEqual([...train].map(i => list[i]))
    expect(listTest).toEqual([...test].map(i => list[i]))
    expect(wide).toEqual(Float64Array.from(train, i => i / 2))
    expect(trainTestSplit(list, options)).toEqual([listTrain, listTest])
    expect(trainTestSplit(list)[0].length).toBe(7)
  })
  it('keeps proportions of random labels (seed 1)', () => {
    const labels = new Generator(1).randint(0, 5, 1000)
    const { train, test } = trainTestIndices(1000, { testSize: 0.3, stratify: labels })
    const share = (rows: Int32Array, c: number) => rows.filter(i => labels[i] === c).length / rows.length
    expect(new Set([...train, ...test]).size).toBe(1000)
    for (let c = 0; c < 5; c++) expect(Math.abs(share(train, c) - share(test, c))).toBeLessThan(0.005)
  })
  it.each<[string, () => unknown, string]>([
    ['testSize 0', () => trainTestIndices(10, { testSize: 0 }), 'ERR_ARG_VALUE'],
    ['testSize all', () => trainTestIndices(10, { testSize: 10 }), 'ERR_ARG_VALUE'],
    ['testSize 1.5', () => trainTestIndices(10, { testSize: 1.5 }), 'ERR_ARG_VALUE'],
    ['testSize NaN', () => trainTestIndices(10, { testSize: NaN }), 'ERR_ARG_VALUE'],
    ['trainSize -1', () => trainTestIndices(10, { trainSize: -1 }), 'ERR_ARG_VALUE'],
    ['too many together', () => trainTestIndices(10, { testSize: 8, trainSize: 5 }), 'ERR_ARG_VALUE'],
    ['fractions above 1', () => trainTestIndices(10, { testSize: 0.8, trainSize: 0.3 }), 'ERR_ARG_VALUE'],
    ['a string', () => trainTestIndices(10, { testSize: '0.2' as never }), 'ERR_ARG_TYPE'],
    ['an unknown option', () => trainTestIndices(10, { test_size: 0.2 } as never), 'ERR_ARG_TYPE'],
    ['a seed below 0', () => trainTestIndices(10, { randomState: -1 }), 'ERR_ARG_VALUE'],
    ['a seed that is a string', () => trainTestIndices(10, { randomState: 'a' as never }), 'ERR_ARG_TYPE'],
    ['n below 0', () => trainTestIndices(-1), 'ERR_ARG_VALUE'],
    ['nothing to train on', () => trainTestIndices(1), 'ERR_EMPTY'],
    ['no rows', () => trainTestIndices(0), 'ERR_EMPTY'],
    ['stratify unshuffled', () => trainTestIndices(4, { shuffle: false, stratify: [0, 0, 1, 1] }), 'ERR_ARG_VALUE'],
    ['stratify of another length', () => trainTestIndices(4, { stratify: [0, 1] }), 'ERR_SHAPE'],
    ['a class of one', () => trainTestIndices(5, { stratify: [0, 0, 1, 1, 2] }), 'ERR_SHAPE'],
    ['fewer rows than classes', () => trainTestIndices(6, { stratify: [0, 0, 1, 1, 2, 2], testSize: 1 }), 'ERR_SHAPE'],
    ['NaN labels', () => trainTestIndices(4, { stratify: [0, 0, NaN, NaN] }), 'ERR_ARG_TYPE'],
    ['lengths that differ', () => trainTestSplit(range(4), range(5)), 'ERR_SHAPE'],
    ['a scalar', () => trainTestSplit(tensor(3)), 'ERR_SHAPE'],
    ['no array', () => (trainTestSplit as () => unknown)(), 'ERR_ARG_TYPE'],
    ['an object of a class', () => trainTestSplit(new Map() as never), 'ERR_ARG_TYPE'],
  ])('refuses %s', (_, call, code) => {
    expect(call).toThrow(expect.objectContaining({ code }))
  })
})

describe('datasets', () => {
  const X = tensor([
    [1, 2],
    [3, 4],
    [5, 6],
  ])
  const dataset = new TensorDataset(X, range(3))
  it('give samples that share memory and batches that do not', () => {
    const [x, y] = dataset.get(1)
    expect([x.shape, [...x.data], y.shape, y.item()]).toEqual([[2], [3, 4], [], 1])
    expect(x.data.buffer).toBe(X.data.buffer)
    const [bx, by] = dataset.batch(Int32Array.of(2, 0))
    expect([bx.toArray(), by.toArray(), by.dtype]).toEqual([
      [
        [5, 6],
        [1, 2],
      ],
      [2, 0],
      'int32',
    ])
    expect(dataset.length).toBe(3)
  })
  it.each([1, 2, 15, 16, 17, 40])('gather rows of %i values', width => {
    const x = new Float32Array(7 * width).map((_, i) => i)
    const rows = Int32Array.of(6, 0, 3, 3)
    const [got] = new TensorDataset(tensor(x, { shape: [7, width] })).batch(rows)
    expect(got.shape).toEqual([4, width])
    expect(got.data).toEqual(
      Float32Array.from({ length: 4 * width }, (_, i) => rows[Math.floor(i / width)] * width + (i % width)),
    )
  })
  it('have rows of any rank, empty ones too', () => {
    const deep = new TensorDataset(
      tensor(
        new Float32Array(12).map((_, i) => i),
        { shape: [3, 2, 2] },
      ),
    )
    expect(deep.batch(Int32Array.of(2))[0].toArray()).toEqual([
      [
        [8, 9],
        [10, 11],
      ],
    ])
    const hollow = new TensorDataset(tensor(new Float32Array(0), { shape: [3, 0] }))
    expect(hollow.batch(Int32Array.of(1, 2))[0].shape).toEqual([2, 0])
  })
  it('have subsets, of subsets too', () => {
    const part = new Subset(new Subset(dataset, [2, 1, 0]), [0, 2])
    expect([part.length, part.get(0)[1].item(), part.batch(Int32Array.of(1, 0))[1].toArray()]).toEqual([2, 2, [0, 2]])
  })
  it('of one’s own need length and get only', () => {
    const squares = { length: 5, get: (i: number) => [tensor([i, i * i]), tensor(i, { dtype: 'int32' })] }
    const [[x, y]] = new DataLoader(squares, { batchSize: 3 })
    expect([x.toArray(), y.toArray(), y.dtype]).toEqual([
      [
        [0, 0],
        [1, 1],
        [2, 4],
      ],
      [0, 1, 2],
      'int32',
    ])
    const ragged = { length: 2, get: (i: number) => [tensor(new Float32Array(i + 1))] }
    expect(() => [...new DataLoader(ragged, { batchSize: 2 })]).toThrow(expect.objectContaining({ code: 'ERR_SHAPE' }))
  })
  it.each<[string, () => unknown, string]>([
    ['no tensor', () => new TensorDataset(), 'ERR_ARG_TYPE'],
    ['an array', () => new TensorDataset([1, 2] as never), 'ERR_ARG_TYPE'],
    ['a scalar', () => new TensorDataset(tensor(1)), 'ERR_SHAPE'],
    ['rows that differ', () => new TensorDataset(range(3), range(4)), 'ERR_SHAPE'],
    ['a sample outside', () => dataset.get(3), 'ERR_ARG_VALUE'],
    ['a negative sample', () => dataset.get(-1), 'ERR_ARG_VALUE'],
    ['a subset index outside', () => new Subset(dataset, [3]), 'ERR_ARG_VALUE'],
    ['a subset index that is a fraction', () => new Subset(dataset, [0.5]), 'ERR_ARG_VALUE'],
    ['a subset of nothing', () => new Subset(null as never, [0]), 'ERR_ARG_TYPE'],
  ])('refuse %s', (_, call, code) => {
    expect(call).toThrow(expect.objectContaining({ code }))
  })
  it('refuse a tensor whose buffer is gone', () => {
    const gone = tensor([
      [1, 2],
      [3, 4],
    ])
    const lost = new TensorDataset(gone)
    structuredClone(gone.data.buffer, { transfer: [gone.data.buffer as ArrayBuffer] })
    const detached = expect.objectContaining({ code: 'ERR_DETACHED' })
    expect(() => lost.get(0)).toThrow(detached)
    expect(() => lost.batch(Int32Array.of(0))).toThrow(detached)
  })
})

describe('DataLoader', () => {
  it.each(rng.loaders)('orders of three epochs, seed $seed', want => {
    const { n, batch: batchSize } = want
    manualSeed(BigInt(want.seed))
    const train = new DataLoader(numbers(n), { batchSize, shuffle: true })
    const test = new DataLoader(numbers(n), { batchSize })
    for (const order of want.global_with_test_loader_between) {
      expect(epoch(train).flat()).toEqual(order)
      epoch(test)
    }
    const own = new DataLoader(numbers(n), { batchSize, shuffle: true, generator: new Generator(BigInt(want.seed)) })
    for (const order of want.own_generator) expect(epoch(own).flat()).toEqual(order)
  })

  it.each(more.loaders)(
    'draws as PyTorch: n $n, batch $batch, dropLast $drop_last, shuffle $shuffle, own $own, left after $leave_after',
    want => {
      const generator = want.own ? new Generator(want.seed) : manualSeed(want.seed)
      const options = { batchSize: want.batch, shuffle: want.shuffle, dropLast: want.drop_last }
      const loader = new DataLoader(numbers(want.n), want.own ? { ...options, generator } : options)
      const epochs = [0, 1].map(() => {
        const batches = []
        for (const batch of loader) {
          batches.push(column(batch))
          if (batches.length === want.leave_after) break
        }
        return batches
      })
      expect(epochs).toEqual(want.epochs)
      expect(String(generator.randomInt64())).toBe(want.next_int64)
      expect(loader.length).toBe(want.length)
    },
  )

  it.each(more.zipped)('draws the base seed when a pass is made, the order with the first batch', want => {
    manualSeed(want.seed)
    const [a, b] = [6, 7].map(n => new DataLoader(numbers(n), { batchSize: 2, shuffle: true })[Symbol.iterator]())
    for (const pair of want.pairs) expect([a, b].map(it => column(it.next().value))).toEqual(pair)
    expect(String(defaultGenerator.randomInt64())).toBe(want.next_int64)
  })

  it.each(more.between)('draws the extra permutation before a last batch that is not full', want => {
    const { seed, n, batch: batchSize, seen } = want
    const generator = new Generator(seed)
    const loader = new DataLoader(numbers(n), { batchSize, shuffle: true, generator })
    expect(Array.from(loader, batch => [column(batch), String(generator.randomInt64())])).toEqual(seen)
  })

  it.each([true, false])('epochOrder and endEpoch draw what a pass draws (own generator: %s)', own => {
    const [a, b] = [new Generator(8), new Generator(8)]
    const loaders = [a, b].map(
      generator => new DataLoader(numbers(10), { batchSize: 3, shuffle: true, ...(own && { generator }) }),
    )
    manualSeed(8)
    const passes = [epoch(loaders[0]).flat(), epoch(loaders[0]).flat()]
    const state = defaultGenerator.getState()
    manualSeed(8)
    for (const pass of passes) {
      expect([...loaders[1].epochOrder()]).toEqual(pass)
      loaders[1].endEpoch()
    }
    expect(defaultGenerator.getState()).toEqual(state)
    expect(b.getState()).toEqual(a.getState())
    expect(loaders[1].fullRows).toBe(9)
  })

  it('says what it is', () => {
    const loader = new DataLoader(numbers(10), { batchSize: 4, dropLast: true })
    expect([loader.batchSize, loader.shuffle, loader.dropLast, loader.generator, loader.length]).toEqual([
      4,
      false,
      true,
      null,
      2,
    ])
    expect(new DataLoader(numbers(10)).length).toBe(10)
    expect(epoch(new DataLoader(numbers(0)))).toEqual([])
  })

  it('waits for no one: a held generator refuses a pass', () => {
    const generator = new Generator(0)
    const fit = new Scope()
    generator.acquire(fit)
    const loader = new DataLoader(numbers(4), { shuffle: true, generator })
    expect(() => [...loader]).toThrow(expect.objectContaining({ code: 'ERR_BUSY' }))
    generator.release(fit)
    expect([...loader].length).toBe(4)
  })

  it.each<[string, () => unknown, string]>([
    ['batchSize 0', () => new DataLoader(numbers(3), { batchSize: 0 }), 'ERR_ARG_VALUE'],
    ['batchSize 2.5', () => new DataLoader(numbers(3), { batchSize: 2.5 }), 'ERR_ARG_VALUE'],
    ['shuffle 1', () => new DataLoader(numbers(3), { shuffle: 1 as never }), 'ERR_ARG_TYPE'],
    ['an unknown option', () => new DataLoader(numbers(3), { batch_size: 2 } as never), 'ERR_ARG_TYPE'],
    ['a tensor', () => new DataLoader(range(3) as never), 'ERR_ARG_TYPE'],
    [
      'a generator of another kind',
      () => new DataLoader(numbers(3), { generator: new RandomState(0) as never }),
      'ERR_ARG_TYPE',
    ],
    ['shuffling nothing', () => new DataLoader(numbers(0), { shuffle: true }), 'ERR_EMPTY'],
  ])('refuses %s', (_, call, code) => {
    expect(call).toThrow(expect.objectContaining({ code }))
  })
})

describe('randomSplit', () => {
  it.each(more.splits)('of $n rows into $lengths', want => {
    const parts = randomSplit(numbers(want.n), want.lengths, { generator: new Generator(want.seed) })
    expect(parts.map(part => [...part.indices])).toEqual(want.parts)
  })
  it('draws from the default generator', () => {
    manualSeed(42)
    expect(randomSplit(numbers(10), [3, 7]).map(part => [...part.indices])).toEqual(more.splits[0].parts)
  })
  it.each<[string, number[], string]>([
    ['another sum', [3, 6], 'ERR_SHAPE'],
    ['fractions below 1', [0.3, 0.3], 'ERR_ARG_VALUE'],
    ['fractions above 1', [0.7, 0.7], 'ERR_ARG_VALUE'],
    ['a negative length', [11, -1], 'ERR_ARG_VALUE'],
    ['NaN', [NaN], 'ERR_ARG_VALUE'],
    ['no array', 3 as never, 'ERR_ARG_TYPE'],
    ['nothing', [], 'ERR_SHAPE'],
  ])('refuses %s', (_, lengths, code) => {
    const before = defaultGenerator.getState()
    expect(() => randomSplit(numbers(10), lengths)).toThrow(expect.objectContaining({ code }))
    expect(defaultGenerator.getState()).toEqual(before)
  })
})
