/** `crossValidate` and what sweeps say over seeds and batch sizes; options that are nearly right. */

import { describe, expect, it } from 'vitest'
import { callbacks, crossValidate, data, fit, nn, optim, random, sweep, tensor } from '../src/index.js'
import { blobs, mlp } from './helpers/training.js'

const dataset = blobs(60, 4, 3)
const y = dataset.tensors[1]
const folds = data.stratifiedKFold(y, { nSplits: 4, shuffle: true, randomState: 0 })
const loss = new nn.CrossEntropyLoss()

function runOf({ train, test }: data.Fold) {
  const model = mlp([4, 8, 3])
  return {
    model,
    train: new data.DataLoader(new data.Subset(dataset, train), { batchSize: 8, shuffle: true }),
    test: new data.DataLoader(new data.Subset(dataset, test), { batchSize: 32 }),
    optimizer: new optim.SGD(model.parameters(), { lr: 0.1 }),
    ...{ loss, epochs: 3 },
  }
}

describe('crossValidate', () => {
  it('gives each fold the bits that it has alone, and the spread of what they end with', async () => {
    random.manualSeed(9)
    const { runs, figures, table } = await crossValidate(runOf, { folds, seed: 5 })
    const drawn = random.rand([1]).item()
    random.manualSeed(9)
    expect(random.rand([1]).item()).toBe(drawn)
    for (const { fold, history, model } of runs) {
      random.manualSeed(5)
      const { model: alone, ...options } = runOf(folds[fold])
      expect(await fit(alone, options)).toEqual(history)
      expect(alone.stateDict()).toEqual(model.stateDict())
    }
    const last = runs.map(({ history }) => history.testAcc!.at(-1)!)
    const mean = last.reduce((a, b) => a + b) / 4
    expect(figures.testAcc.mean).toBeCloseTo(mean, 12)
    expect(figures.testAcc.deviation).toBeCloseTo(Math.sqrt(last.reduce((s, x) => s + (x - mean) ** 2, 0) / 3), 12)
    expect(table().split('\n')).toHaveLength(7)
    expect(table()).toMatch(/^mean .* ± /m)
  })
  it('tells of each fold, stops when it is aborted, and fails as the first that fails', async () => {
    const ended: number[] = []
    const controller = new AbortController()
    const onRun = ({ fold }: { fold: number }) => {
      ended.push(fold)
      controller.abort('enough')
    }
    const running = crossValidate(runOf, { folds, onRun, signal: controller.signal })
    await expect(running).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: 'enough' })
    expect(ended.length).toBeGreaterThan(0)
    const broken = () => ({ ...runOf(folds[0]), epochs: -1 })
    await expect(crossValidate(broken, { folds })).rejects.toMatchObject({ code: 'ERR_ARG_VALUE' })
  })
  it.each<[string, object, string]>([
    ['no folds', { folds: [] }, 'ERR_ARG_VALUE'],
    ['what is no fold', { folds: [{ train: 1 }] }, 'ERR_ARG_TYPE'],
    ['an unknown option', { folds, seeds: 1 }, 'ERR_ARG_TYPE'],
  ])('refuses %s', async (_, options, code) => {
    await expect(crossValidate(runOf, options as never)).rejects.toMatchObject({ code })
  })
})

describe('sweep', () => {
  it('over batch sizes and seeds: the settings by their means', async () => {
    const train = new data.DataLoader(dataset, { batchSize: 4, shuffle: true })
    const result = await sweep({
      makeModel: () => mlp([4, 8, 3]),
      makeOptimizer: (model, { lr }) => new optim.SGD(model.parameters(), { lr }),
      grid: { lr: [0.01, 0.1], batchSize: [5, 30], seed: [0, 1, 2] },
      ...{ train, loss, epochs: 2 },
    })
    for (const { params, history } of result.runs) expect(history.lr).toHaveLength((2 * 60) / params.batchSize)
    expect(result.settings).toHaveLength(4)
    const means = result.settings.map(({ figures }) => figures.trainLoss.mean)
    expect(means).toEqual([...means].sort((a, b) => a - b))
    const { params, runs, figures } = result.settings[0]
    expect(runs.map(run => run.params.seed).sort()).toEqual([0, 1, 2])
    for (const run of runs) expect(run.params).toMatchObject(params)
    const losses = runs.map(run => run.history.trainLoss.at(-1)!)
    expect(figures.trainLoss.mean).toBeCloseTo(losses.reduce((a, b) => a + b) / 3, 12)
    const [head, , first] = result.settingsTable().split('\n')
    expect(head.split(/ {2,}/)).toEqual(['rank', 'lr', 'batchSize', 'runs', 'train loss', 'train acc'])
    expect(first).toMatch(/^\s*1 .* ± /)
  })
  it('refuses batch sizes that are none', async () => {
    const options = { makeModel: () => mlp([4, 3]), makeOptimizer: () => null, grid: { batchSize: [0] } }
    await expect(sweep(options as never)).rejects.toThrow('batchSize to be an integer at least 1')
  })
})

describe('what is nearly right', () => {
  const model = mlp([4, 3])
  const train = new data.DataLoader(dataset, { batchSize: 8 })
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 })
  const good = { train, loss, optimizer, epochs: 1 }
  it.each<[string, () => unknown, string]>([
    ['an option', () => fit.sync(model, { ...good, tset: train } as never), 'did you mean test?'],
    ['in Python’s way', () => fit.sync(model, { ...good, clip_grad_norm: 1 } as never), 'did you mean clipGradNorm?'],
    ['a choice', () => callbacks.earlyStopping({ monitor: 'test_loss' as never }), 'did you mean testLoss?'],
    ['a hook', () => fit.sync(model, { ...good, callbacks: [{ onEpochs() {} } as never] }), 'did you mean onEpoch?'],
    ['labels from 1', () => loss.forward(tensor([[1, 2], [1, 2]]), tensor([1, 2], { dtype: 'int32' })), 'labels start at 0'], // biome-ignore format: a row
  ])('%s', (_, run, text) => {
    expect(run).toThrow(expect.objectContaining({ message: expect.stringContaining(text) }))
  })
  it('but what is like nothing gets no suggestion', () => {
    expect(() => fit.sync(model, { ...good, zebra: 1 } as never)).toThrow(/world but received "zebra"$/)
    expect(() => fit.sync(model, { ...good, callbacks: [{} as never] })).toThrow('to have onStart, onEpoch, onFinish')
    expect(() => loss.forward(tensor([[1, 2]]), tensor([5], { dtype: 'int32' }))).toThrow(/\[0, 1\] but received 5$/)
  })
})
