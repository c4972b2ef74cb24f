/** `fit` with layers that draw or remember: the plan against the explicit loop bit for bit, abort, one row, bad indices. */

import { afterEach, describe, expect, it } from 'vitest'
import { DataLoader, type Dataset, Subset, TensorDataset } from '../src/data/index.js'
import { chunkSettings } from '../src/engine/chunks.js'
import type { Model } from '../src/engine/options.js'
import * as nn from '../src/nn/index.js'
import { Adam, SGD } from '../src/optim/index.js'
import { Generator, manualSeed, RandomState, rand, randn } from '../src/random/index.js'
import { type Tensor, tensor } from '../src/tensor/index.js'
import { evaluate, predict } from '../src/train/evaluate.js'
import { fit } from '../src/train/fit.js'
import { lrFind } from '../src/train/lr_find.js'
import { blobs, explicitLoop, type Job, stateOf } from './helpers/training.js'

const { Linear, ReLU, Dropout, BatchNorm1d, LayerNorm, Embedding, Sequential } = nn

/** x + f(x): residual blocks need no class of their own. */
class Residual extends nn.Module {
  inner = new Sequential(new LayerNorm(8), new Linear(8, 8), new ReLU(), new Dropout({ p: 0.2 }))
  head = new Linear(8, 3)
  first = new Linear(6, 8)
  override forward(x: Tensor): Tensor {
    const y = this.first.forward(x)
    return this.head.forward(y.add(this.inner.forward(y)))
  }
}

/** Channels of a sequence: [rows, 6] as [rows, 2, 3]. */
class Channels extends nn.Module {
  norm = new BatchNorm1d(2)
  head = new Linear(6, 3)
  override forward(x: Tensor): Tensor {
    return this.head.forward(this.norm.forward(x.reshape([-1, 2, 3])).reshape([-1, 6]))
  }
}

/** Words by number, averaged. */
class Words extends nn.Module {
  table = new Embedding(11, 5, { paddingIdx: 0 })
  head = new Linear(5, 3)
  override forward(x: Tensor): Tensor {
    return this.head.forward(this.table.forward(x).mean(1))
  }
}

/** Drops in evaluation too, by the op: every pass draws. */
class AlwaysDropped extends nn.Module {
  first = new Linear(6, 20)
  head = new Linear(20, 3)
  override forward(x: Tensor): Tensor {
    return this.head.forward(this.first.forward(x).dropout({ p: 0.3 }).relu())
  }
}

const models: Record<string, () => Model> = {
  dropout: () => new Sequential(new Linear(6, 20), new ReLU(), new Dropout({ p: 0.25 }), new Linear(20, 3)),
  'dropout first and last': () => new Sequential(new Dropout({ p: 0.1 }), new Linear(6, 3), new Dropout({ p: 0.6 })),
  'dropout of all and of nothing': () =>
    new Sequential(new Linear(6, 7), new Dropout({ p: 0 }), new Linear(7, 3), new Dropout({ p: 1 })),
  'dropout in evaluation too': () => new AlwaysDropped(),
  'batch norm': () => new Sequential(new Linear(6, 20), new BatchNorm1d(20), new ReLU(), new Linear(20, 3)),
  'batch norm on the data, plain mean': () =>
    new Sequential(
      new BatchNorm1d(6, { momentum: null }),
      new Linear(6, 17),
      new BatchNorm1d(17, { affine: false }),
      new Linear(17, 3),
    ),
  'batch norm without statistics': () =>
    new Sequential(new Linear(6, 16), new BatchNorm1d(16, { trackRunningStats: false }), new Linear(16, 3)),
  'batch norm of channels': () => new Channels(),
  'layer norm': () => new Sequential(new Linear(6, 37), new LayerNorm(37), new ReLU(), new Linear(37, 3)),
  'layer norm on the data, without bias': () =>
    new Sequential(
      new LayerNorm(6, { bias: false }),
      new Linear(6, 16),
      new LayerNorm(16, { elementwiseAffine: false }),
      new Linear(16, 3),
    ),
  'a residual block': () => new Residual(),
  embedding: () => new Words(),
  'all of them': () =>
    new Sequential(
      new Linear(6, 33),
      new BatchNorm1d(33),
      new ReLU(),
      new Dropout({ p: 0.5 }),
      new Linear(33, 9),
      new LayerNorm(9),
      new Dropout(),
      new Linear(9, 3),
    ),
}

function words(rows: number, seed: number): TensorDataset {
  const random = new RandomState(seed)
  const x = tensor(random.randint(0, 11, rows * 4) as Int32Array, { shape: [rows, 4] })
  return new TensorDataset(x, tensor(random.randint(0, 3, rows) as Int32Array))
}

interface Setting {
  adam?: boolean
  rows?: number
  batchSize?: number
  generator?: () => Generator
}

/** A job made anew from its seed, so that two engines can start from the same place. */
function makeJob(name: string, { adam = false, rows = 75, batchSize = 16, generator }: Setting = {}): Job {
  manualSeed(3)
  const model = models[name]()
  const data = name === 'embedding' ? words : (n: number, seed: number) => blobs(n, 6, 3, seed)
  const options = { batchSize, shuffle: true, generator: generator?.() }
  return {
    model,
    optimizer: adam
      ? new Adam(model.parameters(), { lr: 0.01 })
      : new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 }),
    train: new DataLoader(data(rows, 7), options),
    test: new DataLoader(data(35, 9), { batchSize }),
    loss: new nn.CrossEntropyLoss(),
  }
}

const withoutModel = ({ model: _, ...rest }: Job) => rest
const names = Object.keys(models)

afterEach(() => {
  chunkSettings.steps = null
})

async function compare(name: string, setting: Setting = {}, extra: { accumulate?: number; threads?: number } = {}) {
  const loop = makeJob(name, setting)
  const expected = explicitLoop(loop, 5, extra)
  const drawn = rand([3]).toArray()
  const job = makeJob(name, setting)
  const history = await fit(job.model, { ...withoutModel(job), epochs: 5, ...extra })
  expect(history.engine, history.engineReason).toBe('plan')
  expect(history.trainLoss).toEqual(expected.trainLoss)
  expect(history.testLoss).toEqual(expected.testLoss)
  expect(stateOf(job)).toEqual(stateOf(loop))
  expect(rand([3]).toArray()).toEqual(drawn)
}

describe.each(names)('%s: the plan gives the bits of the explicit loop', name => {
  it('with SGD, and with Adam', async () => {
    await compare(name)
    await compare(name, { adam: true })
  })

  it.each([1, 7, 1000])('in chunks of %i steps', async steps => {
    chunkSettings.steps = steps
    await compare(name)
  })

  it.each([1, 2, 3])('on %i threads', async threads => {
    await compare(name, { rows: 300, batchSize: 128 }, { threads })
  })

  it('with several batches per update, with its own generator, synchronously', async () => {
    await compare(name, {}, { accumulate: 2 })
    await compare(name, { generator: () => new Generator(5) })
    const [loop, job] = [makeJob(name), makeJob(name)]
    manualSeed(8)
    const expected = explicitLoop(loop, 2)
    manualSeed(8)
    expect(fit.sync(job.model, { ...withoutModel(job), epochs: 2 }).trainLoss).toEqual(expected.trainLoss)
  })
})

describe('masks', () => {
  it('are drawn in the loop’s order also where the loader has the default generator', async () => {
    await compare('dropout', { generator: () => manualSeed(11) })
    const setting = { generator: () => manualSeed(11) }
    const loop = makeJob('dropout', setting)
    const expected = explicitLoop(loop, 3, { accumulate: 2 })
    const job = makeJob('dropout', setting)
    const history = await fit(job.model, { ...withoutModel(job), epochs: 3, accumulate: 2 })
    expect(history).toMatchObject({ engine: 'eager', trainLoss: expected.trainLoss })
    expect(history.engineReason).toBe('loader and layers draw from one generator within a step')
  })

  it('of a chunk stay within a few megabytes, with the same bits', async () => {
    const build = () => {
      manualSeed(2)
      const model = new Sequential(new Linear(6, 3000), new ReLU(), new Dropout(), new Linear(3000, 3))
      const train = new DataLoader(blobs(1000, 6, 3), { batchSize: 100, shuffle: true })
      return { model, optimizer: new SGD(model.parameters(), { lr: 0.01 }), train, loss: new nn.CrossEntropyLoss() }
    }
    chunkSettings.steps = 1000
    const [loop, job] = [build(), build()]
    manualSeed(4)
    const expected = explicitLoop(loop, 1)
    manualSeed(4)
    expect((await fit(job.model, { ...withoutModel(job), epochs: 1 })).trainLoss).toEqual(expected.trainLoss)
  })

  it('that the model draws by itself mean the eager engine, with the numbers of the loop', async () => {
    class Noisy extends nn.Module {
      fc = new Linear(6, 3)
      override forward(x: Tensor): Tensor {
        return this.fc.forward(this.training ? x.add(randn(x.shape)) : x)
      }
    }
    const build = () => {
      manualSeed(6)
      const model = new Noisy()
      const train = new DataLoader(blobs(40, 6, 3), { batchSize: 16, shuffle: true })
      return { model, optimizer: new SGD(model.parameters(), { lr: 0.1 }), train, loss: new nn.CrossEntropyLoss() }
    }
    const loop = build()
    const expected = explicitLoop(loop, 3)
    const job = build()
    const history = await fit(job.model, { ...withoutModel(job), epochs: 3 })
    expect(history).toMatchObject({ engine: 'eager', trainLoss: expected.trainLoss })
    expect(history.engineReason).toBe('the model draws random numbers of its own')
    expect(stateOf(job)).toEqual(stateOf(loop))
  })

  it('are not drawn by evaluate and predict', async () => {
    const job = makeJob('all of them')
    manualSeed(5)
    const [x] = (job.test!.dataset as TensorDataset).tensors
    await predict(job.model, x)
    expect(rand([2]).toArray()).toEqual([...new Generator(5).uniform_(new Float32Array(2))])
    manualSeed(5)
    await evaluate(job.model, job.test!, job.loss)
    const own = new Generator(5)
    own.random64() // the loader's base seed
    expect(rand([2]).toArray()).toEqual([...own.uniform_(new Float32Array(2))])
  })
})

it('lrFind leaves no trace in statistics and masks', async () => {
  const { model, optimizer, train, loss } = makeJob('all of them')
  const before = stateOf({ model, optimizer } as Job)
  manualSeed(9)
  await lrFind(model, { train, loss, optimizer, steps: 20 })
  expect(stateOf({ model, optimizer } as Job)).toEqual(before)
  expect([...rand([2]).data]).toEqual([...new Generator(9).uniform_(new Float32Array(2))])
})

describe('an abort', () => {
  it.each(['dropout', 'batch norm', 'all of them'])(
    'in mid-chunk leaves everything as of the last step: %s',
    async name => {
      chunkSettings.steps = 1000
      const setting = { rows: 4000 }
      for (let round = 0; round < 4; round++) {
        const job = makeJob(name, setting)
        const controller = new AbortController()
        setTimeout(() => controller.abort(), 5 + 9 * round)
        const error = await fit(job.model, {
          ...withoutModel(job),
          test: undefined,
          epochs: 1e6,
          signal: controller.signal,
        }).catch(e => e)
        expect(error).toMatchObject({ code: 'ERR_ABORTED' })
        const drawn = rand([4]).toArray()
        const loop = makeJob(name, setting)
        stepsOfLoop(loop, error.history.lr.length)
        expect(stateOf(job)).toEqual(stateOf(loop))
        expect(drawn).toEqual(rand([4]).toArray())
      }
    },
  )
})

function stepsOfLoop({ model, optimizer, train, loss }: Job, steps: number): void {
  for (let done = 0; done < steps; ) {
    for (const [x, y] of train) {
      loss.forward(model.forward(x), y).backward()
      optimizer.step()
      optimizer.zeroGrad()
      if (++done === steps) return
    }
  }
}

/** A data set that is none of ours, so that the eager engine trains. */
function wrapped(inner: TensorDataset): Dataset {
  return { length: inner.length, get: i => inner.get(i) }
}

describe('a last batch of one row', () => {
  const build = (dataset: Dataset, options: object = {}) => {
    const model = new Sequential(new BatchNorm1d(6), new Dropout(), new Linear(6, 3))
    const train = new DataLoader(dataset, { batchSize: 16, ...options })
    return { model, optimizer: new SGD(model.parameters()), train, loss: new nn.CrossEntropyLoss() }
  }

  it.each([
    ['plan', blobs(33, 6, 3)],
    ['eager', wrapped(blobs(33, 6, 3))],
  ])('is refused before the first step: %s', async (_engine, dataset) => {
    const job = build(dataset)
    const before = stateOf(job)
    manualSeed(1)
    await expect(fit(job.model, { ...withoutModel(job), epochs: 1 })).rejects.toThrow(
      'BatchNorm1d: expected more than 1 value per channel in training but received x of shape [1, 6]',
    )
    expect(stateOf(job)).toEqual(before)
    expect(rand([2]).toArray()).toEqual([...new Generator(1).uniform_(new Float32Array(2))])
  })

  it.each([
    ['plan', blobs(33, 6, 3)],
    ['eager', wrapped(blobs(33, 6, 3))],
  ])('may be dropped: %s', async (engine, dataset) => {
    const job = build(dataset, { dropLast: true })
    expect((await fit(job.model, { ...withoutModel(job), epochs: 1 })).engine).toBe(engine)
    expect((job.model as unknown as nn.BatchNorm1d[])[0].numBatchesTracked!.item()).toBe(2)
  })

  it('of several values per channel is trained on', async () => {
    const job = makeJob('batch norm of channels', { rows: 33 })
    const eager = makeJob('batch norm of channels', { rows: 33 })
    const train = new DataLoader(wrapped(eager.train.dataset as TensorDataset), { batchSize: 16, shuffle: true })
    manualSeed(1)
    const { trainLoss } = await fit(job.model, { ...withoutModel(job), epochs: 2 })
    manualSeed(1)
    const history = await fit(eager.model, { ...withoutModel(eager), train, epochs: 2 })
    expect(history).toMatchObject({ engine: 'eager', trainLoss })
    expect(stateOf(eager)).toEqual(stateOf(job))
  })
})

describe('indices out of range', () => {
  it('are named with their place before the first step, in train and in test', async () => {
    for (const part of ['train', 'test'] as const) {
      const job = makeJob('embedding')
      const before = stateOf(job)
      const [x] = (job[part]!.dataset as TensorDataset).tensors
      x.data[4 * 21 + 2] = 11
      await expect(fit(job.model, { ...withoutModel(job), epochs: 1 })).rejects.toThrow(
        'embedding: expected indices[21, 2] to be in [0, 10] but received 11',
      )
      expect(stateOf(job)).toEqual(before)
    }
  })

  it('count as rows of the subset that is trained on', async () => {
    const job = makeJob('embedding')
    const [x] = (job.train.dataset as TensorDataset).tensors
    x.data[4 * 21 + 2] = -1
    const run = (rows: number[]) =>
      fit(job.model, {
        ...withoutModel(job),
        train: new DataLoader(new Subset(job.train.dataset, rows), { batchSize: 2 }),
        epochs: 1,
      })
    await expect(run([3, 21, 5])).rejects.toThrow('indices[1, 2] to be in [0, 10] but received -1')
    expect((await run([3, 22, 5])).engine).toBe('plan')
  })

  it('leave the padding row as it is', async () => {
    const job = makeJob('embedding')
    await fit(job.model, { ...withoutModel(job), epochs: 2 })
    expect([...(job.model as unknown as Words).table.weight.data.subarray(0, 5)]).toEqual([0, 0, 0, 0, 0])
  })
})
