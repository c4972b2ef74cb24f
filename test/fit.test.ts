/** `fit`: the plan against the explicit loop bit for bit, and everything around it: abort, callbacks, busy, errors. */

import { afterEach, describe, expect, it } from 'vitest'
import { DataLoader, Subset, TensorDataset } from '../src/data/index.js'
import { Unplannable } from '../src/emitters/unplannable.js'
import { chunkSettings } from '../src/engine/chunks.js'
import type { Model } from '../src/engine/options.js'
import {
  ExponentialLR,
  LambdaLR,
  type LRScheduler,
  OneCycleLR,
  ReduceLROnPlateau,
  StepLR,
} from '../src/lr_scheduler/index.js'
import * as nn from '../src/nn/index.js'
import { Adam, type Optimizer, SGD } from '../src/optim/index.js'
import { Generator, rand } from '../src/random/index.js'
import { type Tensor, tensor } from '../src/tensor/index.js'
import { earlyStopping, failOnNaN } from '../src/train/callbacks.js'
import { evaluate, predict } from '../src/train/evaluate.js'
import { fit } from '../src/train/fit.js'
import type { AbortedError } from '../src/train/history.js'
import { variants } from './helpers/optimizers.js'
import { blobs, explicitLoop, type Job, type JobOptions, makeJob, mlp, stateOf } from './helpers/training.js'

const sgd = (options: object) => (model: Model) => new SGD(model.parameters(), { lr: 0.1, ...options })
const optimizers: [string, JobOptions['optimizer']][] = [
  ...variants.map((v): [string, JobOptions['optimizer']] => [v.title, model => v.make(v.parametersOf(model))]),
  [
    'two groups',
    model =>
      new SGD(
        [
          { params: model.parameters().slice(0, 2), momentum: 0.9 },
          { params: model.parameters().slice(2), lr: 0.03 },
        ],
        { lr: 0.1 },
      ),
  ],
]
const nets: [string, Partial<JobOptions>][] = [
  ['2-8-3', { widths: [2, 8, 3], batchSize: 32 }],
  ['4-16-16-3', { widths: [4, 16, 16, 3] }],
  ['64-32-10', { widths: [64, 32, 10], batchSize: 64, rows: 200 }],
  ['one layer', { widths: [5, 4] }],
  ['odd widths', { widths: [33, 100, 17, 5], rows: 50, batchSize: 7 }],
]

/** Sets of more than a megabyte and layers of many inputs: here a batch is handed on by the product that reads it last. */
const wideNets: [string, Partial<JobOptions>][] = [
  ['784-128-10', { widths: [784, 128, 10], batchSize: 128, rows: 700 }],
  ['784-256-128-10', { widths: [784, 256, 128, 10], batchSize: 128, rows: 400 }],
  ['784-1024-1024-10', { widths: [784, 1024, 1024, 10], batchSize: 256, rows: 600 }],
  ['1536-512-10', { widths: [1536, 512, 10], batchSize: 256, rows: 600 }],
  ['130-20-5', { widths: [130, 20, 5], batchSize: 37, rows: 2100 }],
]
const wideOptimizers: [string, JobOptions['optimizer']][] = [
  ['SGD', model => new SGD(model.parameters(), { lr: 0.01 })],
  ['Nesterov', model => new SGD(model.parameters(), { lr: 0.01, momentum: 0.9, nesterov: true, weightDecay: 0.01 })],
  ['Adam', model => new Adam(model.parameters())],
]

afterEach(() => {
  chunkSettings.steps = null
})

interface Extra {
  accumulate?: number
  clip?: number
  threads?: number
}

async function compare(options: JobOptions, epochs: number, extra: Extra = {}) {
  const loop = makeJob(options)
  const expected = explicitLoop(loop, epochs, extra)
  const job = makeJob(options)
  const { model, ...rest } = job
  const { clip: clipGradNorm, accumulate, threads } = extra
  const history = await fit(model, { ...rest, epochs, clipGradNorm, accumulate, threads })
  expect(history.engine, history.engineReason).toBe('plan')
  expect(history.trainLoss).toEqual(expected.trainLoss)
  if (job.test) expect(history.testLoss).toEqual(expected.testLoss)
  expect(stateOf(job)).toEqual(stateOf(loop))
  return history
}

describe('the plan gives the bits of the explicit loop', () => {
  it.each(optimizers)('%s', async (_name, optimizer) => {
    await compare({ optimizer }, 12)
  })

  it.each(nets)('%s', async (_name, net) => {
    await compare({ ...net, optimizer: sgd({ momentum: 0.9 }) }, 12)
  })

  describe.each(wideNets)('%s', (_net, net) => {
    it.each(wideOptimizers)('%s, on any number of threads', async (_name, optimizer) => {
      for (const threads of [1, 2, 3]) await compare({ ...net, optimizer, withTest: false }, 2, { threads })
    })
  })

  it.each([1, 7, 1000])('in chunks of %i steps', async steps => {
    chunkSettings.steps = steps
    await compare({ optimizer: sgd({ momentum: 0.9 }), scheduler: o => new StepLR(o, { stepSize: 3 }) }, 6)
  })

  it.each([2, 3, 8])('on %i threads', async threads => {
    const options = { widths: [64, 256, 10], rows: 300, batchSize: 128, optimizer: sgd({}) }
    const one = makeJob(options)
    await fit(one.model, { ...withoutModel(one), epochs: 2, threads: 1 })
    const many = makeJob(options)
    await fit(many.model, { ...withoutModel(many), epochs: 2, threads })
    expect(stateOf(many)).toEqual(stateOf(one))
  })

  it.each([2, 3])('with %i batches per update', async accumulate => {
    await compare({ optimizer: sgd({}) }, 4, { accumulate })
  })

  it.each([
    ['tight', { clip: 0.01 }],
    ['wide', { clip: 0.8 }],
    ['without effect', { clip: Infinity }],
    ['with accumulation', { clip: 0.1, accumulate: 2 }],
  ])('with clipped gradients: %s', async (_name, extra) => {
    await compare({ optimizer: sgd({ momentum: 0.9 }) }, 6, extra)
    await compare({ optimizer: model => new Adam(model.parameters(), { lr: 0.01 }), widths: [33, 100, 5] }, 6, extra)
  })

  it('with clipped gradients that are not finite', async () => {
    await compare({ optimizer: sgd({ lr: 1e30 }) }, 3, { clip: 1e30 })
  })

  it('with dropLast, without a test set, with a schedule', async () => {
    const history = await compare(
      { optimizer: sgd({}), dropLast: true, withTest: false, scheduler: o => new ExponentialLR(o, { gamma: 0.9 }) },
      5,
    )
    expect(history.lr.length).toBe(5 * 4)
    expect(history.lr[1]).toBeCloseTo(0.09, 12)
    expect(history.testLoss).toBeUndefined()
  })

  it.each<[string, JobOptions['optimizer'], (o: Optimizer) => LRScheduler]>([
    ['momentum', sgd({ momentum: 0.9 }), o => new OneCycleLR(o, { maxLr: 0.1, totalSteps: 60 })],
    ['betas', m => new Adam(m.parameters()), o => new OneCycleLR(o, { maxLr: 0.01, totalSteps: 60 })],
    ['weight decay', sgd({ weightDecay: 0.1 }), o => new StepLR(o, { stepSize: 2, param: 'weightDecay' })],
    [
      'a momentum that begins, ends and begins again',
      sgd({ momentum: 0.9 }),
      o => new LambdaLR(o, { lrLambda: t => Number(t % 20 > 7), param: 'momentum' }),
    ],
  ])('while a schedule drives %s', async (_, optimizer, scheduler) => {
    for (const steps of [null, 1, 7]) {
      chunkSettings.steps = steps
      await compare({ optimizer, scheduler }, 12)
    }
  })

  it('up to where a schedule throws, or gives a rate that is no number', async () => {
    const failing = (at: number) => (o: Optimizer) =>
      new LambdaLR(o, {
        lrLambda: t => {
          if (t === at) throw new Error('mine')
          return 0.9 ** t
        },
      })
    for (const at of [1, 4, 5, 6, 13, 22]) {
      const options = { optimizer: sgd({ momentum: 0.9 }), scheduler: failing(at) }
      const loop = makeJob(options)
      expect(() => explicitLoop(loop, 6)).toThrow('mine')
      const job = makeJob(options)
      await expect(fit(job.model, { ...withoutModel(job), epochs: 6 })).rejects.toThrow('mine')
      expect(stateOf(job), `at ${at}`).toEqual(stateOf(loop))
      expect(job.scheduler!.stateDict()).toEqual(loop.scheduler!.stateDict())
    }
  })

  it('over a subset, with its own generator, and synchronously', () => {
    const build = () => {
      const job = makeJob({ optimizer: sgd({}) })
      const part = new Subset(job.train.dataset, [3, 1, 60, 5, 8, 22, 44, 7, 9, 2])
      return { ...job, train: new DataLoader(part, { batchSize: 4, shuffle: true, generator: new Generator(5) }) }
    }
    const [loop, job] = [build(), build()]
    const expected = explicitLoop(loop, 5)
    const history = fit.sync(job.model, { ...withoutModel(job), epochs: 5 })
    expect(history.engine).toBe('plan')
    expect(history.trainLoss).toEqual(expected.trainLoss)
    expect(stateOf(job)).toEqual(stateOf(loop))
    expect(job.train.generator!.randperm(5)).toEqual(loop.train.generator!.randperm(5))
  })

  it('in many small fits', async () => {
    const options = { optimizer: sgd({ momentum: 0.9 }), rows: 16, withTest: false }
    const loop = makeJob(options)
    const expected = explicitLoop(loop, 40)
    const job = makeJob(options)
    const losses: number[] = []
    for (let i = 0; i < 40; i++) losses.push(...(await fit(job.model, { ...withoutModel(job), epochs: 1 })).trainLoss)
    expect(losses).toEqual(expected.trainLoss)
    expect(stateOf(job)).toEqual(stateOf(loop))
  })
})

// biome-ignore lint/suspicious/noExplicitAny: passes the other options on.
function withoutModel({ model: _, ...rest }: any): any {
  return rest
}

class Reader extends nn.Module {
  fc = new nn.Linear(4, 3)
  override forward(x: Tensor): Tensor {
    const y = this.fc.forward(x)
    return y.data[0] > 1e9 ? y.neg() : y
  }
}

describe('the eager engine steps in', () => {
  it('where the model reads values, and says so', async () => {
    const job = makeJob({ optimizer: sgd({}) })
    const model = new Reader()
    const history = await fit(model, { ...withoutModel(job), optimizer: new SGD(model.parameters()), epochs: 2 })
    expect(history).toMatchObject({ engine: 'eager', engineReason: 'the model reads values while it computes' })
    expect(model.parameters().every(p => p.grad === null)).toBe(true)
  })

  it('for other data sets, with the same numbers as the loop', async () => {
    const options = { optimizer: sgd({}) }
    const loop = makeJob(options)
    const expected = explicitLoop(loop, 4, { clip: 0.1 })
    const job = makeJob(options)
    const { dataset, batchSize } = job.train
    const train = new DataLoader({ length: dataset.length, get: i => dataset.get(i) }, { batchSize, shuffle: true })
    const history = await fit(job.model, { ...withoutModel(job), train, epochs: 4, clipGradNorm: 0.1 })
    expect(history.engine).toBe('eager')
    expect(history.trainLoss).toEqual(expected.trainLoss)
    expect(stateOf(job)).toEqual(stateOf(loop))
  })
})

describe('callbacks', () => {
  it('see each epoch with the weights of that epoch, and may edit the rate', async () => {
    const job = makeJob({ optimizer: sgd({}) })
    const seen: number[] = []
    const history = await fit(job.model, {
      ...withoutModel(job),
      epochs: 4,
      onEpochEnd: async event => {
        const { loss } = await evaluate(job.model, job.test!, job.loss)
        expect(loss).toBe(event.testLoss)
        seen.push(event.epoch)
        job.optimizer.paramGroups[0].lr = 0.5
        return event.epoch < 3
      },
    })
    expect(seen).toEqual([1, 2, 3])
    expect(history.trainLoss.length).toBe(3)
    expect(history.lr.at(-1)).toBe(0.5)
  })

  it('stop early and bring back the best weights', async () => {
    const job = makeJob({ optimizer: sgd({ lr: 2 }) })
    const losses: number[] = []
    const stopper = earlyStopping({ patience: 2, restoreBest: true })
    await fit(job.model, {
      ...withoutModel(job),
      epochs: 50,
      callbacks: [stopper],
      onEpochEnd: e => void losses.push(e.testLoss!),
    })
    expect(losses.length).toBeLessThan(50)
    const { loss } = await evaluate(job.model, job.test!, job.loss)
    expect(loss).toBe(Math.min(...losses))
  })

  it('bring back the best weights when not ended early', async () => {
    const job = makeJob({ optimizer: sgd({ lr: 2 }) })
    const losses: number[] = []
    await fit(job.model, {
      ...withoutModel(job),
      epochs: 5,
      callbacks: [earlyStopping({ patience: 50, restoreBest: true })],
      onEpochEnd: e => void losses.push(e.testLoss!),
    })
    expect((await evaluate(job.model, job.test!, job.loss)).loss).toBe(Math.min(...losses))
  })

  it('fail on NaN when asked to', async () => {
    const job = makeJob({ optimizer: sgd({ lr: 1e30 }) })
    await expect(fit(job.model, { ...withoutModel(job), epochs: 9, callbacks: [failOnNaN()] })).rejects.toMatchObject({
      code: 'ERR_NONFINITE',
    })
  })

  it('drive a plateau schedule with the test loss', async () => {
    const job = makeJob({
      optimizer: sgd({ lr: 1e-7 }),
      scheduler: o => new ReduceLROnPlateau(o, { patience: 0, threshold: 0.1 }),
    })
    const history = await fit(job.model, { ...withoutModel(job), epochs: 4 })
    expect(history.lr.at(-1)).toBeLessThan(1e-5)
  })

  it('report progress', async () => {
    const job = makeJob({ widths: [64, 512, 10], rows: 2000, batchSize: 50, withTest: false, optimizer: sgd({}) })
    const events: number[] = []
    await fit(job.model, { ...withoutModel(job), epochs: 20, onProgress: e => void events.push(e.step / e.steps) })
    expect(events).toEqual([...events].sort((a, b) => a - b))
    expect(events[0]).toBeGreaterThan(0)
    expect(events.at(-1)).toBe(1)
  })

  it('that throw end the fit and leave the model usable', async () => {
    const job = makeJob({ optimizer: sgd({}) })
    const options = {
      ...withoutModel(job),
      epochs: 3,
      onEpochEnd: () => {
        throw new Error('mine')
      },
    }
    await expect(fit(job.model, options)).rejects.toThrow('mine')
    await fit(job.model, { ...withoutModel(job), epochs: 1 })
    expect(() => fit.sync(job.model, { ...withoutModel(job), epochs: 1, onEpochEnd: async () => {} })).toThrow(
      /synchronous/,
    )
  })
})

describe('abort', () => {
  it('leaves the model after a whole step, from which training goes on as if uninterrupted', async () => {
    chunkSettings.steps = 1000
    const options = {
      widths: [64, 256, 10],
      rows: 4000,
      batchSize: 16,
      withTest: false,
      optimizer: sgd({ momentum: 0.9 }),
      scheduler: (o: Optimizer) => new StepLR(o, { stepSize: 5, gamma: 0.99 }),
    }
    const job = makeJob(options)
    const controller = new AbortController()
    setTimeout(() => controller.abort('enough'), 30)
    const error = await fit(job.model, { ...withoutModel(job), epochs: 1000, signal: controller.signal }).catch(e => e)
    expect(error).toMatchObject({ code: 'ERR_ABORTED', cause: 'enough' })
    const drawn = rand([4]).toArray()
    const steps = error.history.lr.length
    const loop = makeJob(options)
    stepsOfLoop(loop, steps)
    expect(stateOf(job)).toEqual(stateOf(loop))
    expect(job.scheduler!.stateDict()).toEqual(loop.scheduler!.stateDict())
    expect(drawn).toEqual(rand([4]).toArray())
  })

  it('in a chunk of several epochs leaves streams, schedule and counts as of the last step', async () => {
    chunkSettings.steps = 2000
    const build = () => {
      const job = makeJob({
        ...{ widths: [64, 128, 10], rows: 500, batchSize: 16, optimizer: m => new Adam(m.parameters()) },
        scheduler: o => new StepLR(o, { stepSize: 5, gamma: 0.99 }),
      })
      const generator = new Generator(5)
      return { ...job, train: new DataLoader(job.train.dataset, { batchSize: 16, shuffle: true, generator }) }
    }
    const [job, error] = await abortedMidEpoch(build, 32)
    const drawn = [rand([4]).toArray(), job.train.generator!.getState()]
    expect(error.history.trainLoss).toHaveLength(Math.floor(error.history.lr.length / 32))
    const loop = build()
    explicitLoop(loop, error.history.trainLoss.length)
    stepsOfLoop(loop, error.history.lr.length % 32)
    expect(stateOf(job)).toEqual(stateOf(loop))
    expect(job.scheduler!.stateDict()).toEqual(loop.scheduler!.stateDict())
    expect(drawn).toEqual([rand([4]).toArray(), loop.train.generator!.getState()])
  })

  it('or the end before the first step leaves no state behind', async () => {
    const job = makeJob({ optimizer: sgd({ momentum: 0.9 }) })
    await fit(job.model, { ...withoutModel(job), epochs: 0 })
    expect(job.optimizer.stateDict().state).toEqual({})
    const before = job.optimizer.state.size
    await fit(job.model, { ...withoutModel(job), epochs: 1 })
    expect([before, job.optimizer.state.size]).toEqual([0, 4])
  })

  it('before the start does nothing', async () => {
    const job = makeJob({ optimizer: sgd({}) })
    const before = stateOf(job)
    await expect(
      fit(job.model, { ...withoutModel(job), epochs: 2, signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    expect(stateOf(job)).toEqual(before)
  })
})

/** A job aborted within an epoch, and not where the explicit loop may or may not have drawn: around its last batch. */
async function abortedMidEpoch(build: () => Job, updatesPerEpoch: number): Promise<[Job, AbortedError]> {
  for (let ms = 20; ; ms++) {
    const job = build()
    const controller = new AbortController()
    setTimeout(() => controller.abort(), ms)
    const error = await fit(job.model, { ...withoutModel(job), epochs: 1e6, signal: controller.signal }).catch(e => e)
    expect(error).toMatchObject({ code: 'ERR_ABORTED' })
    const updates = error.history.lr.length
    const place = updates % updatesPerEpoch
    if (updates > updatesPerEpoch && place > 0 && place < updatesPerEpoch - 1) return [job, error]
  }
}

function stepsOfLoop(job: ReturnType<typeof makeJob>, steps: number): void {
  let done = 0
  while (done < steps) {
    for (const [x, y] of job.train) {
      if (done === steps) return
      job.loss.forward(job.model.forward(x), y).backward()
      job.optimizer.step()
      job.optimizer.zeroGrad()
      job.scheduler?.step()
      done++
    }
  }
}

describe('what a running fit holds', () => {
  it('is refused to others who would write, and free again afterwards', async () => {
    const job = makeJob({ widths: [64, 512, 10], rows: 4000, batchSize: 50, withTest: false, optimizer: sgd({}) })
    const controller = new AbortController()
    const running = fit(job.model, { ...withoutModel(job), epochs: 1e6, signal: controller.signal })
    expect(() => job.model.forward(tensor(new Float32Array(64), { shape: [1, 64] }))).toThrow(
      expect.objectContaining({ code: 'ERR_BUSY' }),
    )
    await expect(fit(job.model, { ...withoutModel(job), epochs: 1 })).rejects.toMatchObject({ code: 'ERR_BUSY' })
    controller.abort()
    await expect(running).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    expect(job.model.forward(tensor(new Float32Array(64), { shape: [1, 64] })).shape).toEqual([1, 10])
    expect(rand([2]).shape).toEqual([2])
  })

  it('does not keep two fits on different models and generators apart', async () => {
    const build = (seed: number) => {
      const job = makeJob({ seed, optimizer: sgd({}), withTest: false })
      return {
        ...job,
        train: new DataLoader(job.train.dataset, { batchSize: 16, shuffle: true, generator: new Generator(seed) }),
      }
    }
    const alone = [build(1), build(2)]
    for (const job of alone) await fit(job.model, { ...withoutModel(job), epochs: 5 })
    const together = [build(1), build(2)]
    await Promise.all(together.map(job => fit(job.model, { ...withoutModel(job), epochs: 5 })))
    expect(together.map(stateOf)).toEqual(alone.map(stateOf))
  })
})

describe('bad input', () => {
  const job = () => makeJob({ optimizer: sgd({}) })
  const call = (change: object, model?: unknown) => {
    const j = job()
    return fit((model ?? j.model) as Model, { ...withoutModel(j), epochs: 1, ...change })
  }

  it.each([
    [{ epochs: -1 }, RangeError],
    [{ epochs: 1.5 }, RangeError],
    [{ epochs: '3' }, TypeError],
    [{ train: [] }, TypeError],
    [{ test: 1 }, TypeError],
    [{ loss: null }, TypeError],
    [{ optimizer: {} }, TypeError],
    [{ scheduler: 1 }, TypeError],
    [{ threads: 0 }, RangeError],
    [{ threads: 1025 }, RangeError],
    [{ accumulate: 0 }, RangeError],
    [{ clipGradNorm: -1 }, RangeError],
    [{ signal: {} }, TypeError],
    [{ onEpochEnd: 1 }, TypeError],
    [{ callbacks: 1 }, TypeError],
    [{ stepSchedulerEvery: 'year' }, RangeError],
    [{ epoch: 1 }, TypeError],
  ])('%o', async (change, kind) => {
    await expect(call(change)).rejects.toThrow(kind)
  })

  it('names a label out of range before anything is trained', async () => {
    const { model, optimizer, loss } = job()
    const y = Int32Array.from({ length: 20 }, (_, i) => (i === 13 ? 3 : 0))
    const train = new DataLoader(new TensorDataset(blobs(20, 4, 3).tensors[0], tensor(y)), { batchSize: 8 })
    const before = model.parameters().map(p => [...p.data])
    await expect(fit(model, { train, loss, optimizer, epochs: 1 })).rejects.toThrow(
      'labels[13] to be in [0, 2] but received 3',
    )
    expect(model.parameters().map(p => [...p.data])).toEqual(before)
  })

  it('refuses a model of other widths, an optimizer of another model, a detached data set', async () => {
    await expect(call({}, mlp([5, 3]))).rejects.toThrow()
    await expect(call({ optimizer: new SGD(mlp([4, 3]).parameters()) })).rejects.toThrow(/model's parameters/)
    const j = job()
    const { buffer } = (j.train.dataset as TensorDataset).tensors[0].data
    structuredClone(buffer, { transfer: [buffer as ArrayBuffer] })
    await expect(fit(j.model, { ...withoutModel(j), epochs: 1 })).rejects.toMatchObject({ code: 'ERR_DETACHED' })
  })

  it('does not take a rate that became NaN', async () => {
    const j = job()
    const before = stateOf(j)
    j.optimizer.paramGroups[0].lr = Number.NaN
    await expect(fit(j.model, { ...withoutModel(j), epochs: 1 })).rejects.toThrow(RangeError)
    expect(stateOf(j)).toEqual(before)
  })
})

describe('evaluate and predict', () => {
  it('agree with forward, batch by batch', async () => {
    const { model, test, loss } = makeJob({ optimizer: sgd({}) })
    const { loss: value, accuracy, count } = await evaluate(model, test!, loss)
    expect(count).toBe(35)
    expect(accuracy).toBeGreaterThanOrEqual(0)
    expect(evaluate.sync(model, test!, loss).loss).toBe(value)
    const [x] = (test!.dataset as TensorDataset).tensors
    expect((await predict(model, x, { batchSize: 8 })).toArray()).toEqual(model.forward(x).toArray())
    expect(model.training).toBe(true)
  })

  it('refuse what they cannot use', async () => {
    const { model, test, loss } = makeJob({ optimizer: sgd({}) })
    await expect(evaluate(model, [] as never, loss)).rejects.toThrow(TypeError)
    await expect(evaluate(1 as never, test!, loss)).rejects.toThrow(TypeError)
    await expect(predict(model, 1 as never)).rejects.toThrow(TypeError)
    await expect(predict(model, tensor([[1, 2, 3, 4]]), { batchSize: 0 })).rejects.toThrow(RangeError)
  })
})

it('Unplannable is no AnnealError: it never reaches the user', () => {
  expect(new Unplannable('x')).not.toHaveProperty('code')
})
