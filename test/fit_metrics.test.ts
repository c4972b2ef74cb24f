/** `fit({ metrics, monitor })`: the metrics of all predictions, alike on the plan and in the explicit loop; what is refused. */

import { describe, expect, it } from 'vitest'
import { chunkSettings } from '../src/engine/chunks.js'
import {
  callbacks,
  data,
  type FitOptions,
  fit,
  lrScheduler,
  metrics,
  nn,
  noGrad,
  optim,
  predict,
  random,
  tensor,
} from '../src/index.js'
import type { Tensor } from '../src/tensor/index.js'
import { blobs, mlp } from './helpers/training.js'

const train = new data.DataLoader(blobs(70, 4, 3), { batchSize: 16, shuffle: true })
const test = new data.DataLoader(blobs(35, 4, 3, 9), { batchSize: 10 })

/** Reads values while it computes, so that it runs on the eager engine, with the same numbers. */
class Reading extends nn.Module {
  constructor(public inner: nn.Module & { forward(x: Tensor): Tensor }) {
    super()
  }
  forward(x: Tensor): Tensor {
    void x.data[0]
    return this.inner.forward(x)
  }
}

async function run(model: Parameters<typeof fit>[0], options: Partial<FitOptions>) {
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.05 })
  return fit(model, { train, test, loss: new nn.CrossEntropyLoss(), optimizer, epochs: 3, ...options })
}

const binary = (target: Tensor) => tensor([...target.data].map(label => (label === 1 ? 1 : 0)))
const binarySet = (() => {
  const [x, y] = blobs(60, 4, 3).tensors
  return new data.DataLoader(new data.TensorDataset(x, binary(y)), { batchSize: 16, shuffle: true })
})()
const numberSet = (() => {
  const [x, y] = blobs(60, 4, 3).tensors
  return new data.DataLoader(new data.TensorDataset(x, tensor([...y.data].map(v => [v + 0.5, -v]))), { batchSize: 16 })
})()
const squeezed = () => new nn.Sequential(new nn.Linear(4, 1), new nn.Flatten({ startDim: 0 }))

describe('fit({ metrics })', () => {
  it.each<[string, () => Parameters<typeof fit>[0], Partial<FitOptions>]>([
    [
      'classes',
      () => mlp([4, 16, 3]),
      { metrics: ['accuracy', 'f1', 'balancedAccuracy', 'rocAuc', 'logLoss', 'averagePrecision'] },
    ],
    [
      'several batches per update',
      () => mlp([4, 40, 3]),
      { accumulate: 2, metrics: ['accuracy', 'recall', 'precision'] },
    ],
    [
      'functions',
      () => mlp([4, 8, 3]),
      { metrics: { first: (y, p) => p.data[0] + y.data[0], rows: (y, p) => y.size * 1000 + p.size } },
    ],
    [
      'logits of two',
      squeezed,
      {
        train: binarySet,
        test: binarySet,
        loss: new nn.BCEWithLogitsLoss(),
        metrics: ['accuracy', 'rocAuc', 'logLoss', 'f1'],
      },
    ],
    [
      'numbers',
      () => mlp([4, 6, 2]),
      {
        train: numberSet,
        test: undefined,
        loss: new nn.MSELoss(),
        metrics: ['r2', 'meanAbsoluteError', 'rootMeanSquaredError'],
      },
    ],
  ])('has the same values on the plan and in the explicit loop: %s', async (_, make, options) => {
    const histories = []
    for (const wrap of [(model: never) => model, (model: never) => new Reading(model)]) {
      for (const steps of [null, 1]) {
        random.manualSeed(3)
        chunkSettings.steps = steps
        const model = wrap(make() as never) as Parameters<typeof fit>[0]
        const { engine, engineReason: _r, lr: _l, ...rest } = await run(model, options)
        chunkSettings.steps = null
        histories.push([engine, rest])
      }
    }
    expect(histories.map(([engine]) => engine)).toEqual(['plan', 'plan', 'eager', 'eager'])
    for (const [, rest] of histories) expect(rest).toEqual(histories[0][1])
    const { metrics: values } = histories[0][1] as { metrics: Record<string, { train: number[]; test?: number[] }> }
    for (const { train: ofTrain, test: ofTest } of Object.values(values)) {
      expect(ofTrain).toHaveLength(3)
      expect(ofTest?.length).toBe('test' in options && !options.test ? undefined : 3)
      expect([...ofTrain, ...(ofTest ?? [])].every(Number.isFinite)).toBe(true)
    }
  })
  it('has the same values of a stream, part by part', async () => {
    const [x, y] = blobs(70, 4, 3).tensors
    const rows = Array.from(y.data, (label, i) => ({ ...[...x.data.subarray(4 * i, 4 * i + 4)], label }))
    const source = async function* () {
      for (const from of [0, 30, 50]) {
        const names = ['0', '1', '2', '3', 'label'] as const
        const part = rows.slice(from, [30, 0, 0, 50, 0, 70][from / 10])
        yield Object.fromEntries(names.map(name => [name, part.map(row => row[name as never] as number)]))
      }
    }
    const stream = await data.streamTable(source, { inputs: ['0', '1', '2', '3'], target: 'label', partRows: 25 })
    const loader = new data.DataLoader(stream, { batchSize: 8, shuffle: true })
    const histories = []
    for (const wrap of [(model: never) => model, (model: never) => new Reading(model)]) {
      random.manualSeed(3)
      const options = { train: loader, test: loader, metrics: ['accuracy', 'f1'] as const }
      histories.push(await run(wrap(mlp([4, 16, 3]) as never), options))
    }
    const [plan, eager] = histories
    expect([plan.engine, eager.engine]).toEqual(['plan', 'eager'])
    expect(plan.metrics).toEqual(eager.metrics)
    expect(plan.metrics!.accuracy).toEqual({ train: plan.trainAcc, test: plan.testAcc })
  })
  it('are those of the metrics themselves, and trainAcc and testAcc among them', async () => {
    const model = mlp([4, 16, 3])
    const history = await run(model, { metrics: ['accuracy', 'f1'] })
    expect(history.metrics!.accuracy).toEqual({ train: history.trainAcc, test: history.testAcc })
    const [x, y] = blobs(35, 4, 3, 9).tensors
    const predicted = (await predict(model, x)).argmax(1)
    expect(history.metrics!.f1.test!.at(-1)).toBe(metrics.f1Score(y, predicted, { average: 'macro' }))
  })
  it('change no bit of the training, and reach events and callbacks', async () => {
    const states = []
    const seen: unknown[] = []
    for (const options of [{}, { metrics: ['f1' as const] }]) {
      random.manualSeed(1)
      const model = mlp([4, 16, 3])
      await run(model, { ...options, onEpochEnd: event => void seen.push(event.metrics) })
      states.push(model.stateDict())
    }
    expect(states[1]).toEqual(states[0])
    expect(seen.slice(0, 3)).toEqual([undefined, undefined, undefined])
    expect(seen[5]).toEqual({ f1: { train: expect.any(Number), test: expect.any(Number) } })
    const stop = callbacks.earlyStopping({ monitor: 'test.nothing', patience: 0 })
    const nothing = { nothing: () => 1 }
    expect((await run(mlp([4, 3]), { metrics: nothing, callbacks: [stop], epochs: 9 })).trainLoss).toHaveLength(2)
  })
  it('feed a plateau what monitor names', async () => {
    const fed: number[] = []
    const model = mlp([4, 16, 3])
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.05 })
    const scheduler = new lrScheduler.ReduceLROnPlateau(optimizer, { mode: 'max' })
    const step = scheduler.step.bind(scheduler)
    scheduler.step = value => {
      fed.push(value as number)
      step(value)
    }
    const history = await fit(model, {
      train,
      test,
      loss: new nn.CrossEntropyLoss(),
      optimizer,
      scheduler,
      epochs: 3,
      metrics: ['f1'],
      monitor: 'test.f1',
    })
    expect(fed).toEqual(history.metrics!.f1.test)
  })
})

describe('what is refused', () => {
  const model = mlp([4, 3])
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.05 })
  const plateau = new lrScheduler.ReduceLROnPlateau(optimizer, { mode: 'min' })
  it.each<[string, object, string]>([
    ['an unknown metric', { metrics: ['acuracy'] }, 'did you mean accuracy?'],
    [
      'a metric of numbers for classes',
      { metrics: ['r2'] },
      'metrics to fit a loss that predicts classes but received "r2"',
    ],
    ['what is no function', { metrics: { f1: 1 } }, 'metrics.f1 to be a function'],
    ['to monitor what is not there', { monitor: 'test.f1' }, 'monitor to be one of metrics'],
    ['to monitor without a test loader', { monitor: 'testAcc', test: undefined }, 'a test loader'],
    ['the other direction', { monitor: 'testAcc', scheduler: plateau }, "a plateau of mode 'max' for monitor testAcc"],
    ['a figure that is none', { monitor: 'accuracy' }, 'monitor to be'],
  ])('%s', async (_, options, text) => {
    const given = { train, test, loss: new nn.CrossEntropyLoss(), optimizer, epochs: 1, ...options }
    await expect(fit(model, given as never)).rejects.toThrow(text)
  })
  it('noGrad holds while metrics are computed', async () => {
    const reading = { grad: (_: Tensor, p: Tensor) => Number(p.mul(p).requiresGrad) }
    expect((await run(mlp([4, 3]), { metrics: reading, epochs: 1 })).metrics!.grad.train).toEqual([0])
    expect(noGrad(() => 1)).toBe(1)
  })
})
