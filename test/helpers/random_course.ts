/**
 * Random courses of training from a seed: a model, data, an optimizer, a schedule, what it does besides, and what a callback
 * changes between epochs; run by `fit`, and as a user would write the loop. Not a test.
 */

import { data, fit, lrScheduler, nn, optim, random, type Tensor, tensor } from 'anneal'
import { stateOf } from './training.js'

/** Choices from a seed, apart from the streams that training draws from. */
class Choices {
  readonly #stream: random.RandomState

  constructor(seed: number) {
    this.#stream = new random.RandomState(seed)
  }

  int(below: number): number {
    return Math.floor(this.#stream.rand() * below)
  }

  bool(probability: number): boolean {
    return this.#stream.rand() < probability
  }

  of<T>(list: readonly T[]): T {
    return list[this.int(list.length)]
  }

  values(n: number): Float64Array {
    return this.#stream.randn(n)
  }
}

/** Everything that a course trains, and what happens after each of its epochs. */
export interface Course {
  /** What was chosen, for messages. */
  readonly names: string[]
  model: nn.Sequential
  train: data.DataLoader
  test: data.DataLoader | undefined
  loss: nn.Loss
  optimizer: optim.Optimizer
  scheduler: lrScheduler.LRScheduler | undefined
  epochs: number
  accumulate: number
  clip: number | undefined
  /** Called after epoch `epoch`, from 1. */
  change: ((epoch: number) => void) | undefined
  /** Whether a plan can express all of it. */
  plannable: boolean
}

/** A layer that does `f` to what it is given; `state` is assigned to it. */
class Own extends nn.Module {
  [key: string]: unknown

  constructor(f: (this: Own, x: Tensor) => Tensor, state: object = {}) {
    super()
    Object.assign(this, state)
    Object.defineProperty(this, 'f', { value: f })
  }

  override forward(x: Tensor): Tensor {
    return (this.f as (x: Tensor) => Tensor).call(this, x)
  }
}

type Layer = () => nn.Module

/** Layers that a plan can be made of, by name. */
const plain = (c: Choices, width: number): [string, Layer][] => [
  ['ReLU', () => new nn.ReLU()],
  ['Tanh', () => new nn.Tanh()],
  ['GELU', () => new nn.GELU()],
  ['Dropout', () => new nn.Dropout({ p: 0.25 })],
  ['BatchNorm1d', () => new nn.BatchNorm1d(width, { momentum: c.of([0.1, null]) })],
  ['frozen BatchNorm1d', () => new nn.BatchNorm1d(width).eval()],
  ['frozen Linear', () => new nn.Linear(width, width).requiresGrad_(false)],
  ['LayerNorm', () => new nn.LayerNorm([width])],
  ['a constant', () => new Own(x => x.add(tensor(Array.from({ length: width }, (_, i) => i / 8))))],
  [
    'reading a property',
    () =>
      new Own(
        function (x) {
          return x.mul(this.scale as number)
        },
        { scale: 0.5 },
      ),
  ],
]

/** Layers that none can be made of. */
const odd: [string, Layer][] = [
  [
    'a counter',
    () =>
      new Own(
        function (x) {
          this.n = (this.n as number) + 1
          return x.mul(1 / (this.n as number))
        },
        { n: 0 },
      ),
  ],
  [
    'a list that is filled',
    () =>
      new Own(
        function (x) {
          const { list } = this as unknown as { list: number[] }
          list.push(1)
          return x.mul(1 + 1 / list.length)
        },
        { list: [] },
      ),
  ],
  [
    'a tensor that is kept',
    () =>
      new Own(
        function (x) {
          const h = this.h as Tensor
          this.h = x.mean().detach()
          return x.add(h.mul(0.1))
        },
        { h: tensor(0) },
      ),
  ],
  ['reading values', () => new Own(x => x.mul(x.mean().item() > 0 ? 1 : 0.5))],
  ['random numbers of its own', () => new Own(x => x.add(random.rand([1]).mul(0.01)))],
  [
    'a generator of its own',
    () => {
      const generator = new random.Generator(3)
      return new Own(x => x.add(random.rand([1], { generator }).mul(0.01)))
    },
  ],
  ['Math.random', () => new Own(x => x.mul(Math.random() < 2 ? 1 : 0))],
  [
    'a helper that counts',
    () =>
      new Own(
        function (x) {
          return x.mul(1 / (this.meter as { tick(): number }).tick())
        },
        {
          meter: {
            n: 0,
            tick() {
              return ++this.n
            },
          },
        },
      ),
  ],
]

const optimizers: [string, (params: Tensor[]) => optim.Optimizer][] = [
  ['SGD', p => new optim.SGD(p, { lr: 0.05 })],
  ['SGD with momentum', p => new optim.SGD(p, { lr: 0.05, momentum: 0.9, weightDecay: 1e-3 })],
  ['Adam', p => new optim.Adam(p, { lr: 0.01 })],
  ['AdamW', p => new optim.AdamW(p, { lr: 0.01 })],
  ['RMSprop', p => new optim.RMSprop(p, { lr: 0.01 })],
  ['Adagrad', p => new optim.Adagrad(p, { lr: 0.05 })],
]

const schedules: [string, (o: optim.Optimizer) => lrScheduler.LRScheduler][] = [
  ['StepLR', o => new lrScheduler.StepLR(o, { stepSize: 3 })],
  ['ExponentialLR', o => new lrScheduler.ExponentialLR(o, { gamma: 0.95 })],
  ['CosineAnnealingLR', o => new lrScheduler.CosineAnnealingLR(o, { tMax: 10 })],
  [
    'WarmupLR',
    o => new lrScheduler.WarmupLR(o, { steps: 4, schedule: new lrScheduler.MultiStepLR(o, { milestones: [2, 5] }) }),
  ],
]

type Add = (name: string, plannable: boolean) => void

function modelOf(c: Choices, add: Add, sizes: { inputs: number; classes: number }): nn.Sequential {
  const [width, layers] = [c.of([3, 8, 16, 20]), [] as nn.Module[]]
  const shared = new nn.Linear(width, width)
  layers.push(new nn.Linear(sizes.inputs, width))
  for (let i = c.int(4); i >= 0; i--) {
    const [name, make] = c.of(plain(c, width))
    add(name, true)
    layers.push(make())
    if (c.bool(0.3)) {
      add('a shared layer', true)
      layers.push(shared)
    }
  }
  if (c.bool(0.12)) {
    const [name, make] = c.of(odd)
    add(name, false)
    layers.push(make())
  }
  layers.push(new nn.Linear(width, sizes.classes))
  return new nn.Sequential(...layers)
}

const doubled = ([x, ...rest]: Tensor[]) => [x.mul(2), ...rest]

/** A data set, as it is or with methods that somebody replaced. */
function dataSetOf(c: Choices, add: Add, tensors: Tensor[]): data.Dataset {
  const set = new data.TensorDataset(...tensors)
  if (c.bool(0.2)) {
    add('a subset', true)
    return new data.Subset(
      set,
      Int32Array.from({ length: set.length }, () => c.int(set.length)),
    )
  }
  if (c.bool(0.15)) {
    add('a column of bytes', true)
    const [{ data: values, shape }, ...rest] = tensors
    const bytes = Uint8Array.from(values, x => Math.max(0, Math.min(255, 128 + 32 * x)))
    return new data.TensorDataset(data.column(bytes, { shape, scale: 1 / 32 }), ...rest)
  }
  if (c.bool(0.94)) return set
  const [name, own] = c.of<[string, () => data.Dataset]>([
    [
      'get of an object',
      () => {
        const get = set.get.bind(set)
        set.get = i => doubled(get(i))
        return set
      },
    ],
    [
      'batch of an object',
      () => {
        const batch = set.batch.bind(set)
        set.batch = i => doubled(batch(i))
        return set
      },
    ],
    [
      'get of a class',
      () =>
        new (class extends data.TensorDataset {
          override get(i: number) {
            return doubled(super.get(i))
          }
        })(...tensors),
    ],
    ['samples only', () => ({ length: set.length, get: i => set.get(i) })],
  ])
  add(name, false)
  return own()
}

/** What a callback changes after an epoch. */
function changeOf(c: Choices, add: Add, course: Course, tensors: Tensor[]): void {
  if (c.bool(0.4)) return
  const { model, optimizer, train } = course
  const sizes = [3, 4, 5, 6, 7].filter(size => tensors[0].shape[0] % size !== 1)
  const layerAt = c.of(model.modules().slice(1))
  const [name, change, plannable] = c.of<[string, (epoch: number) => void, boolean]>([
    [
      'an input',
      epoch => {
        tensors[0].data[epoch] += 1
      },
      true,
    ],
    [
      'all inputs',
      epoch => {
        tensors[0].data.set(tensors[0].data.map(x => x * (1 + epoch / 8)))
      },
      true,
    ],
    [
      'labels',
      epoch => {
        tensors[tensors.length - 1].data[0] = epoch % 2
      },
      true,
    ],
    ['nothing', () => {}, true],
    [
      'the rate',
      () => {
        optimizer.paramGroups[0].lr *= 0.5
      },
      true,
    ],
    [
      'weight decay',
      epoch => {
        optimizer.paramGroups[0].weightDecay = epoch / 100
      },
      true,
    ],
    [
      'a weight',
      epoch => {
        model.parameters()[0].data[0] = epoch / 4
      },
      true,
    ],
    [
      'a mode',
      epoch => {
        layerAt.train(epoch % 2 === 0)
      },
      true,
    ],
    [
      'what is trained',
      epoch => {
        layerAt.requiresGrad_(epoch % 2 === 0)
      },
      true,
    ],
    [
      'the batch size',
      epoch => {
        Object.assign(train, { batchSize: sizes[epoch % sizes.length] })
      },
      true,
    ],
    [
      'the data set',
      () => {
        Object.assign(train, {
          dataset: new data.TensorDataset(...tensors.map(t => tensor(t.data.slice().reverse(), { shape: t.shape }))),
        })
      },
      true,
    ],
    [
      "the optimizer's step",
      epoch => {
        if (epoch === 1) {
          const step = optimizer.step.bind(optimizer)
          optimizer.step = f => {
            optimizer.paramGroups[0].lr *= 0.9
            return step(f)
          }
        }
      },
      false,
    ],
  ])
  add(`a callback changes ${name}`, plannable)
  course.change = change
}

/** The course of a seed, made anew each time. */
export function courseOf(seed: number): Course {
  const c = new Choices(seed)
  random.manualSeed(seed)
  const course = { names: [] as string[], plannable: true, epochs: 2 + c.int(2), accumulate: 1 } as unknown as Course
  const add: Add = (name, plannable) => {
    course.names.push(name)
    course.plannable &&= plannable
  }
  const [inputs, classes, rows] = [2 + c.int(6), 2 + c.int(3), 13 + c.int(20)]
  const batchSize = c.of([4, 5, 8]) // never a last batch of one row
  const X = tensor(c.values(rows * inputs), { shape: [rows, inputs] })
  const labels = c.bool(0.7)
  const y = labels
    ? tensor(Int32Array.from({ length: rows }, () => c.int(classes)))
    : tensor(c.values(rows * classes), { shape: [rows, classes] })
  course.loss = labels ? new nn.CrossEntropyLoss(c.bool(0.2) ? { labelSmoothing: 0.1 } : {}) : new nn.MSELoss()
  course.model = modelOf(c, add, { inputs, classes })
  const [optimizer, makeOptimizer] = c.of(optimizers)
  course.optimizer = makeOptimizer(course.model.parameters())
  add(optimizer, true)
  const options = { batchSize, shuffle: c.bool(0.6), dropLast: rows % batchSize === 1 || c.bool(0.3) }
  const generator = c.bool(0.15) ? { generator: new random.Generator(seed) } : {}
  course.train = new data.DataLoader(dataSetOf(c, add, [X, y]), { ...options, ...generator })
  if (c.bool(0.5)) course.test = new data.DataLoader(new data.TensorDataset(X, y), { batchSize: 7 })
  if (c.bool(0.5)) {
    const [name, make] = c.of(schedules)
    add(name, true)
    course.scheduler = make(course.optimizer)
  }
  if (c.bool(0.2)) course.clip = 0.5
  if (c.bool(0.15)) course.accumulate = 2
  changeOf(c, add, course, [X, y])
  return course
}

interface Outcome {
  trainLoss: number[]
  testLoss: number[]
  lr: (number | number[])[]
  /** Weights and state, and what the global stream gives next. */
  end: unknown
}

const endOf = (course: Course) => ({
  state: stateOf(course as never),
  modes: course.model.modules().map(({ training }) => training),
  next: random.rand([2]).toArray(),
})

/** By `fit`. */
export async function byFit(seed: number): Promise<Outcome & { course: Course; engine: string; reason?: string }> {
  const course = courseOf(seed)
  const { model, train, test, loss, optimizer, scheduler, epochs, accumulate, clip, change } = course
  const optional = { ...(test && { test }), ...(scheduler && { scheduler }), ...(clip && { clipGradNorm: clip }) }
  const onEpochEnd = change && (({ epoch }: { epoch: number }) => change(epoch))
  const given = { train, loss, optimizer, epochs, accumulate, ...optional, ...(onEpochEnd && { onEpochEnd }) }
  const { trainLoss, testLoss = [], lr, engine, engineReason } = await fit(model, given)
  return { course, trainLoss, testLoss, lr, engine, reason: engineReason, end: endOf(course) }
}

/** By the loop that a user would write. */
export function byLoop(seed: number): Outcome {
  const course = courseOf(seed)
  const outcome: Omit<Outcome, 'end'> = { trainLoss: [], testLoss: [], lr: [] }
  for (let epoch = 1; epoch <= course.epochs; epoch++) {
    outcome.trainLoss.push(trainEpoch(course, outcome.lr))
    if (course.test) outcome.testLoss.push(testEpoch(course, course.test))
    course.change?.(epoch)
  }
  return { ...outcome, end: endOf(course) }
}

function trainEpoch({ model, train, loss, optimizer, scheduler, accumulate, clip }: Course, lr: Outcome['lr']): number {
  let [sum, done, parts, left] = [0, 0, 0, train.length]
  optimizer.zeroGrad()
  for (const [x, y] of train) {
    if (done === 0) parts = Math.min(accumulate, left)
    const value = loss.forward(model.forward(x), y)
    if (parts === 1) value.backward()
    else value.backward(tensor(1 / parts))
    sum += value.item()
    left--
    if (++done < parts) continue
    done = 0
    if (clip !== undefined) nn.utils.clipGradNorm(optimizer.paramGroups[0].params, clip)
    lr.push(optimizer.paramGroups[0].lr)
    optimizer.step()
    optimizer.zeroGrad()
    scheduler?.step()
  }
  return sum / train.length
}

function testEpoch({ model, loss }: Course, test: data.DataLoader): number {
  const modes = model.modules().map(module => [module, module.training] as const)
  model.eval()
  let sum = 0
  for (const [x, y] of test) sum += loss.forward(model.forward(x), y).item()
  for (const [module, training] of modes) module.training = training
  return sum / test.length
}
