/** Repeated fits take their plans again, and whatever changes what a step does gives the bits of the explicit loop. */

import { beforeEach, describe, expect, it } from 'vitest'
import { DataLoader, type TensorDataset } from '../src/data/index.js'
import type { Model } from '../src/engine/options.js'
import * as nn from '../src/nn/index.js'
import { Adam, type Optimizer, SGD } from '../src/optim/index.js'
import { poolCounts } from '../src/plan/pool.js'
import { Generator, manualSeed } from '../src/random/index.js'
import { Tensor } from '../src/tensor/index.js'
import { earlyStopping } from '../src/train/callbacks.js'
import { fit } from '../src/train/fit.js'
import { blobs, explicitLoop, type Job, makeJob, stateOf } from './helpers/training.js'

const sgd = (options: object) => (model: Model) => new SGD(model.parameters(), { lr: 0.1, ...options })

beforeEach(() => {
  poolCounts.made = 0
  poolCounts.reused = 0
})

async function fitOnce({ model, ...rest }: Job, epochs = 1): Promise<string> {
  return (await fit(model, { ...rest, epochs })).engine
}

/** The same edits between epochs, once around fits and once in the explicit loop. */
async function compare(options: Parameters<typeof makeJob>[0], edits: ((job: Job) => void)[]): Promise<Job> {
  const loop = makeJob(options)
  const loopEdits = edits.map(edit => () => edit(loop))
  explicitLoop(loop, 2)
  for (const edit of loopEdits) {
    edit()
    explicitLoop(loop, 2)
  }
  const job = makeJob(options)
  expect(await fitOnce(job, 2)).toBe('plan')
  for (const edit of edits) {
    edit(job)
    expect(await fitOnce(job, 2)).toBe('plan')
  }
  expect(stateOf(job)).toEqual(stateOf(loop))
  return job
}

describe('many small fits', () => {
  it('of one batch each make one plan, keep the state, and give the bits of the loop', async () => {
    for (const optimizer of [sgd({ momentum: 0.9 }), (m: Model) => new Adam(m.parameters(), { lr: 0.01 })]) {
      const options = { optimizer, rows: 16, withTest: false }
      const [loop, job] = [makeJob(options), makeJob(options)]
      poolCounts.made = 0
      manualSeed(1)
      const expected = explicitLoop(loop, 300)
      manualSeed(1)
      const losses: number[] = []
      const { model, ...rest } = job
      for (let i = 0; i < 300; i++) losses.push(...fit.sync(model, { ...rest, epochs: 1 }).trainLoss)
      expect(losses).toEqual(expected.trainLoss)
      expect(stateOf(job)).toEqual(stateOf(loop))
      expect(poolCounts.made).toBeLessThanOrEqual(2) // a first momentum buffer needs no program of its own
    }
  })

  it('take the data as they are at the time', async () => {
    await compare({ optimizer: sgd({}) }, [
      job => (job.train.dataset as TensorDataset).tensors[0].data.fill(0.25, 3, 50),
      job => {
        job.train = new DataLoader(blobs(70, 4, 3, 11), { batchSize: 16, shuffle: true })
      },
    ])
    expect(poolCounts).toEqual({ made: 1, reused: 2 })
  })
})

class HalfLoss extends nn.CrossEntropyLoss {
  override forward(x: Tensor, y: Tensor): Tensor {
    return super.forward(x, y).mul(0.5)
  }
}

function assign(target: object, values: object): void {
  Object.assign(target, values)
}

describe('a change of what a step does', () => {
  const edits: [string, (job: Job) => void][] = [
    ['momentum', ({ optimizer }) => assign(optimizer.paramGroups[0], { momentum: 0.9 })],
    ['a frozen parameter', ({ model }) => assign(model.parameters()[0], { requiresGrad: false })],
    ['another loss', job => assign(job, { loss: new HalfLoss() })],
    [
      'another batch size',
      job => assign(job, { train: new DataLoader(job.train.dataset, { batchSize: 9, shuffle: true }) }),
    ],
    [
      'a replaced layer',
      ({ model, optimizer }) => {
        const layer = new nn.Linear(4, 16, { bias: false })
        Object.assign(model, { 0: layer })
        optimizer.addParamGroup({ params: layer.parameters(), momentum: 0.5 })
      },
    ],
    ['loaded state', ({ optimizer }) => optimizer.loadStateDict(structuredState(optimizer))],
  ]

  it.each(edits)('%s between fits', async (_, edit) => {
    await compare({ optimizer: sgd({}) }, [edit, () => {}])
  })

  it.each(edits.filter(([name]) => !/loss|batch/.test(name)))('%s in a callback', async (_, edit) => {
    const loop = makeJob({ optimizer: sgd({}) })
    explicitLoop(loop, 2)
    edit(loop)
    explicitLoop(loop, 3)
    const job = makeJob({ optimizer: sgd({}) })
    const { model, ...rest } = job
    const onEpochEnd = ({ epoch }: { epoch: number }) => {
      if (epoch === 2) edit(job)
    }
    expect((await fit(model, { ...rest, epochs: 5, onEpochEnd })).engine).toBe('plan')
    expect(stateOf(job)).toEqual(stateOf(loop))
  })

  it('by a callback at the start', async () => {
    const job = makeJob({ optimizer: sgd({}) })
    const { model, ...rest } = job
    const before = [...model.parameters()[0].data]
    const freeze = { onStart: (m: Model) => assign(m.parameters()[0], { requiresGrad: false }) }
    await fit(model, { ...rest, epochs: 2, callbacks: [freeze] })
    expect([...model.parameters()[0].data]).toEqual(before)
  })

  it('that no plan can express goes on in the explicit loop', async () => {
    const job = makeJob({ optimizer: sgd({}) })
    const { model, ...rest } = job
    const reading = { forward: (x: Tensor) => x.mul(x.data[0]) }
    const onEpochEnd = () => assign(model, { 1: Object.assign(new nn.ReLU(), reading) })
    const { engine, engineReason } = await fit(model, { ...rest, epochs: 5, onEpochEnd })
    expect({ engine, engineReason }).toEqual({ engine: 'eager', engineReason: expect.stringContaining('reads values') })
    expect(await fitOnce(job)).toBe('eager')
  })
})

function structuredState(optimizer: Optimizer) {
  const dict = optimizer.stateDict()
  const copy = (t: unknown) => (t instanceof Tensor ? new Tensor(t.shape, t.dtype, t.data.slice()) : t)
  const state = Object.entries(dict.state).map(([i, entry]) => [
    i,
    Object.fromEntries(Object.entries(entry).map(([key, value]) => [key, copy(value)])),
  ])
  return { ...dict, state: Object.fromEntries(state) }
}

describe('a large plan', () => {
  it('is taken again in a loop that never lets go, and let go when the event loop turns', async () => {
    const job = makeJob({ widths: [512, 1024, 10], batchSize: 70, optimizer: sgd({}), withTest: false })
    const { model, ...rest } = job
    for (let i = 0; i < 3; i++) fit.sync(model, { ...rest, epochs: 1 })
    expect(poolCounts).toEqual({ made: 1, reused: 2 })
    await new Promise(resolve => setImmediate(resolve))
    fit.sync(model, { ...rest, epochs: 1 })
    expect(poolCounts).toEqual({ made: 2, reused: 2 })
  })
})

describe('models of the same form', () => {
  /** A job that draws from a stream of its own. */
  const ownJob = (seed: number) => {
    const job = makeJob({ seed, widths: [64, 300, 10], optimizer: sgd({}), withTest: false })
    const generator = new Generator(seed)
    return { ...job, train: new DataLoader(job.train.dataset, { batchSize: 16, shuffle: true, generator }) }
  }

  it('share a plan one after the other, and have one each at the same time', async () => {
    const alone = [1, 2, 3].map(ownJob)
    for (const job of alone) await fitOnce(job, 30)
    expect(poolCounts).toEqual({ made: 1, reused: 2 })
    const together = [1, 2, 3].map(ownJob)
    await Promise.all(together.map(job => fitOnce(job, 30)))
    expect(poolCounts).toEqual({ made: 3, reused: 3 })
    expect(together.map(stateOf)).toEqual(alone.map(stateOf))
  })

  it('keep nothing of each other: weights, state, best weights', async () => {
    const options = { optimizer: sgd({ momentum: 0.9 }) }
    const first = makeJob(options)
    await fitOnce(first, 2)
    const { model, ...rest } = makeJob({ ...options, seed: 8 })
    await fit(model, { ...rest, epochs: 3, callbacks: [earlyStopping({ restoreBest: true })] })
    const again = makeJob(options)
    await fitOnce(again, 2)
    expect(stateOf(again)).toEqual(stateOf(first))
  })
})
