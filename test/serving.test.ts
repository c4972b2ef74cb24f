/** What others see of a model while it is trained: one published set of weights, of an epoch's start or end. */

import { once } from 'node:events'
import { Agent, createServer, get, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  callbacks,
  data,
  evaluate,
  fit,
  lrScheduler,
  nn,
  noGrad,
  optim,
  predict,
  random,
  type Tensor,
  tensor,
} from 'anneal'
import { afterEach, describe, expect, it } from 'vitest'
import { chunkSettings } from '../src/engine/chunks.js'
import type { Model } from '../src/engine/options.js'
import { type Job, type JobOptions, makeJob, mlp, stateOf } from './helpers/training.js'

const busy = expect.objectContaining({ code: 'ERR_BUSY', message: expect.stringMatching(/; .*(await|callback)/) })
const bits = (t: Tensor) => Buffer.from(t.data.buffer, t.data.byteOffset, t.data.byteLength).toString('hex')
const optionsOf = ({ train, test, loss, optimizer, scheduler }: Job) => ({ train, test, loss, optimizer, scheduler })
const busyError = { code: 'ERR_BUSY' }

/** Inputs of eight rows, predicted in two batches. */
const inputs = [1, 2, 3].map(seed => random.randn([8, 16], { generator: new random.Generator(seed) }))
const answer = async (model: Model, x: Tensor) => bits(await predict(model, x, { batchSize: 4 }))

const withDropout = () =>
  makeJob({
    widths: [16, 48, 10],
    rows: 4000,
    batchSize: 32,
    model: () => mlp([16, 48, 10], () => new nn.Sequential(new nn.ReLU(), new nn.Dropout({ p: 0.2 }))),
    optimizer: model => new optim.AdamW(model.parameters(), { lr: 0.003 }),
  })

function withBatchNorm(): Job {
  const job = makeJob({
    widths: [16, 40, 10],
    rows: 4010,
    batchSize: 32,
    seed: 8,
    model: () => mlp([16, 40, 10], () => new nn.Sequential(new nn.BatchNorm1d(40), new nn.ReLU())),
    optimizer: model => new optim.SGD(model.parameters(), { lr: 0.02, momentum: 0.9 }),
  })
  const generator = new random.Generator(5) // the default stream is the other run's
  const train = new data.DataLoader(job.train.dataset, { batchSize: 32, shuffle: true, generator })
  return { ...job, train }
}

/** The answers of an undisturbed run at its start and at each epoch's end, and its end state. */
async function undisturbed(makeRun: () => Job, epochs: number) {
  const job = makeRun()
  const answers = [await Promise.all(inputs.map(x => answer(job.model, x)))]
  const onEpochEnd = async () => {
    answers.push(await Promise.all(inputs.map(x => answer(job.model, x))))
  }
  random.manualSeed(1)
  await fit(job.model, { ...optionsOf(job), epochs, onEpochEnd })
  return { answers, state: stateOf(job) }
}

describe('a server', () => {
  let server: Server
  const agent = new Agent({ keepAlive: true })
  afterEach(() => {
    agent.destroy()
    server.close()
  })

  async function ask(path: string): Promise<string> {
    const { port } = server.address() as AddressInfo
    const [response] = await once(get({ port, path, agent }), 'response')
    const parts: Buffer[] = []
    for await (const part of response) parts.push(part)
    const text = Buffer.concat(parts).toString()
    if (response.statusCode !== 200) throw new Error(text)
    return text
  }

  it('answers 2000 requests while two fits run, each from the end of an epoch', async () => {
    const jobs = [withDropout(), withBatchNorm()]
    server = createServer(async ({ url }, response) => {
      try {
        const [, run, x] = url!.split('/').map(Number)
        random.rand([3]) // others draw from the global generator meanwhile
        response.end(await answer(jobs[run].model, inputs[x]))
      } catch (error) {
        response.writeHead(500).end(String(error))
      }
    }).listen(0)
    await once(server, 'listening')

    let done = false
    random.manualSeed(1)
    const running = [
      fit(jobs[0].model, { ...optionsOf(jobs[0]), epochs: 1e6, onEpochEnd: async () => !done }),
      fit(jobs[1].model, {
        ...optionsOf(jobs[1]),
        epochs: 1e6,
        callbacks: [{ watchOnly: true, onEpoch: () => !done }],
      }),
    ]
    const answers: string[][] = []
    const client = async (of: number) => {
      for (let i = of; i < 2000; i += 64) {
        const [run, x] = [i % 2, i % 3]
        answers.push([`${run}`, `${x}`, await ask(`/${run}/${x}`)])
      }
    }
    await Promise.all(Array.from({ length: 64 }, (_, i) => client(i)))
    done = true
    const histories = await Promise.all(running)
    expect(histories.map(({ engine }) => engine)).toEqual(['plan', 'plan'])
    expect(answers.length).toBe(2000)
    for (const [run, makeRun] of [withDropout, withBatchNorm].entries()) {
      const alone = await undisturbed(makeRun, histories[run].trainLoss.length)
      expect(stateOf(jobs[run])).toEqual(alone.state)
      const epochs = answers
        .filter(([of]) => Number(of) === run)
        .map(([, x, got]) => alone.answers.findIndex(at => at[Number(x)] === got))
      expect(epochs.filter(epoch => epoch < 0)).toEqual([])
      expect(new Set(epochs).size).toBeGreaterThanOrEqual(3)
    }
  })
})

/** Lets a run go on, and calls `look` between its steps until it is over. */
async function watching<T>(running: Promise<T>, look: () => unknown): Promise<T> {
  let over = false
  const end = running.finally(() => {
    over = true
  })
  end.catch(() => {})
  while (!over) {
    await nextTurn()
    if (!over) await look()
  }
  return end
}

const kinds: [string, Partial<JobOptions>][] = [
  ['the plan', {}],
  ['the eager engine', { model: () => mlp([4, 16, 3], () => new Reading()) }],
  ['a schedule-free optimizer', { optimizer: model => new optim.AdamWScheduleFree(model.parameters(), { lr: 0.02 }) }],
]

/** Reads values, which no plan can express. */
class Reading extends nn.Module {
  override forward(x: Tensor): Tensor {
    return x.relu().mul(Number.isNaN(x.data[0]) ? 0 : 1)
  }
}

describe.each(kinds)('published sets of %s', (_, options) => {
  const adam = (model: Model) => new optim.Adam(model.parameters(), { lr: 0.02 })
  const make = () => makeJob({ optimizer: adam, rows: 900, ...options })
  const X = random.randn([6, 4], { generator: new random.Generator(2) })
  const seen = (model: Model) => bits(noGrad(() => model.forward(X)))

  it.each([
    ['short chunks', 7],
    ['chunks of several epochs', 150],
  ])('are those of an undisturbed run, in order: %s', async (_, steps) => {
    const [alone, served] = [make(), make()]
    const ends = [seen(alone.model)]
    const epochs = steps > 100 ? 300 : 30 // long enough for the event loop to turn
    random.manualSeed(1)
    await fit(alone.model, { ...optionsOf(alone), epochs, onEpochEnd: () => void ends.push(seen(alone.model)) })
    chunkSettings.steps = steps
    try {
      const found: number[] = []
      random.manualSeed(1)
      const running = fit(served.model, { ...optionsOf(served), epochs })
      await watching(running, async () => {
        // Before anything is awaited: once the run is over, these are the model's own.
        for (const t of Object.values(served.model.stateDict())) t.data.fill(Number.NaN) // a copy, and nobody else's
        expect(X.data.length).toBe(24)
        const now = [seen(served.model), bits(await predict(served.model, X, { batchSize: 1 }))]
        found.push(...now.map(value => ends.indexOf(value)))
      })
      expect(found.length).toBeGreaterThan(0)
      expect(found).not.toContain(-1)
      expect(found).toEqual([...found].sort((a, b) => a - b))
      expect(stateOf(served)).toEqual(stateOf(alone))
    } finally {
      chunkSettings.steps = null
    }
  })
})

describe('during a fit', () => {
  const make = () =>
    makeJob({
      widths: [16, 64, 4],
      rows: 600,
      model: () => mlp([16, 64, 4], () => new nn.Sequential(new nn.BatchNorm1d(64), new nn.ReLU())),
      optimizer: model => new optim.SGD(model.parameters(), { lr: 0.05, momentum: 0.9 }),
    })

  async function during(look: (job: Job) => unknown, more: object = {}): Promise<Job> {
    const job = make()
    const running = fit(job.model, { ...optionsOf(job), epochs: 60, ...more })
    await watching(running, () => look(job))
    return job
  }

  it('what would change the model is refused, and the run goes on as if nobody had asked', async () => {
    const alone = await during(() => {})
    const other = make()
    let asked = 0
    const job = await during(({ model, optimizer, train, test, loss }) => {
      asked++
      const x = inputs[0]
      expect(() => model.forward(x)).toThrow(busy)
      expect(() => model.forward(x).sum().backward()).toThrow(busy)
      expect(() => noGrad(() => model.train().forward(x))).toThrow(busy) // batch norm would count it in
      expect(() => model.loadStateDict(other.model.stateDict())).toThrow(busy)
      expect(() => optimizer.loadStateDict(other.optimizer.stateDict())).toThrow(busy)
      expect(() => optimizer.stateDict()).toThrow(busy)
      expect(() => nn.init.zeros_(model.parameters()[0])).toThrow(busy)
      expect(() =>
        (model.modules().find(m => m instanceof nn.BatchNorm1d) as nn.BatchNorm1d).resetRunningStats(),
      ).toThrow(busy)
      expect(() => fit.sync(model, { train, loss, optimizer, epochs: 1 })).toThrow(busy)
      return evaluate(model, test!, loss)
    })
    expect(asked).toBeGreaterThan(0)
    expect(stateOf(job)).toEqual(stateOf(alone))
  })

  it('a callback sees and changes the weights themselves, across its awaits; others see a set', async () => {
    const outside: string[] = []
    let inside = ''
    const job = make()
    const running = fit(job.model, {
      ...optionsOf(job),
      epochs: 3,
      onEpochEnd: async () => {
        await nextTurn()
        job.model.parameters()[0].data.fill(0.25)
        await nextTurn()
        inside = bits(job.model.parameters()[0])
        expect(Object.keys(job.optimizer.stateDict().state).length).toBeGreaterThan(0)
        job.model.loadStateDict(job.model.stateDict())
      },
    })
    await watching(running, () => outside.push(bits(job.model.parameters()[0])))
    expect(inside).toBe(bits(tensor(new Float32Array(64 * 16).fill(0.25), { shape: [64, 16] })))
    expect(bits(job.model.parameters()[0])).toBe(inside)
    expect(outside.length).toBeGreaterThan(0)
  })

  it('a prediction that began before the fit, or goes on after it, is of one set', async () => {
    const job = make()
    const x = random.randn([4000, 16], { generator: new random.Generator(4) })
    const before = bits(predict.sync(job.model, x, { batchSize: 1 }))
    const early = predict(job.model, x, { batchSize: 1 })
    const running = fit(job.model, { ...optionsOf(job), epochs: 4 })
    expect(bits(await early)).toBe(before)
    await running
  })

  it('modes are as the fit has them, whoever evaluates', async () => {
    const modes = new Set<boolean>()
    await during(async ({ model, test, loss }) => {
      const evaluated = evaluate(model, test!, loss)
      modes.add(model.training)
      await evaluated
      modes.add(model.training)
    })
    expect([...modes]).toEqual([true])
  })

  it('copies of the model are of one set', async () => {
    const job = await during(({ model }) => {
      const copy = model.clone()
      expect(copy.stateDict()).toEqual(model.stateDict())
    })
    expect(job.model.parameters()[0].hold).toBeNull()
  })

  it('a view of a published weight is the caller’s own', async () => {
    const x = inputs[0]
    await during(({ model }) => {
      const before = bits(noGrad(() => model.eval().forward(x)))
      const [weight] = model.parameters()
      noGrad(() => weight.reshape([-1])).data.fill(Number.NaN)
      expect(bits(noGrad(() => model.forward(x)))).toBe(before)
      model.train()
    })
  })

  it('a layer that a callback adds is served with the rest', async () => {
    const job = makeJob({
      widths: [4, 3],
      rows: 400,
      optimizer: model => new optim.SGD(model.parameters(), { lr: 0.1 }),
    })
    const model = job.model as nn.Sequential & { extra?: nn.Linear }
    const first = model.modules()[1] as nn.Linear
    const x = random.randn([5, 4], { generator: new random.Generator(2) })
    let added = false
    const onEpochEnd = () => {
      if (added) return
      added = true
      Object.assign(first, { weight: new nn.Parameter(tensor(first.weight.data, { shape: [3, 4] })) })
      job.optimizer.addParamGroup({ params: [first.weight] })
    }
    const shapes = new Set<string>()
    await watching(fit(model, { ...optionsOf(job), epochs: 60, onEpochEnd }), async () => {
      shapes.add(String((await predict(model, x)).shape))
    })
    expect([...shapes]).toEqual(['5,3'])
  })

  it('an epoch that failOnNaN takes back is never seen', async () => {
    const x = random.randn([40, 4], { generator: new random.Generator(2) })
    const y = tensor(Int32Array.from({ length: 40 }, (_, i) => i % 3))
    const model = mlp([4, 16, 3])
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 })
    const train = new data.DataLoader(new data.TensorDataset(x, y), { batchSize: 8 })
    let updates = 0
    const scheduler = new lrScheduler.LambdaLR(optimizer, { lrLambda: () => (updates++ > 9000 ? 1e38 : 1) })
    const running = fit(model, {
      train,
      loss: new nn.CrossEntropyLoss(),
      optimizer,
      scheduler,
      epochs: 4000,
      callbacks: [callbacks.failOnNaN()],
    })
    let looks = 0
    const seen = watching(running, async () => {
      looks++
      expect((await predict(model, x)).data.every(Number.isFinite)).toBe(true)
    })
    await expect(seen).rejects.toMatchObject({ code: 'ERR_NONFINITE' })
    expect(looks).toBeGreaterThan(0)
  })

  it('a second fit of the model is refused', async () => {
    await during(({ model, train, loss, optimizer }) =>
      expect(fit(model, { train, loss, optimizer, epochs: 1 })).rejects.toMatchObject(busyError),
    )
  })
})
