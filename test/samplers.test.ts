/** Samplers against PyTorch and folds against scikit-learn, 50 seeds each; loaders and fits with samplers; what is refused. */
import { describe, expect, it } from 'vitest'
import { data, fit, nn, optim, random, type Tensor, tensor } from '../src/index.js'
import { golden } from './helpers/golden.js'

const cases = golden('samplers.json')
const range = (n: number) => new data.TensorDataset(tensor(Int32Array.from({ length: n }, (_, i) => i)))
const textOf = (folds: data.Fold[], n: number) => {
  const text = new Array(n).fill('?')
  folds.forEach(({ train, test }, fold) => {
    for (const row of test) text[row] = String(fold)
    expect([...train, ...test].sort((a, b) => a - b)).toEqual([...Array(n).keys()])
  })
  return text.join('')
}

describe('folds', () => {
  it.each([0, 1])('of 50 seeds are scikit-learn’s, shuffled: %i', shuffled => {
    for (const { seed, k, y, groups, ...want } of cases.folds) {
      const options = { nSplits: k, ...(shuffled && { shuffle: true, randomState: seed }) }
      const words = [...y].map(code => ['w', 'B', 'a'][Number(code)])
      const n = y.length
      expect(textOf(data.kFold(n, options), n), `seed ${seed}`).toBe(want.kFold[shuffled])
      expect(textOf(data.stratifiedKFold(words, options), n), `seed ${seed}`).toBe(want.stratifiedKFold[shuffled])
      expect(textOf(data.groupKFold(groups, options), n), `seed ${seed}`).toBe(want.groupKFold[shuffled])
    }
  })
  it.each<[string, () => unknown, string, string]>([
    ['more folds than rows', () => data.kFold(3, { nSplits: 4 }), 'ERR_ARG_VALUE', 'number of rows (3)'],
    ['one fold', () => data.kFold(3, { nSplits: 1 }), 'ERR_ARG_VALUE', 'at least 2'],
    ['a seed without shuffle', () => data.kFold(9, { randomState: 0 }), 'ERR_ARG_VALUE', 'shuffle to be true'],
    ['small classes', () => data.stratifiedKFold([0, 1, 0, 1], { nSplits: 3 }), 'ERR_ARG_VALUE', 'largest class (2)'],
    ['no classes', () => data.stratifiedKFold([0.5, 1], { nSplits: 2 }), 'ERR_ARG_VALUE', 'y[0] to be a class'],
    ['few groups', () => data.groupKFold([1, 1, 1], { nSplits: 2 }), 'ERR_ARG_VALUE', 'number of groups (1)'],
  ])('refuse %s', (_, run, code, text) => {
    expect(run).toThrow(expect.objectContaining({ code, message: expect.stringContaining(text) }))
  })
})

describe('samplers', () => {
  type Make = (weights: number[], few: number, generator?: random.Generator) => data.Sampler
  const makers: Record<string, Make> = {
    with: (weights, _, generator) => new data.WeightedRandomSampler(weights, weights.length, { generator }),
    one: (weights, _, generator) => new data.WeightedRandomSampler(weights, 1, { generator }),
    without: (weights, few, generator) =>
      new data.WeightedRandomSampler(weights, few, { replacement: false, generator }),
    subset: (weights, _, generator) =>
      new data.SubsetRandomSampler(
        [...weights.keys()].filter(i => i % 2 === 0),
        { generator },
      ),
  }
  it.each(Object.keys(makers))('%s: 50 seeds are PyTorch’s', name => {
    for (const { seed, weights, few, [name]: want } of cases.samplers) {
      random.manualSeed(seed)
      const own = seed % 2 ? new random.Generator(seed + 1) : undefined
      const loader = new data.DataLoader(range(weights.length), {
        batchSize: 4,
        sampler: makers[name](weights, few, own),
      })
      const epoch = () => Array.from(loader, ([x]: Tensor[]) => [...x.data]).flat()
      expect([epoch(), epoch()], `seed ${seed}`).toEqual(want[0])
      expect(random.rand([1]).item(), `seed ${seed}`).toBe(want[1])
    }
  })
  it('in order', () => {
    const loader = new data.DataLoader(range(5), { batchSize: 2, sampler: new data.SequentialSampler(range(5)) })
    expect(Array.from(loader, ([x]) => [...x.data])).toEqual([[0, 1], [2, 3], [4]])
    expect([loader.length, loader.samples]).toEqual([3, 5])
  })

  const X = random.randn([40, 3])
  const y = tensor(
    Array.from({ length: 40 }, (_, i) => i % 2),
    { dtype: 'int32' },
  )
  const reversed = { length: 10, [Symbol.iterator]: () => Array.from({ length: 10 }, (_, i) => 39 - i).values() }
  const own = () => new random.Generator(3)
  const weights = Float64Array.from({ length: 40 }, (_, i) => i % 7)
  it.each<[string, () => data.Sampler]>([
    ['weighted', () => new data.WeightedRandomSampler(weights, 50)],
    ['weighted without replacement', () => new data.WeightedRandomSampler(weights, 17, { replacement: false })],
    [
      'of a subset, with a stream of its own',
      () => new data.SubsetRandomSampler([1, 3, 5, 7, 9, 11, 30], { generator: own() }),
    ],
    ['an iterable of one’s own', () => reversed],
  ])('train as the explicit loop does: %s', async (_, make) => {
    const dataset = new data.TensorDataset(X, y)
    const build = () => {
      random.manualSeed(1)
      const model = new nn.Sequential(
        new nn.Linear(3, 8),
        new nn.ReLU(),
        new nn.Dropout({ p: 0.2 }),
        new nn.Linear(8, 2),
      )
      const loader = new data.DataLoader(dataset, { batchSize: 4, sampler: make() })
      return {
        model,
        loader,
        loss: new nn.CrossEntropyLoss(),
        optimizer: new optim.SGD(model.parameters(), { lr: 0.1 }),
      }
    }
    const { model, loader, loss, optimizer } = build()
    for (let epoch = 0; epoch < 3; epoch++) {
      for (const [x, labels] of loader) {
        optimizer.zeroGrad()
        loss.forward(model.forward(x), labels).backward()
        optimizer.step()
      }
    }
    const after = random.rand([1]).item()
    const run = build()
    const history = await fit(run.model, { train: run.loader, loss: run.loss, optimizer: run.optimizer, epochs: 3 })
    expect(history.engine).toBe('plan')
    expect(run.model.stateDict()).toEqual(model.stateDict())
    expect(random.rand([1]).item()).toBe(after)
  })
  it('of a stream of its own are held by a run', async () => {
    const generator = own()
    const sampler = new data.SubsetRandomSampler([1, 2, 3], { generator })
    const model = new nn.Linear(3, 2)
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 })
    const train = new data.DataLoader(new data.TensorDataset(X, y), { sampler })
    const running = fit(model, { train, loss: new nn.CrossEntropyLoss(), optimizer, epochs: 20_000 })
    expect(() => generator.randperm(2)).toThrow(expect.objectContaining({ code: 'ERR_BUSY' }))
    await running
  })
  it.each<[string, () => unknown, string, string]>([
    [
      'shuffle beside one',
      () => new data.DataLoader(range(3), { shuffle: true, sampler: new data.SequentialSampler(range(3)) }),
      'ERR_ARG_VALUE',
      'shuffle',
    ],
    ['no sampler', () => new data.DataLoader(range(3), { sampler: 3 as never }), 'ERR_ARG_TYPE', 'an iterable'],
    [
      'samples that are not there',
      () => [...new data.DataLoader(range(3), { sampler: reversed })],
      'ERR_ARG_VALUE',
      '0 to 2',
    ],
    [
      'another number of samples',
      () => [...new data.DataLoader(range(3), { sampler: Object.assign([0, 1].values(), { length: 3 }) })],
      'ERR_SHAPE',
      'its length of 3',
    ],
    ['weights below 0', () => new data.WeightedRandomSampler([1, -1], 1), 'ERR_ARG_VALUE', 'weights[1]'],
    ['no weight', () => new data.WeightedRandomSampler([0, 0], 1), 'ERR_EMPTY', 'a weight above 0'],
    [
      'too many without replacement',
      () => new data.WeightedRandomSampler([1, 0], 2, { replacement: false }),
      'ERR_ARG_VALUE',
      'at most 1',
    ],
    ['indices below 0', () => new data.SubsetRandomSampler([-1]), 'ERR_ARG_VALUE', 'indices[0]'],
  ])('refuse %s', (_, run, code, text) => {
    expect(run).toThrow(expect.objectContaining({ code, message: expect.stringContaining(text) }))
  })
})
