/** The memory that a fit holds: asked for before anything is held, and noticed where it goes. */

import { setImmediate as nextTurn } from 'node:timers/promises'
import { fit, lrFind, nn, optim, random, type Tensor, tensor } from 'anneal'
import { describe, expect, it } from 'vitest'
import { type Job, makeJob, mlp, stateOf } from './helpers/training.js'

const busy = { code: 'ERR_BUSY', message: expect.stringContaining('; await that run first') }
const loss = new nn.CrossEntropyLoss()
const adam = (model: nn.Module) => new optim.Adam(model.parameters(), { lr: 0.01 })
const make = () => makeJob({ optimizer: adam, widths: [4, 32, 3], rows: 200 })
const run = ({ model, train, test, optimizer }: Job, more: object = {}) =>
  fit(model, { train, test, loss, optimizer, epochs: 5, ...more })

describe('two runs over', () => {
  const head = (backbone: nn.Module) => new nn.Sequential(backbone as nn.Linear, new nn.ReLU(), new nn.Linear(32, 3))
  const firstLayer = ({ model }: Job) => model.modules()[1] as nn.Linear

  it.each<[string, (job: Job) => nn.Module]>([
    ['a shared layer', job => head(firstLayer(job))],
    ['a layer of the first alone', job => new nn.Sequential(firstLayer(job))],
    ['a model around the first', job => new nn.Sequential(job.model as nn.Sequential)],
    [
      'a tensor of its own over the same memory',
      job => {
        const layer = new nn.Linear(4, 32)
        Object.assign(layer, { weight: new nn.Parameter(firstLayer(job).weight.detach()) })
        return head(layer)
      },
    ],
  ])('%s: the second is refused at once, and nothing is lost', async (_, second) => {
    const [alone, job] = [make(), make()]
    const other = second(job) as Job['model']
    const optimizer = adam(other)
    random.manualSeed(2)
    await run(alone)
    random.manualSeed(2)
    const running = run(job, { onEpochEnd: () => nextTurn() })
    const refused = fit(other, { train: job.train, loss, optimizer, epochs: 1 })
    await expect(refused).rejects.toMatchObject(busy)
    expect(() => lrFind.sync(other, { train: job.train, loss, optimizer })).toThrow(expect.objectContaining(busy))
    await nextTurn()
    await expect(fit(other, { train: job.train, loss, optimizer, epochs: 1 })).rejects.toMatchObject(busy)
    expect((await running).trainLoss.length).toBe(5)
    expect(stateOf(job)).toEqual(stateOf(alone))
    expect(other.parameters().every(p => p.hold === null)).toBe(true)
    expect(optimizer.state.size).toBe(0)
  })

  it('one optimizer', async () => {
    const job = make()
    const running = run(job, { onEpochEnd: () => nextTurn() })
    const other = mlp([4, 32, 3])
    job.optimizer.addParamGroup({ params: other.parameters() })
    await expect(run({ ...job, model: other })).rejects.toMatchObject(busy)
    await running
  })
})

/** Gives the memory of a tensor away, as to a worker. */
function take({ buf }: Tensor): void {
  const { buffer } = buf as Float32Array
  structuredClone(buffer, { transfer: [buffer as ArrayBuffer] })
}

class Reading extends nn.Module {
  override forward(x: Tensor): Tensor {
    return x.mul(Number.isNaN(x.data[0]) ? 0 : 1)
  }
}

const engines: [string, () => nn.Module][] = [
  ['plan', () => new nn.ReLU()],
  ['eager', () => new nn.Sequential(new nn.BatchNorm1d(32), new Reading())],
]
const parts: [string, (job: Job) => Tensor][] = [
  ['a weight', ({ model }) => model.parameters()[0]],
  ['a bias', ({ model }) => model.parameters().at(-1)!],
  ['a running mean', ({ model }) => model.namedBuffers()[0][1]],
  ['the momentum', ({ optimizer }) => [...optimizer.state.values()][0].tensors.exp_avg],
  ['the rows to train on', ({ train }) => (train.dataset as never as { tensors: Tensor[] }).tensors[0]],
  ['the labels', ({ train }) => (train.dataset as never as { tensors: Tensor[] }).tensors[1]],
  ['the rows to test on', ({ test }) => (test!.dataset as never as { tensors: Tensor[] }).tensors[0]],
]

describe.each(engines)('memory that is gone, on the %s engine', (engine, between) => {
  const withNorm = () =>
    makeJob({
      optimizer: adam,
      rows: 100,
      model: () => mlp([4, 32, 3], () => new nn.Sequential(new nn.BatchNorm1d(32), between())),
    })

  it.each(parts)('%s: before a fit, and in a callback', async (_, part) => {
    const detached = { code: 'ERR_DETACHED' }
    const job = withNorm()
    expect((await run(job, { epochs: 1 })).engine).toBe(engine)
    take(part(job))
    await expect(run(job)).rejects.toMatchObject(detached)

    const other = withNorm()
    const onEpochEnd = () => take(part(other))
    await expect(run(other, { onEpochEnd })).rejects.toMatchObject(detached)
    expect(other.model.parameters().every(p => p.hold === null)).toBe(true)
  })
})

it('a hand-back that cannot be written rejects the fit, after writing what it can', async () => {
  const job = make()
  const [first, ...others] = job.model.parameters()
  const before = others.map(p => p.data.slice())
  let taken = false
  const onEpoch = () => {
    if (!taken) take(first)
    taken = true
    return true
  }
  const running = run(job, { callbacks: [{ watchOnly: true, onEpoch }] }) // the plan goes on with what it has
  await expect(running).rejects.toMatchObject({ code: 'ERR_DETACHED' })
  others.forEach((p, i) => {
    expect(p.data).not.toEqual(before[i])
  })
})

it('a detached copy that somebody else takes away is nobody else’s', async () => {
  const job = make()
  let done = false
  const onEpochEnd = async () => {
    await nextTurn()
    return !done
  }
  const running = run(job, { epochs: 1e6, onEpochEnd })
  for (let i = 0; i < 5; i++) {
    const view = job.model.parameters()[0].data
    structuredClone(view.buffer, { transfer: [view.buffer as ArrayBuffer] })
    expect(job.model.parameters()[0].data.length).toBe(4 * 32)
    await nextTurn()
  }
  done = true
  await running
  expect(tensor(job.model.parameters()[0].data).size).toBe(4 * 32)
})
