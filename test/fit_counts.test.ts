/** What `fit` feeds its schedules, counts as right, awaits and hands back when it fails; right values by hand or by loop. */

import { callbacks, data, evaluate, fit, lrScheduler, nn, optim, random, sweep, tensor } from 'anneal'
import { describe, expect, it } from 'vitest'
import { blobs, makeJob, mlp, stateOf } from './helpers/training.js'

type Schedule = (o: optim.Optimizer) => lrScheduler.LRScheduler

const sgd = (model: nn.Module) => new optim.SGD(model.parameters(), { lr: 0.1 })

function job(scheduler?: Schedule, rows = 40) {
  random.manualSeed(0)
  const model = mlp([4, 3])
  const optimizer = sgd(model)
  const load = () => new data.DataLoader(blobs(rows, 4, 3), { batchSize: 8 })
  const loss = new nn.CrossEntropyLoss()
  return { model, options: { train: load(), test: load(), loss, optimizer, scheduler: scheduler?.(optimizer) } }
}

describe('what schedules are fed', () => {
  it('a plateau whose mode contradicts what it is fed is refused, wherever it is', async () => {
    const max: Schedule = o => new lrScheduler.ReduceLROnPlateau(o, { mode: 'max' })
    const wrapped: Schedule = o => new lrScheduler.WarmupLR(o, { steps: 3, schedule: max(o) })
    for (const scheduler of [max, wrapped]) {
      const { model, options } = job(scheduler)
      await expect(fit(model, { ...options, epochs: 1 })).rejects.toThrow(
        "a plateau of mode 'min' for monitor testLoss",
      )
      await expect(fit(model, { ...options, monitor: 'trainLoss', epochs: 1 })).rejects.toThrow(RangeError)
      await expect(fit(model, { ...options, monitor: 'testAcc', epochs: 2 })).resolves.toBeTruthy()
    }
  })

  it.each<[string, Schedule, (t: number) => number]>([
    [
      'a warm-up before a plateau',
      o => new lrScheduler.WarmupLR(o, { steps: 8, startFactor: 0.2, schedule: plateau(o) }),
      t => 0.1 * Math.min(1, 0.2 + (0.8 * t) / 8) * 0.5 ** Math.max(0, Math.floor(t / 5) - 2),
    ],
    [
      'a sequence with a plateau',
      o =>
        new lrScheduler.SequentialLR(o, {
          schedulers: [new lrScheduler.LinearLR(o, { startFactor: 0.5, totalIters: 7 }), plateau(o)],
          milestones: [7],
        }),
      t => (t < 7 ? 0.1 * (0.5 + (0.5 * t) / 7) : 0.1 * 0.5 ** Math.max(0, Math.floor(t / 5) - 2)),
    ],
    [
      'a chain with a plateau',
      o => new lrScheduler.ChainedScheduler([new lrScheduler.ExponentialLR(o, { gamma: 0.9 }), plateau(o)]),
      t => 0.1 * 0.9 ** t * 0.5 ** Math.max(0, Math.floor(t / 5) - 1),
    ],
  ])('%s counts updates, and the plateau epochs', async (_name, scheduler, rate) => {
    const { model, options } = job(scheduler)
    const { lr } = await fit(model, { ...options, epochs: 4 })
    expect(lr).toHaveLength(20)
    lr.forEach((value, t) => void expect(value).toBeCloseTo(rate(t), 12))
  })

  /** One that is never content: it halves with every step but the first. */
  const plateau = (o: optim.Optimizer) =>
    new lrScheduler.ReduceLROnPlateau(o, { factor: 0.5, patience: 0, threshold: 0.999 })

  it('stepSchedulerEvery is honoured, or refused for a plateau alone', async () => {
    const scheduler: Schedule = o =>
      new lrScheduler.ChainedScheduler([new lrScheduler.ExponentialLR(o, { gamma: 0.9 }), plateau(o)])
    const { model, options } = job(scheduler)
    const { lr } = await fit(model, { ...options, stepSchedulerEvery: 'epoch', epochs: 3 })
    lr.forEach((value, t) => void expect(value).toBeCloseTo(0.1 * [1, 0.9, 0.405][Math.floor(t / 5)], 12))
    const alone = job(plateau)
    await expect(fit(alone.model, { ...alone.options, stepSchedulerEvery: 'batch', epochs: 1 })).rejects.toMatchObject({
      code: 'ERR_ARG_VALUE',
    })
    await expect(fit(alone.model, { ...alone.options, stepSchedulerEvery: 'epoch', epochs: 1 })).resolves.toBeTruthy()
  })

  it('schedules of another optimizer, and what only has step, are refused before anything changes', async () => {
    const { model, options } = job()
    const before = stateOf({ model, ...options })
    const other = new lrScheduler.StepLR(sgd(mlp([4, 3])), { stepSize: 1 })
    await expect(fit(model, { ...options, scheduler: other, epochs: 1 })).rejects.toThrow(RangeError)
    const nested = new lrScheduler.ChainedScheduler([other])
    await expect(fit(model, { ...options, scheduler: nested, epochs: 1 })).rejects.toThrow(RangeError)
    for (const bad of [{ step() {} }, { step() {}, optimizer: options.optimizer }, null])
      await expect(fit(model, { ...options, scheduler: bad as never, epochs: 1 })).rejects.toMatchObject({
        code: 'ERR_ARG_TYPE',
      })
    expect(stateOf({ model, ...options })).toEqual(before)
  })

  it('a step of its own is called for every update', async () => {
    let calls = 0
    class Own extends lrScheduler.StepLR {
      override step(epoch?: number) {
        calls++
        super.step(epoch)
      }
    }
    const { model, options } = job(o => new Own(o, { stepSize: 100 }))
    await fit(model, { ...options, epochs: 2 })
    const patched = job(o => new lrScheduler.StepLR(o, { stepSize: 100 }))
    const step = patched.options.scheduler!.step.bind(patched.options.scheduler)
    patched.options.scheduler!.step = (e?: never) => {
      calls++
      step(e as never)
    }
    await fit(patched.model, { ...patched.options, epochs: 2 })
    expect(calls).toBe(20)
  })
})

describe('labels that are ignored', () => {
  const X = tensor([
    [5, 0],
    [0, 5],
    [5, 0],
    [0, 5],
    [5, 0],
    [0, 5],
  ])
  function right() {
    const model = new nn.Linear(2, 2)
    model.weight.data.set([1, 0, 0, 1])
    model.bias!.data.fill(0)
    return model
  }
  const load = (labels: number[], batchSize: number, dtype: 'int32' | 'float32' = 'int32') =>
    new data.DataLoader(new data.TensorDataset(X, tensor(labels, { dtype })), { batchSize })

  it.each([
    ['-100, plan', -100, [0, 1, -100, -100, 1, 1], 'plan'],
    ['beyond the classes, plan', 7, [0, 1, 7, 7, 1, 1], 'plan'],
    ['a class, eager', 1, [0, 1, 0, 1, 1, 0], 'eager'],
  ])('count neither as right nor as wrong: %s', async (_name, ignoreIndex, labels, engine) => {
    const kept = labels.map((label, i) => [label, i % 2]).filter(([label]) => label !== ignoreIndex)
    const accuracy = kept.filter(([label, best]) => label === best).length / kept.length
    for (const dtype of ['int32', 'float32'] as const) {
      const loss = new nn.CrossEntropyLoss({ ignoreIndex })
      expect(await evaluate(right(), load(labels, 4, dtype), loss)).toMatchObject({ accuracy, count: kept.length })
      const model = right()
      const optimizer = new optim.SGD(model.parameters(), { lr: 0 })
      const loader = () => load(labels, 4, dtype)
      const history = await fit(model, {
        train: loader(),
        test: loader(),
        loss,
        optimizer,
        metrics: ['accuracy'],
        epochs: 2,
      })
      expect(history).toMatchObject({ engine, trainAcc: [accuracy, accuracy], testAcc: [accuracy, accuracy] })
      expect(history.metrics!.accuracy).toEqual({ train: [accuracy, accuracy], test: [accuracy, accuracy] })
      const accumulated = await fit(model, { train: loader(), loss, optimizer, accumulate: 2, epochs: 1 })
      expect(accumulated.trainAcc).toEqual([accuracy])
    }
  })

  it('and a batch of nothing else is left out of the means', async () => {
    const loss = new nn.CrossEntropyLoss()
    for (const engine of ['plan', 'eager']) {
      const labels = [0, 1, -100, -100, 1, 1]
      const set = load(labels, 2).dataset as data.TensorDataset
      const dataset = engine === 'plan' ? set : { length: 6, get: (i: number) => set.get(i) }
      const loader = () => new data.DataLoader(dataset, { batchSize: 2 })
      const model = right()
      const optimizer = new optim.SGD(model.parameters(), { lr: 0 })
      const history = await fit(model, { train: loader(), test: loader(), loss, optimizer, epochs: 1 })
      const losses = [...loader()].map(([x, y]) => loss.forward(model.forward(x), y).item())
      expect(history.engine).toBe(engine)
      expect(history.trainLoss).toEqual([(losses[0] + losses[2]) / 2])
      expect(history.testLoss).toEqual(history.trainLoss)
    }
  })

  it('of rows that have several', async () => {
    class Tagger extends nn.Module {
      l = right()
      override forward(x: ReturnType<typeof tensor>) {
        return this.l.forward(x).transpose(1, 2)
      }
    }
    const set = new data.TensorDataset(
      tensor([
        [
          [5, 0],
          [0, 5],
          [0, 5],
        ],
      ]),
      tensor([[0, 0, -100]], { dtype: 'int32' }),
    )
    const { accuracy, count } = await evaluate(new Tagger(), new data.DataLoader(set), new nn.CrossEntropyLoss())
    expect({ accuracy, count }).toEqual({ accuracy: 0.5, count: 2 })
  })
})

describe('callbacks that are async', () => {
  const later = async <T>(value?: T) => {
    await new Promise(resolve => setTimeout(resolve, 5))
    return value
  }

  it.each(['onStart', 'onEpoch', 'onFinish', 'onEnd', 'onProgress'])(
    '%s is awaited, and rejects the fit',
    async hook => {
      const { model, options } = job()
      let done = false
      await fit(model, {
        ...options,
        epochs: 1,
        callbacks: [
          {
            [hook]: async () => {
              await later()
              done = true
            },
          },
        ],
      })
      expect(done).toBe(true)
      const failing = {
        [hook]: async () => {
          await later()
          throw new Error('mine')
        },
      }
      const error = await fit(model, { ...options, epochs: 3, callbacks: [failing] }).catch(e => e)
      expect(error).toMatchObject({ message: 'mine', history: { trainLoss: expect.any(Array) } })
      expect(() => fit.sync(model, { ...options, epochs: 1, callbacks: [{ [hook]: () => later() }] })).toThrow(
        'to be synchronous',
      )
      expect((await fit(model, { ...options, epochs: 1 })).engine).toBe('plan')
    },
  )

  it("false stops, watching or asked, and the history so far is the error's", async () => {
    for (const watchOnly of [false, true]) {
      const { model, options } = job()
      const stopping = { watchOnly, onEpoch: async ({ epoch }: { epoch: number }) => (await later(epoch)) !== 2 }
      const { trainLoss } = await fit(model, { ...options, epochs: 2000, callbacks: [stopping] })
      if (!watchOnly) expect(trainLoss).toHaveLength(2)
      expect(trainLoss.length).toBeLessThan(2000)
    }
    const { model, options } = job()
    const error = await fit(model, {
      ...options,
      epochs: 3,
      onEpochEnd: ({ epoch }) => {
        if (epoch === 2) throw 'odd'
      },
    }).catch(e => e)
    expect(error).toMatchObject({
      code: 'ERR_CALLBACK',
      cause: 'odd',
      history: { trainLoss: [expect.any(Number), expect.any(Number)] },
    })
  })

  it('of a sweep, whose rejection ends it', async () => {
    const { train, test, loss } = job().options
    const onRun = async () => {
      await later()
      throw new Error('mine')
    }
    const makes = { makeModel: () => mlp([4, 3]), makeOptimizer: sgd }
    await expect(sweep({ ...makes, grid: { lr: [0.1, 1] }, train, test, loss, epochs: 1, onRun })).rejects.toThrow(
      'mine',
    )
  })
})

describe('early stopping', () => {
  it('serves one fit at a time, and any number one after the other', async () => {
    const stopping = callbacks.earlyStopping({ patience: 1 })
    const [a, b] = [job(), job()]
    let go = () => {}
    const refused = new Promise<void>(resolve => {
      go = resolve
    })
    const waiting = { onEpoch: () => refused }
    const first = fit(a.model, { ...a.options, epochs: 3, callbacks: [stopping, waiting] })
    await expect(fit(b.model, { ...b.options, epochs: 3, callbacks: [stopping] })).rejects.toMatchObject({
      code: 'ERR_BUSY',
    })
    go()
    await first
    await expect(fit(b.model, { ...b.options, epochs: 3, callbacks: [stopping] })).resolves.toBeTruthy()
  })

  it.each(['abort', 'a callback that throws', 'failOnNaN'])('gives the best weights back after %s', async how => {
    const { model, options } = makeJobParts()
    const controller = new AbortController()
    let best: unknown
    const onEpochEnd = ({ epoch }: { epoch: number }) => {
      if (epoch === 1) best = stateOf({ model, ...options })
      if (epoch === 1) options.optimizer.paramGroups[0].lr = how === 'failOnNaN' ? 1e38 : 50
      if (epoch === 3 && how === 'abort') controller.abort()
      if (epoch === 3 && how.includes('throws')) throw new Error('mine')
    }
    const guards = how === 'failOnNaN' ? [callbacks.failOnNaN()] : []
    const stopping = callbacks.earlyStopping({ monitor: 'trainLoss', patience: 50, restoreBest: true })
    const run = fit(model, {
      ...options,
      epochs: 20,
      onEpochEnd,
      signal: controller.signal,
      callbacks: [stopping, ...guards],
    })
    await expect(run).rejects.toThrow()
    expect(weightsOf(stateOf({ model, ...options }))).toEqual(weightsOf(best))
  })

  const weightsOf = (state: unknown) => (state as { weights: unknown }).weights
  const makeJobParts = () => {
    const { model, ...options } = makeJob({ optimizer: sgd, withTest: false })
    return { model, options }
  }
})
