/**
 * What the plan does not express is seen when a model is recorded, before a fit or after a callback: the run is eager then,
 * says why, and gives the bits of the explicit loop. Each kind with its neighbours; at random in differential.test.ts.
 */

import { data, evaluate, fit, lrScheduler, nn, optim, random, type Tensor, tensor } from 'anneal'
import { describe, expect, it } from 'vitest'
import type { Model } from '../src/engine/options.js'
import { poolCounts } from '../src/plan/pool.js'
import { blobs, type Job, mlp, stateOf } from './helpers/training.js'

/** A model of one layer; what it does besides is `extra`. */
abstract class Net extends nn.Module {
  fc = new nn.Linear(4, 3)

  abstract extra(y: Tensor): Tensor

  override forward(x: Tensor): Tensor {
    return this.extra(this.fc.forward(x))
  }
}

// biome-ignore lint/suspicious/noExplicitAny: properties are whatever a user assigns.
type Extra = (this: any, y: Tensor) => Tensor

type Change = (job: Job) => void

/** A course of `fit`, or of the explicit loop, with `change` between its two epochs. */
interface Course {
  make: () => Job
  change?: Change
}

function jobOf(model: Model, parts: Partial<Job> = {}): Job {
  const train = new data.DataLoader(blobs(20, 4, 3), { batchSize: 8 })
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 })
  return { model, optimizer, train, loss: new nn.CrossEntropyLoss(), ...parts }
}

function loop({ make, change }: Course, seed: number) {
  random.manualSeed(seed)
  const job = make()
  const { model, optimizer, train, loss } = job
  const trainLoss: number[] = []
  for (let epoch = 0; epoch < 2; epoch++) {
    let [sum, batches] = [0, 0]
    for (const [x, y] of train) {
      optimizer.zeroGrad()
      const value = loss.forward(model.forward(x), y)
      value.backward()
      optimizer.step()
      sum += value.item()
      batches++
    }
    trainLoss.push(sum / batches)
    change?.(job)
  }
  return { job, trainLoss }
}

async function both(course: Course, seed = 5) {
  const { job: expected, trainLoss } = loop(course, seed)
  random.manualSeed(seed)
  const job = course.make()
  const { model, ...rest } = job
  const onEpochEnd = course.change && (() => course.change!(job))
  const history = await fit(model, { ...rest, epochs: 2, ...(onEpochEnd && { onEpochEnd }) })
  expect(history.trainLoss).toEqual(trainLoss)
  expect(stateOf(job)).toEqual(stateOf(expected))
  return { history, job, expected }
}

function netOf(extra: Extra, own: object = {}): () => Job {
  class Own extends Net {
    extra = extra
  }
  return () => jobOf(Object.assign(new Own(), structuredClone(own)) as unknown as Model)
}

describe('state that forward changes', () => {
  const kinds: [string, () => Job, RegExp][] = [
    [
      'a counter',
      netOf(
        function (y) {
          return y.mul(1 + this.calls++)
        },
        { calls: 0 },
      ),
      /Own\.calls changes/,
    ],
    [
      'a list that is filled',
      netOf(
        function (y) {
          return y.mul(this.seen.push(0))
        },
        { seen: [] },
      ),
      /Own\.seen changes/,
    ],
    [
      'an entry of a list',
      netOf(
        function (y) {
          return y.mul(++this.seen[0])
        },
        { seen: [0] },
      ),
      /Own\.seen changes/,
    ],
    [
      'a typed array',
      netOf(
        function (y) {
          return y.mul(++this.seen[1])
        },
        { seen: new Float64Array(2) },
      ),
      /Own\.seen changes/,
    ],
    [
      'an object within an object',
      netOf(
        function (y) {
          return y.mul(++this.a.b.c)
        },
        { a: { b: { c: 0 } } },
      ),
      /Own\.a\.b\.c changes/,
    ],
    [
      'a map',
      netOf(
        function (y) {
          return y.mul(this.seen.set(this.seen.size, 1).size)
        },
        { seen: new Map() },
      ),
      /Own\.seen changes/,
    ],
    [
      'a set',
      netOf(
        function (y) {
          return y.mul(this.seen.add(this.seen.size).size)
        },
        { seen: new Set() },
      ),
      /Own\.seen changes/,
    ],
    [
      'a property that is new',
      netOf(function (y) {
        this.last = (this.last ?? 0) + 1
        return y.mul(this.last)
      }),
      /Own\.last changes/,
    ],
    [
      'a property that goes',
      netOf(
        function (y) {
          const f = this.first ? 3 : 1
          delete this.first
          return y.mul(f)
        },
        { first: true },
      ),
      /Own\.first changes/,
    ],
    [
      'a tensor',
      netOf(function (y) {
        const h = this.h
        this.h = y.mean().detach()
        return h ? y.add(h) : y
      }),
      /Own\.h changes|different things/,
    ],
    [
      'values of a tensor',
      netOf(function (y) {
        this.fc.bias!.data[0] += 0.5
        return y
      }),
      /reads values/,
    ],
    [
      'a helper with a counter',
      () =>
        jobOf(
          Object.assign(
            new (class Own extends Net {
              meter = {
                n: 0,
                tick() {
                  return ++this.n
                },
              }
              override extra(y: Tensor) {
                return y.mul(this.meter.tick())
              }
            })(),
          ) as never,
        ),
      /Own\.meter\.n changes/,
    ],
    [
      'a layer below, in a map',
      () =>
        jobOf(
          new (class Own extends Net {
            layers = new Map([['a', { n: 0 }]])
            override extra(y: Tensor) {
              return y.mul(++this.layers.get('a')!.n)
            }
          })() as never,
        ),
      /Own\.layers\.n changes/,
    ],
    [
      'the loss',
      () =>
        jobOf(mlp([4, 3]), {
          loss: new (class Own extends nn.CrossEntropyLoss {
            calls = 0
            override forward(p: Tensor, y: Tensor) {
              return super.forward(p, y).mul(++this.calls)
            }
          })(),
        }),
      /Own\.calls changes/,
    ],
  ]

  it.each(kinds)('%s', async (_name, make, reason) => {
    const { history } = await both({ make })
    expect(history).toMatchObject({ engine: 'eager', engineReason: expect.stringMatching(reason) })
  })

  it('is as the explicit loop leaves it, not as recording did', async () => {
    const make = netOf(
      function (y) {
        this.calls++
        this.h = y
        return y
      },
      { calls: 0 },
    )
    const { job } = await both({ make })
    expect(job.model).toMatchObject({ calls: 6 })
    expect((job.model as never as { h: Tensor }).h.toArray()).toHaveLength(4)
  })

  it('of containers too long to look into counts by length', async () => {
    const { history } = await both({
      make: netOf(
        function (y) {
          this.seen.push(1)
          return y
        },
        { seen: Array(40_000).fill(0) },
      ),
    })
    expect(history.engineReason).toMatch(/Own\.seen changes/)
  })
})

describe('what is another number every time', () => {
  const kinds: [string, Extra, RegExp][] = [
    ['Math.random', y => y.mul(Math.random() < 2 ? 1 : 0), /calls Math\.random/],
    ['Date.now', y => y.mul(Date.now() > 0 ? 1 : 0), /calls Date\.now/],
    ['performance.now', y => y.mul(performance.now() > 0 ? 1 : 0), /calls performance\.now/],
    [
      'a generator of its own',
      y => y.add(random.rand([1], { generator: ownGenerator() }).mul(0)),
      /draws random numbers/,
    ],
    ['the global generator', y => y.mul(random.rand([1]).data.length), /draws random numbers|reads values/],
    [
      'a reading that it survives',
      y => {
        try {
          return y.mul(y.mean().item() > -1e9 ? 1 : 2)
        } catch {
          return y
        }
      },
      /reads values/,
    ],
    [
      'a reading that it calls by another name',
      y => {
        try {
          return y.mul(y.mean().item() > -1e9 ? 1 : 2)
        } catch {
          throw new TypeError('mine')
        }
      },
      /reads values/,
    ],
    [
      'the values of a weight',
      function (y) {
        return y.mul(this.fc.weight.data[0] > 1e9 ? 2 : 1)
      },
      /reads values/,
    ],
  ]
  let own: random.Generator | undefined
  const ownGenerator = () => {
    own ??= new random.Generator(1)
    return own
  }

  it.each(kinds)('%s', async (_name, extra, reason) => {
    const before = [Math, Date, performance].map(object => Object.getOwnPropertyDescriptors(object))
    const make = netOf(extra)
    const { history } = await both({
      make: () => {
        own = undefined
        return make()
      },
    })
    expect(history).toMatchObject({ engine: 'eager', engineReason: expect.stringMatching(reason) })
    expect([Math, Date, performance].map(object => Object.getOwnPropertyDescriptors(object))).toEqual(before)
  })

  it('in constants that are made anew, where the plan is new', async () => {
    let n = 0
    const model = new (class Own extends Net {
      override extra(y: Tensor) {
        return y.add(tensor([0, 0, ++n * 1e-3]))
      }
    })()
    const { model: own, ...rest } = jobOf(model as never)
    const history = await fit(own, { ...rest, epochs: 1 })
    expect(history.engineReason).toBe('the model computes with other numbers each time')
  })

  it('in the course of the program, where the plan is new', async () => {
    let n = 0
    const model = new (class Own extends Net {
      override extra(y: Tensor) {
        return y.mul(1 + (++n % 7))
      }
    })()
    const { model: own, ...rest } = jobOf(model as never)
    expect((await fit(own, { ...rest, epochs: 1 })).engineReason).toBe('the model does different things each time')
  })
})

describe('no placeholder stays', () => {
  const tensorsIn = (model: Model) => Object.values(model as never as Record<string, unknown>).flat() as Tensor[]

  it.each<[string, Extra]>([
    [
      'in a property',
      function (y) {
        this.h = y
        return y
      },
    ],
    [
      'in a list',
      function (y) {
        this.list.push(y)
        return y
      },
    ],
    [
      'where forward throws',
      function (y) {
        this.h = y
        this.list.push(y)
        if (this.bad) throw new Error('mine')
        return y
      },
    ],
  ])('%s', async (name, extra) => {
    const job = netOf(extra, { list: [], bad: name.includes('throws') })()
    const { model, ...rest } = job
    await fit(model, { ...rest, epochs: 1 }).catch(() => {})
    for (const t of tensorsIn(model)) if (t?.shape) expect(() => t.toArray()).not.toThrow()
    expect(model.parameters().every(p => p.grad === null)).toBe(true)
  })
})

describe('methods that somebody replaced', () => {
  const set = () => blobs(20, 4, 3)
  const shifted = ([x, y]: Tensor[]) => [x.add(1), y]
  class OwnGet extends data.TensorDataset {
    override get(i: number) {
      return shifted(super.get(i))
    }
  }
  class OwnBatch extends data.TensorDataset {
    override batch(i: Int32Array) {
      return shifted(super.batch(i))
    }
  }
  class OwnIterator extends data.DataLoader {
    override *[Symbol.iterator](): IterableIterator<Tensor[]> {
      for (const batch of super[Symbol.iterator]()) yield shifted(batch)
    }
  }
  class OwnStep extends optim.SGD {
    override step(closure?: () => Tensor) {
      for (const g of this.paramGroups) g.lr *= 0.9
      return super.step(closure)
    }
  }
  const loaderOf = (dataset: data.Dataset) => new data.DataLoader(dataset, { batchSize: 8, shuffle: true })
  const withSet = (make: () => data.Dataset) => () => jobOf(mlp([4, 3]), { train: loaderOf(make()) })
  const patched = <T extends object>(object: T, patch: (object: T) => object): T => Object.assign(object, patch(object))

  it.each<[string, () => Job, RegExp]>([
    ['get of a class', withSet(() => new OwnGet(...set().tensors)), /no columns/],
    [
      'get of an object',
      withSet(() =>
        patched(set(), own => {
          const get = own.get.bind(own)
          return { get: (i: number) => shifted(get(i)) }
        }),
      ),
      /no columns/,
    ],
    ['batch of a class', withSet(() => new OwnBatch(...set().tensors)), /no columns/],
    [
      'batch of an object',
      withSet(() =>
        patched(set(), own => {
          const batch = own.batch.bind(own)
          return { batch: (i: Int32Array) => shifted(batch(i)) }
        }),
      ),
      /no columns/,
    ],
    [
      'get below a subset',
      withSet(() => new data.Subset(new OwnGet(...set().tensors), [3, 1, 4, 1, 5, 9, 2, 6, 5, 3])),
      /no columns/,
    ],
    [
      'iterator of a class',
      () => jobOf(mlp([4, 3]), { train: new OwnIterator(set(), { batchSize: 8 }) }),
      /batches of its own/,
    ],
    [
      'iterator of an object',
      () =>
        jobOf(mlp([4, 3]), {
          train: patched(loaderOf(set()), own => {
            const from = own[Symbol.iterator].bind(own)
            return {
              *[Symbol.iterator]() {
                for (const b of from()) yield shifted(b)
              },
            }
          }),
        }),
      /batches of its own/,
    ],
    [
      'step of a class',
      () => {
        const model = mlp([4, 3])
        return jobOf(model, { optimizer: new OwnStep(model.parameters(), { lr: 0.1 }) })
      },
      /step of its own/,
    ],
    [
      'step of an object',
      () => {
        const job = jobOf(mlp([4, 3]))
        const step = job.optimizer.step.bind(job.optimizer)
        job.optimizer.step = f => {
          job.optimizer.paramGroups[0].lr *= 0.9
          return step(f)
        }
        return job
      },
      /step of its own/,
    ],
  ])('%s', async (_name, make, reason) => {
    const { history } = await both({ make })
    expect(history).toMatchObject({ engine: 'eager', engineReason: expect.stringMatching(reason) })
  })

  it.each([
    ['TensorDataset.prototype.get', data.TensorDataset.prototype, 'get'],
    ['TensorDataset.prototype.batch', data.TensorDataset.prototype, 'batch'],
    ['DataLoader.prototype[Symbol.iterator]', data.DataLoader.prototype, Symbol.iterator],
    ['Optimizer.prototype.step', optim.Optimizer.prototype, 'step'],
  ])('%s', async (_name, prototype, key) => {
    const own = Object.getOwnPropertyDescriptor(prototype, key)!
    let calls = 0
    const value = function (this: unknown, ...args: unknown[]) {
      calls++
      return own.value.apply(this, args)
    }
    Object.defineProperty(prototype, key, { ...own, value })
    try {
      const { history } = await both({ make: withSet(set) })
      expect(history.engine).toBe('eager')
      expect(calls).toBeGreaterThan(0)
    } finally {
      Object.defineProperty(prototype, key, own)
    }
  })

  it('a loader asks a subclass for its own samples, and for its own batches where it has both', () => {
    const first = (dataset: data.Dataset) => [...new data.DataLoader(dataset, { batchSize: 2 })][0][0].data[0]
    const plain = set()
    expect(first(new OwnGet(...plain.tensors))).toBe(Math.fround(plain.tensors[0].data[0] + 1))
    class Both extends OwnGet {
      override batch(i: Int32Array) {
        return shifted(shifted(super.batch(i)))
      }
    }
    expect(first(new Both(...plain.tensors))).toBe(Math.fround(Math.fround(plain.tensors[0].data[0] + 1) + 1))
    class Below extends Both {
      override get(i: number) {
        return super.get(i).map((t, k) => (k === 0 ? t.mul(0) : t))
      }
    }
    expect(first(new Below(...plain.tensors))).toBe(0)
  })
})

describe('what a callback changes', () => {
  const sets = (job: Job) => (job.train.dataset as data.TensorDataset).tensors
  const make = () =>
    jobOf(mlp([4, 8, 3]), { train: new data.DataLoader(blobs(30, 4, 3), { batchSize: 8, shuffle: true }) })
  const changes: [string, Change, string][] = [
    [
      'inputs',
      job => {
        sets(job)[0].data[50] += 3
      },
      'plan',
    ],
    [
      'labels',
      job => {
        sets(job)[1].data.fill(1)
      },
      'plan',
    ],
    ['nothing', () => {}, 'plan'],
    [
      'the data set',
      job => {
        Object.assign(job.train, { dataset: blobs(30, 4, 3, 99) })
      },
      'plan',
    ],
    [
      'a data set of another length',
      job => {
        Object.assign(job.train, { dataset: blobs(21, 4, 3, 99) })
      },
      'plan',
    ],
    [
      'the batch size',
      job => {
        Object.assign(job.train, { batchSize: 5 })
      },
      'plan',
    ],
    [
      'the mode of a layer',
      job => {
        job.model.modules()[2].eval()
      },
      'plan',
    ],
    [
      'an option of the optimizer',
      job => {
        job.optimizer.paramGroups[0].momentum = 0.9
      },
      'plan',
    ],
    [
      'whether a layer is trained',
      job => {
        job.model.modules()[1].requiresGrad_(false)
      },
      'plan',
    ],
    [
      'a method of the data set',
      job => {
        const set = job.train.dataset
        const get = set.get.bind(set)
        set.get = i => get(i).map((t, k) => (k === 0 ? t.mul(2) : t))
      },
      'eager',
    ],
    [
      'a method of the optimizer',
      job => {
        const step = job.optimizer.step.bind(job.optimizer)
        job.optimizer.step = f => {
          job.optimizer.paramGroups[0].lr *= 0.5
          return step(f)
        }
      },
      'eager',
    ],
    [
      'the way a layer computes',
      job => {
        const layer = Object.assign(job.model.modules()[1] as nn.Linear, { calls: 0 })
        const forward = layer.forward.bind(layer)
        layer.forward = x => forward(x).mul(1 / ++layer.calls)
      },
      'eager',
    ],
  ]

  it.each(changes)('%s', async (_name, change, engine) => {
    const { history } = await both({ make, change })
    expect(history.engine).toBe(engine)
    if (engine === 'eager') expect(history.engineReason).toBeTruthy()
  })

  it('data to test on, and the rates of epochs of another length', async () => {
    const { model, optimizer, ...rest } = make()
    const test = new data.DataLoader(blobs(20, 4, 3, 11), { batchSize: 8 })
    const scheduler = new lrScheduler.ExponentialLR(optimizer, { gamma: 0.9 })
    const rates: unknown[] = []
    const onEpochEnd = ({ epoch, lr }: { epoch: number; lr: unknown }) => {
      rates.push(lr)
      if (epoch > 1) return
      ;(test.dataset as data.TensorDataset).tensors[0].data.fill(2)
      Object.assign(rest.train, { batchSize: 5 })
    }
    const history = await fit(model, { ...rest, test, optimizer, scheduler, epochs: 2, onEpochEnd })
    expect(history.engine).toBe('plan')
    expect(history.testLoss![1]).toBe((await evaluate(model, test, rest.loss)).loss)
    expect(rates).toEqual([history.lr[3], history.lr[9]])
  })

  it('labels that are no classes', async () => {
    const job = make()
    const { model, ...rest } = job
    const onEpochEnd = () => void sets(job)[1].data.fill(7)
    await expect(fit(model, { ...rest, epochs: 2, onEpochEnd })).rejects.toMatchObject({ code: 'ERR_LABEL_RANGE' })
  })

  it('modes stay as they were set, and a model in training mode keeps the modes of its layers', async () => {
    const frozen = () => {
      const model = new nn.Sequential(new nn.BatchNorm1d(4), new nn.Linear(4, 3), new nn.Dropout())
      ;(model as never as nn.Module[])[0].eval()
      return jobOf(model as never)
    }
    const { job, history } = await both({ make: frozen })
    const [norm] = job.model.modules().slice(1)
    expect(history.engine).toBe('plan')
    expect(norm.training).toBe(false)
    expect((norm as nn.BatchNorm1d).numBatchesTracked!.item()).toBe(0)
    const whole = frozen()
    whole.model.eval()
    const { model, ...rest } = whole
    await fit(model, { ...rest, epochs: 1, onEpochEnd: () => void model.modules()[3].eval() })
    expect(model.modules().map(({ training }) => training)).toEqual([true, true, true, false])
  })
})

describe('models that stay on the plan', () => {
  it.each<[string, () => Job]>([
    ['an MLP', () => jobOf(mlp([4, 8, 3]))],
    [
      'dropout and batch norm',
      () =>
        jobOf(
          new nn.Sequential(
            new nn.Linear(4, 8),
            new nn.BatchNorm1d(8),
            new nn.ReLU(),
            new nn.Dropout(),
            new nn.Linear(8, 3),
          ) as never,
        ),
    ],
    [
      'shared layers',
      () => {
        const shared = new nn.Linear(4, 4)
        return jobOf(new nn.Sequential(shared, new nn.ReLU(), shared, new nn.Linear(4, 3)) as never)
      },
    ],
    ['constants made in forward', netOf(y => y.add(tensor([1, 2, 3])).mul(2))],
    [
      'state that it only reads',
      netOf(
        function (y) {
          return y.mul(this.scale).add(this.list[0])
        },
        { scale: 2, list: [1] },
      ),
    ],
    [
      'a property assigned what it was',
      netOf(
        function (y) {
          this.width = y.shape[1]
          return y
        },
        { width: 3 },
      ),
    ],
    [
      'a reference to its own optimizer',
      () => {
        const job = jobOf(mlp([4, 3]))
        Object.assign(job.model, { optimizer: job.optimizer, train_: job.train })
        return job
      },
    ],
    [
      'a data set with batch and columns',
      () =>
        jobOf(mlp([4, 3]), {
          train: new data.DataLoader(new data.Subset(blobs(20, 4, 3), [1, 2, 3, 4, 5]), { batchSize: 2 }),
        }),
    ],
    [
      'an own data set with columns',
      () => {
        const own = blobs(20, 4, 3)
        return jobOf(mlp([4, 3]), {
          train: new data.DataLoader(
            { length: 20, get: i => own.get(i), columns: () => own.columns() },
            { batchSize: 8 },
          ),
        })
      },
    ],
    [
      'a schedule-free optimizer',
      () => {
        const model = mlp([4, 3])
        const optimizer = new optim.AdamWScheduleFree(model.parameters())
        optimizer.train()
        return jobOf(model, { optimizer })
      },
    ],
  ])('%s', async (name, make) => {
    if (name.includes('schedule-free')) {
      const { model, ...rest } = make()
      expect((await fit(model, { ...rest, epochs: 2 })).engine).toBe('plan')
      return
    }
    const { history } = await both({ make })
    expect(history.engineReason).toBeUndefined()
  })

  it('and are recorded once where the plan is known', async () => {
    const job = netOf(y => {
      counted++
      return y.mul(0.8125) // no other test's model
    })()
    let counted = 0
    const { model, ...rest } = job
    poolCounts.made = 0
    for (let i = 0; i < 5; i++) await fit(model, { ...rest, epochs: 1 })
    expect(poolCounts.made).toBe(1)
    expect(counted).toBe(2 * 2 + 4 * 2)
  })
})
