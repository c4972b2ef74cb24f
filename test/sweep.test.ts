/** `sweep`: the bits of each run alone, whatever runs beside it; ranking, picture, abort, failures. */

import { describe, expect, it } from 'vitest'
import { DataLoader, type TensorDataset } from '../src/data/index.js'
import type { Model } from '../src/engine/options.js'
import { ExponentialLR, StepLR } from '../src/lr_scheduler/index.js'
import * as nn from '../src/nn/index.js'
import { Adam, type Optimizer, SGD } from '../src/optim/index.js'
import { defaultGenerator, Generator, manualSeed, rand } from '../src/random/index.js'
import type { Tensor } from '../src/tensor/index.js'
import { earlyStopping } from '../src/train/callbacks.js'
import { fit } from '../src/train/fit.js'
import { sweep } from '../src/train/sweep.js'
import type { RunParams, SweepOptions } from '../src/train/sweep_options.js'
import { blobs, mlp, stateOf } from './helpers/training.js'

interface Grid {
  lr: number
  seed: number
}

const train = new DataLoader(blobs(70, 4, 3), { batchSize: 16, shuffle: true })
const test = new DataLoader(blobs(35, 4, 3, 9), { batchSize: 16 })

function options(change: Partial<SweepOptions<Grid>> = {}): SweepOptions<Grid> {
  return {
    makeModel: () => mlp([4, 16, 3]),
    makeOptimizer: (model, { lr }) => new SGD(model.parameters(), { lr, momentum: 0.9 }),
    makeScheduler: optimizer => new ExponentialLR(optimizer, { gamma: 0.99 }),
    grid: { lr: [0.01, 0.1, 1], seed: [0, 7] },
    ...{ train, test, loss: new nn.CrossEntropyLoss(), epochs: 6 },
    ...change,
  }
}

/** One run of the sweep as anyone would write it. */
async function alone(
  {
    grid: _,
    makeModel,
    makeOptimizer,
    makeScheduler,
    makeCallbacks,
    rankBy: _r,
    onRun: _o,
    ...rest
  }: SweepOptions<Grid>,
  params: RunParams<Grid>,
) {
  manualSeed(params.seed)
  const model = makeModel(params)
  const optimizer = makeOptimizer(model, params)
  const scheduler = makeScheduler?.(optimizer, params)
  const callbacks = makeCallbacks?.(params)
  const history = await fit(model, {
    ...rest,
    optimizer,
    ...(scheduler && { scheduler }),
    ...(callbacks && { callbacks }),
  })
  return { history, state: stateOf({ model, optimizer } as never) }
}

async function compare(given: SweepOptions<Grid>): Promise<void> {
  const { runs } = await sweep(given)
  expect(runs).toHaveLength(given.grid.lr.length * given.grid.seed.length)
  for (const { params, history, model, optimizer } of runs) {
    const expected = await alone(given, params)
    expect(history).toEqual(expected.history)
    expect(stateOf({ model, optimizer } as never)).toEqual(expected.state)
  }
}

/** Draws while it computes, and reads values, so that it runs on the eager engine. */
class Noisy extends nn.Module {
  layer = new nn.Linear(4, 3)
  forward(x: Tensor): Tensor {
    return this.layer.forward(x.add(rand([1]).data[0] + 0 * x.data[0]))
  }
}

function drawing(): Model {
  return new nn.Sequential(
    new nn.Linear(4, 16),
    new nn.BatchNorm1d(16),
    new nn.Dropout({ p: 0.3 }),
    new nn.Linear(16, 3),
  )
}

describe('each run has the bits of the run alone', () => {
  it.each<[string, Partial<SweepOptions<Grid>>]>([
    ['small models', {}],
    [
      'larger models, off the thread',
      { makeModel: () => mlp([4, 300, 300, 3]), grid: { lr: [0.01, 0.1], seed: [0, 1, 2] } },
    ],
    [
      'Adam, without a schedule',
      { makeOptimizer: (m, { lr }) => new Adam(m.parameters(), { lr }), makeScheduler: undefined },
    ],
    ['on the eager engine, drawing from the default stream', { makeModel: () => new Noisy() }],
    ['with dropout and running statistics', { makeModel: () => drawing() }],
    ['without a test loader', { test: undefined }],
    ['with early stopping', { makeCallbacks: () => [earlyStopping({ patience: 1, restoreBest: true })], epochs: 30 }],
    ['with several batches per update', { accumulate: 2, stepSchedulerEvery: 'epoch' }],
  ])('%s', async (_, change) => {
    await compare(options(change))
  })

  it('and the default stream is left untouched', async () => {
    manualSeed(5)
    const before = [...defaultGenerator.getState()]
    const running = sweep(options({ makeModel: () => mlp([4, 300, 300, 3]) }))
    const during: unknown[] = []
    while (during.length < 3) {
      during.push(rand([2]).toArray())
      await new Promise(resolve => setTimeout(resolve, 1))
    }
    await running
    manualSeed(5)
    expect([...defaultGenerator.getState()]).toEqual(before)
    expect(during).toEqual([0, 1, 2].map(() => rand([2]).toArray()))
  })
})

describe('the result', () => {
  it('is ranked by the test loss, runs that broke last', async () => {
    const result = await sweep(options({ grid: { lr: [1e30, 0.01, 0.1], seed: [0, 1] } }))
    const losses = result.runs.map(({ history }) => history.testLoss!.at(-1)!)
    expect(losses.slice(0, 4)).toEqual(losses.slice(0, 4).sort((a, b) => a - b))
    expect(result.runs.slice(4).map(({ params }) => params)).toEqual([0, 1].map(seed => ({ lr: 1e30, seed })))
    expect(result.rankedBy).toBe('testLoss')
    expect(result.rows.map(row => row.rank)).toEqual([1, 2, 3, 4, 5, 6])
    const lines = result.table().split('\n')
    expect(lines[0].split(/ {2,}/)).toEqual(['rank', 'lr', 'seed', 'train loss', 'test loss', 'train acc', 'test acc'])
    expect(lines).toHaveLength(8)
  })

  it('is ranked by an accuracy from the highest down', async () => {
    const { runs } = await sweep(options({ rankBy: 'trainAcc' }))
    const accuracies = runs.map(({ history }) => history.trainAcc!.at(-1)!)
    expect(accuracies).toEqual([...accuracies].sort((a, b) => b - a))
  })

  it('is drawn in one picture, whatever the number of runs', async () => {
    const many = await (await sweep(options())).chart()
    expect(many.svg).toContain('lr 0.1, seed 7')
    const more = await (await sweep(options({ grid: { lr: [0.01, 0.1, 0.2, 0.3], seed: [0, 1] } }))).chart('trainAcc')
    expect(more.svg).toContain('the other 2 in grey')
    const one = await (await sweep(options({ grid: { lr: [0.1], seed: [0] } }))).chart()
    expect(one.svg).toContain('Test loss of one run')
  })

  it('takes the seed 0 where none is listed, and other values than numbers', async () => {
    const told: object[] = []
    const { runs } = await sweep({
      makeModel: ({ hidden }: { hidden: readonly number[] }) => mlp([4, ...hidden, 3]),
      makeOptimizer: (model: Model, { kind }: { kind: string }): Optimizer =>
        kind === 'adam' ? new Adam(model.parameters()) : new SGD(model.parameters()),
      makeScheduler: optimizer => new StepLR(optimizer, { stepSize: 2 }),
      grid: { hidden: [[8], [8, 8]], kind: ['adam', 'sgd'] },
      ...{ train, loss: new nn.CrossEntropyLoss(), epochs: 1 },
      onRun: run => told.push(run.params),
    })
    expect(runs.map(({ params }) => params.seed)).toEqual([0, 0, 0, 0])
    expect(new Set(told)).toEqual(new Set(runs.map(({ params }) => params)))
  })
})

describe('ending early', () => {
  const large = { makeModel: () => mlp([4, 300, 300, 3]), epochs: 200 }

  it('by a signal, keeping the runs that had ended', async () => {
    const controller = new AbortController()
    const running = sweep(options({ ...large, signal: controller.signal, onRun: () => controller.abort('enough') }))
    const error = await running.catch(e => e)
    expect(error).toMatchObject({ code: 'ERR_ABORTED', cause: 'enough' })
    expect(error.runs.length).toBeGreaterThan(0)
    expect(error.runs.length).toBeLessThan(6)
    await expect(sweep(options({ signal: AbortSignal.abort() }))).rejects.toMatchObject({ code: 'ERR_ABORTED' })
  })

  it('by a run that fails, with its error', async () => {
    const failing = {
      makeModel: ({ seed }: { seed: number }) => {
        if (seed === 7) throw new Error('mine')
        return mlp([4, 300, 300, 3])
      },
    }
    await expect(sweep(options({ ...large, ...failing }))).rejects.toThrow('mine')
    manualSeed(1) // the default stream is free
    const onRun = () => {
      throw new Error('told')
    }
    await expect(sweep(options({ grid: { lr: [0.1], seed: [0] }, onRun }))).rejects.toThrow('told')
  })
})

describe('bad input', () => {
  const withGenerator = new DataLoader(train.dataset as TensorDataset, { batchSize: 16, generator: new Generator(1) })
  it.each<[object, unknown]>([
    [{ grid: { lr: [] } }, RangeError],
    [{ grid: { lr: 1 } }, TypeError],
    [{ grid: null }, TypeError],
    [{ grid: { seed: [1.5] } }, RangeError],
    [{ makeModel: 1 }, TypeError],
    [{ makeModel: async () => mlp([4, 3]) }, TypeError],
    [{ makeOptimizer: () => ({}) }, TypeError],
    [{ makeScheduler: 1 }, TypeError],
    [{ onRun: 1 }, TypeError],
    [{ signal: {} }, expect.objectContaining({ code: 'ERR_ARG_TYPE' })],
    [{ rankBy: 'best' }, RangeError],
    [{ rankBy: 'testAcc', test: undefined }, RangeError],
    [{ train: withGenerator }, RangeError],
    [{ train: [] }, TypeError],
    [{ epochs: -1 }, RangeError],
    [{ optimizer: 1 }, TypeError],
    [{ callbacks: [] }, TypeError],
  ])('%o', async (change, kind) => {
    await expect(sweep(options(change))).rejects.toThrow(kind as never)
  })
})
