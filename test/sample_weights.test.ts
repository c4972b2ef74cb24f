/** Sample weights: losses as PyTorch composes them, the plan as the explicit loop, batches that weigh nothing, refusals. */
import { readFileSync } from 'node:fs'
import { data, evaluate, fit, nn, optim, random, type Tensor, tensor } from 'anneal'
import { describe, expect, it } from 'vitest'
import { blobs, mlp } from './helpers/training.js'

interface Case {
  name: 'MSELoss'
  reduction: 'mean' | 'sum'
  options: Record<string, unknown>
  shape: number[]
  x: number[]
  w: number[]
  target: { shape: number[]; dtype: 'int32' | 'float32'; values: number[] }
  loss: number
  grad: number[]
}

const cases: Case[] = JSON.parse(readFileSync(new URL('golden/weighted-losses.json', import.meta.url), 'utf8'))

describe('losses of weighted samples', () => {
  it.each(
    cases.map((one, i) => [`${i} ${one.name} ${one.reduction} ${one.target.dtype} [${one.shape}]`, one] as const),
  )('as composed in PyTorch: %s', (_, { name, reduction, options, shape, x, w, target, loss, grad }) => {
    const given = Object.entries(options).map(([key, value]) => [key, Array.isArray(value) ? tensor(value) : value])
    const prediction = tensor(x, { shape, requiresGrad: true })
    const wanted = tensor(target.values, { shape: target.shape, dtype: target.dtype })
    const value = new nn[name]({ reduction, ...Object.fromEntries(given) }).forward(prediction, wanted, tensor(w))
    value.backward()
    expect(Math.abs(value.item() - loss)).toBeLessThan(2e-6 * Math.max(1, Math.abs(loss)))
    prediction.grad!.data.forEach((g, i) => void expect(Math.abs(g - grad[i])).toBeLessThan(2e-6))
  })
  it('one by one without a reduction, and refuse weights of other samples', () => {
    const loss = new nn.MSELoss({ reduction: 'none' })
    const [x, y] = [tensor([[1, 2]]), tensor([[0, 0]])]
    expect(loss.forward(x, y, tensor([0.5])).toArray()).toEqual([[0.5, 2]])
    expect(() => loss.forward(x, y, tensor([1, 2]))).toThrow(
      'MSELoss: expected weight to have shape [1] but received [2]',
    )
  })
})

/** A layer that reads values, which no plan can do. */
class Peeking extends nn.Identity {
  override forward(x: Tensor) {
    x.data.at(0)
    return x
  }
}

const weightsOf = (rows: number, zeros = 5) =>
  Float32Array.from({ length: rows }, (_, i) => (i < zeros ? 0 : (i % 7) / 4 + 0.1))
const weighted = (set: data.TensorDataset, zeros?: number) =>
  new data.TensorDataset(...set.tensors, { sampleWeight: weightsOf(set.length, zeros) })
const numbers = (() => {
  const [x, y] = blobs(70, 4, 3).tensors
  return new data.TensorDataset(x, tensor([...y.data].map(v => [v + 0.5, -v, v > 0 ? 1 : 0])))
})()

describe('fit', () => {
  it.each<[string, data.TensorDataset, nn.Loss, object]>([
    ['classes', blobs(70, 4, 3), new nn.CrossEntropyLoss(), {}],
    [
      'class weights',
      blobs(70, 4, 3),
      new nn.CrossEntropyLoss({ weight: tensor([1, 2, 0.5]), labelSmoothing: 0.1 }),
      {},
    ],
    ['several batches per update', blobs(70, 4, 3), new nn.CrossEntropyLoss({ reduction: 'sum' }), { accumulate: 2 }],
    ['numbers', numbers, new nn.SmoothL1Loss(), {}],
  ])('is the explicit loop, bit for bit, on the plan and on the eager engine: %s', async (_, set, loss, extra) => {
    const made = (between?: () => nn.Module) => {
      random.manualSeed(3)
      const model = mlp([4, 20, 3], between)
      const train = new data.DataLoader(weighted(set), { batchSize: 16, shuffle: true })
      const test = new data.DataLoader(weighted(set), { batchSize: 32 })
      return { model, given: { train, test, optimizer: new optim.Adam(model.parameters(), { lr: 0.01 }) } }
    }
    const weights = ({ model }: { model: nn.Module }) => model.parameters().map(p => [...p.data])
    const onPlan = made()
    const plan = await fit(onPlan.model, { ...onPlan.given, loss, epochs: 3, ...extra })
    const onTape = made(() => new nn.Sequential(new Peeking(), new nn.ReLU()))
    const eager = await fit(onTape.model, { ...onTape.given, loss, epochs: 3, ...extra })
    expect([plan.engine, eager.engine]).toEqual(['plan', 'eager'])
    expect({ ...eager, engine: '', engineReason: undefined }).toEqual({ ...plan, engine: '', engineReason: undefined })
    expect(weights(onTape)).toEqual(weights(onPlan))
    if ('accumulate' in extra) return
    const byHand = made()
    const { train, test, optimizer } = byHand.given
    for (let epoch = 0; epoch < 3; epoch++) {
      for (const [x, y, w] of train) {
        optimizer.zeroGrad()
        loss.forward(byHand.model.forward(x), y, w).backward()
        optimizer.step()
      }
      for (const _ of test); // draws as an evaluation does
    }
    expect(weights(byHand)).toEqual(weights(onPlan))
  })
  it('leaves accuracies and metrics unweighted, and weighs losses of tests', async () => {
    const set = weighted(blobs(64, 4, 3))
    const loader = new data.DataLoader(set, { batchSize: 64 })
    const model = mlp([4, 8, 3])
    const optimizer = new optim.SGD(model.parameters(), { lr: 0 })
    const loss = new nn.CrossEntropyLoss()
    const options = { train: loader, test: loader, loss, optimizer, epochs: 1, metrics: ['accuracy'] as const }
    const history = await fit(model, options)
    const plain = await evaluate(
      model,
      new data.DataLoader(new data.TensorDataset(...set.tensors), { batchSize: 64 }),
      loss,
    )
    const own = await evaluate(model, loader, loss)
    expect(history.testAcc).toEqual([plain.accuracy])
    expect(history.metrics!.accuracy).toEqual({ train: [plain.accuracy], test: [plain.accuracy] })
    expect(history.testLoss).toEqual([own.loss])
    expect(own.accuracy).toBe(plain.accuracy)
    expect(own.loss).not.toBe(plain.loss)
  })
  it('makes no update of a batch that weighs nothing, and counts no loss for it', async () => {
    const [x, y] = blobs(40, 4, 3).tensors
    const sampleWeight = Array.from({ length: 40 }, (_, i) => (i >= 10 && i < 30 ? 0 : 1))
    const run = async (set: data.TensorDataset, accumulate: number) => {
      random.manualSeed(1)
      const model = mlp([4, 6, 3])
      const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 })
      const train = new data.DataLoader(set, { batchSize: 10 })
      const history = await fit(model, {
        train,
        test: train,
        loss: new nn.CrossEntropyLoss(),
        optimizer,
        epochs: 2,
        accumulate,
      })
      return { history, weights: model.parameters().map(p => [...p.data]), count: optimizer.stateDict().state[0].step }
    }
    const zeros = new data.TensorDataset(x, y, { sampleWeight })
    const rows = Int32Array.from({ length: 20 }, (_, i) => (i < 10 ? i : i + 20))
    const without = await run(
      new data.TensorDataset(...new data.TensorDataset(x, y).batch(rows), { sampleWeight: new Array(20).fill(1) }),
      1,
    )
    const skipping = await run(zeros, 1)
    expect(skipping.history.engineReason).toBe('a batch may weigh nothing')
    expect(without.history.engine).toBe('plan')
    expect(skipping.weights).toEqual(without.weights)
    expect(skipping.count).toBe(4)
    expect(skipping.history.lr).toHaveLength(4)
    expect(skipping.history.trainLoss).toEqual(without.history.trainLoss)
    expect(skipping.history.testLoss).toEqual(without.history.testLoss)
    // Batches 1 and 4 make the halves of updates whose other half weighs nothing.
    expect((await run(zeros, 2)).count).toBe(4)
    expect((await run(new data.TensorDataset(x, y, { sampleWeight: sampleWeight.map(w => 1 - w) }), 4)).count).toBe(2)
  })
})

describe('a weighted data set', () => {
  it('gives a sample its weight last, in parts too', () => {
    const set = new data.TensorDataset(tensor([[1], [2], [3]]), tensor([0, 1, 0]), { sampleWeight: [1, 0.5, 2] })
    expect(set.get(1).map(t => t.toArray())).toEqual([[2], 1, 0.5])
    const part = new data.Subset(set, [2, 0])
    const loader = new data.DataLoader(part, { batchSize: 2 })
    expect(loader.weighted).toBe(true)
    expect([...loader].map(batch => batch.map(t => t.toArray()))).toEqual([
      [
        [[3], [1]],
        [0, 0],
        [2, 1],
      ],
    ])
    expect(new data.DataLoader(new data.TensorDataset(tensor([[1]]))).weighted).toBe(false)
  })
  it('lets updateBn see inputs only', () => {
    const model = new nn.Sequential(new nn.BatchNorm1d(4))
    optim.updateBn(new data.DataLoader(weighted(blobs(20, 4, 3)), { batchSize: 10 }), model)
    expect((model.stateDict()['0.num_batches_tracked'] as Tensor).item()).toBe(2)
  })
  it.each<[string, unknown, string]>([
    ['negative', [1, -1, 1], 'sampleWeight[1] to be a finite number at least 0 but received -1'],
    ['not finite', [1, 1, Number.NaN], 'sampleWeight[2] to be a finite number'],
    ['too few', [1, 1], '3 sample weights but received 2'],
    ['of rows', tensor([[1], [1], [1]]), 'sampleWeight to have shape [n] but received [3, 1]'],
    ['no numbers', 'abc', 'sampleWeight to be a Tensor or an array of numbers'],
  ])('refuses weights that are none: %s', (_, sampleWeight, message) => {
    const make = () => new data.TensorDataset(tensor([[1], [2], [3]]), { sampleWeight } as never)
    expect(make).toThrow(message)
  })
  it('refuses options that it does not know, and losses that cannot weigh', async () => {
    expect(() => new data.TensorDataset(tensor([[1]]), { sampleWeights: [1] } as never)).toThrow(
      'did you mean sampleWeight?',
    )
    class Own extends nn.Loss {
      forward(prediction: Tensor) {
        return prediction.mean()
      }
    }
    const model = mlp([4, 3])
    const train = new data.DataLoader(weighted(blobs(20, 4, 3)), { batchSize: 10 })
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 })
    const message = 'expected a loss that weighs samples, as they have weights, but received "Own"'
    await expect(fit(model, { train, loss: new Own(), optimizer, epochs: 1 })).rejects.toThrow(message)
    await expect(evaluate(model, train, new Own())).rejects.toThrow(message)
  })
  it('are those of the data set that a callback puts in the place of another, on the plan and in the loop', async () => {
    const run = async (first: nn.Module) => {
      random.manualSeed(3)
      const model = new nn.Sequential(first, new nn.Linear(4, 3))
      const plain = blobs(40, 4, 3)
      const train = new data.DataLoader(plain, { batchSize: 10 })
      const onEpochEnd = ({ epoch }: { epoch: number }) => {
        ;(train as { dataset: data.Dataset }).dataset = epoch === 1 ? weighted(plain) : plain
      }
      const [loss, optimizer] = [new nn.CrossEntropyLoss(), new optim.SGD(model.parameters(), { lr: 0.1 })]
      return await fit(model, { train, loss, optimizer, epochs: 3, onEpochEnd })
    }
    const [plan, loop] = [await run(new nn.Identity()), await run(new Peeking())]
    expect([plan.engine, loop.engine]).toEqual(['plan', 'eager'])
    expect(loop.trainLoss).toEqual(plan.trainLoss)
  })
  it('of a set that comes with a callback are refused by a loss that cannot weigh', async () => {
    class Own extends nn.Loss {
      forward(prediction: Tensor) {
        return prediction.mean()
      }
    }
    const [model, plain] = [mlp([4, 3]), blobs(20, 4, 3)]
    const train = new data.DataLoader(plain, { batchSize: 10 })
    const onEpochEnd = () => {
      ;(train as { dataset: data.Dataset }).dataset = weighted(plain)
    }
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 })
    await expect(fit(model, { train, loss: new Own(), optimizer, epochs: 2, onEpochEnd })).rejects.toThrow(
      'expected a loss that weighs samples',
    )
  })
})
