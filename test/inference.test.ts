/** Predictions on plans: the bits of the model's own forward, with the weights and layers that it has at the moment. */

import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { inferenceFor } from '../src/engine/inference.js'
import { data, evaluate, fit, nn, noGrad, optim, predict, random, type Tensor, tensor } from '../src/index.js'

type Net = nn.Module & { forward(...x: Tensor[]): Tensor }

const nets: Record<string, { make: () => Net; inputs: number[] }> = {
  'wide layers': {
    make: () => new nn.Sequential(new nn.Linear(40, 70), new nn.ReLU(), new nn.Linear(70, 5)),
    inputs: [40],
  },
  'narrow layers': {
    make: () => new nn.Sequential(new nn.Linear(2, 8), new nn.ReLU(), new nn.Linear(8, 3)),
    inputs: [2],
  },
  'norms, activations and dropout': {
    make: () =>
      new nn.Sequential(
        new nn.Linear(20, 33),
        new nn.LayerNorm(33),
        new nn.GELU(),
        new nn.BatchNorm1d(33),
        new nn.Dropout({ p: 0.5 }),
        new nn.SiLU(),
        new nn.Linear(33, 7),
        new nn.Softmax({ dim: 1 }),
      ),
    inputs: [20],
  },
  'no layer with weights': { make: () => new nn.Sequential(new nn.Tanh(), new nn.ELU()), inputs: [6] },
  'images laid flat': {
    make: () => new nn.Sequential(new nn.Flatten(), new nn.Linear(12, 4), new nn.LogSoftmax({ dim: 1 })),
    inputs: [3, 4],
  },
  'rows that meet': { make: () => new nn.Sequential(new nn.Linear(4, 6), new nn.Softmax({ dim: 0 })), inputs: [4] },
}

function forward(model: Net, ...x: Tensor[]): Tensor {
  const restore = model.keepModes()
  model.eval()
  const y = noGrad(() => model.forward(...x))
  restore()
  return y
}

function bytesOf({ data }: Tensor): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength)
}

function expectEqual(y: Tensor, want: Tensor): void {
  expect(y.shape).toEqual(want.shape)
  expect(bytesOf(y)).toEqual(bytesOf(want))
}

/** Whether a plan gives the predictions. */
function isPlanned(model: nn.Module, x: Tensor): boolean {
  const plan = inferenceFor(model as Net, [x], x.shape[0])
  plan?.release()
  return plan !== null
}

describe('predictions on a plan', () => {
  for (const [name, { make, inputs }] of Object.entries(nets)) {
    it(`give the bits of forward: ${name}`, async () => {
      const model = make()
      for (const rows of [1, 2, 16, 17, 100, 256, 3]) {
        const x = random.randn([rows, ...inputs])
        expect(isPlanned(model, x)).toBe(true)
        expectEqual(predict.sync(model, x), forward(model, x))
        expectEqual(await predict(model, x), forward(model, x))
        expect(model.training).toBe(true)
      }
    })
  }

  it('take batches one after the other, of whatever size, on threads too', async () => {
    const model = new nn.Sequential(new nn.Linear(300, 400), new nn.ReLU(), new nn.Linear(400, 9))
    const x = random.randn([1000, 300])
    const want = forward(model, x)
    expectEqual(await predict(model, x), want)
    expectEqual(await predict(model, x, { batchSize: 1000, threads: 2 }), want)
    expectEqual(predict.sync(model, x, { batchSize: 7, threads: 2 }), want)
    const both = await Promise.all([predict(model, x), predict(model, x, { batchSize: 100 })])
    for (const y of both) expectEqual(y, want)
  })

  it('are arrays of their own, few numbers or many, and leave the inputs alone', () => {
    const model = new nn.Sequential(new nn.Linear(4, 3), new nn.ReLU(), new nn.Linear(3, 4))
    for (const rows of [1, 4, 5, 30]) {
      const [one, other] = [random.randn([rows, 4]), random.randn([rows, 4])]
      const before = bytesOf(one).toString('hex')
      const [y, z] = [predict.sync(model, one), predict.sync(model, other)]
      expectEqual(y, forward(model, one))
      expectEqual(z, forward(model, other))
      y.data.fill(7)
      expectEqual(predict.sync(model, one), forward(model, one))
      expectEqual(z, forward(model, other))
      expect(bytesOf(one).toString('hex')).toBe(before)
    }
  })

  it('look up rows of tables, and refuse numbers that name none', () => {
    const model = new nn.Sequential(new nn.Embedding(5, 3), new nn.Flatten(), new nn.Linear(6, 2))
    const codes = tensor([[0, 4], [2, 2], [1, 0]], { dtype: 'int32' }) // biome-ignore format: rows
    expect(isPlanned(model, codes)).toBe(true)
    expectEqual(predict.sync(model, codes), forward(model, codes))
    const wrong = tensor([[0, 4], [5, 2]], { dtype: 'int32' }) // biome-ignore format: rows
    expect(() => predict.sync(model, wrong)).toThrow('indices[1, 0] to be in [0, 4] but received 5')
  })

  it('go by forward where a layer has code of its own', () => {
    const factor = { value: 2 }
    class Scaled extends nn.Module {
      forward(x: Tensor): Tensor {
        return x.mul(factor.value)
      }
    }
    const model = new nn.Sequential(new nn.Linear(4, 3), new Scaled())
    const x = random.randn([5, 4])
    expect(isPlanned(model, x)).toBe(false)
    const before = predict.sync(model, x)
    factor.value = 3
    expect(predict.sync(model, x).data).not.toEqual(before.data)
    const patched = new nn.Sequential(new nn.Linear(4, 3))
    expect(isPlanned(patched, x)).toBe(true)
    patched.forward = (_x: Tensor) => tensor([[1], [2], [3], [4], [5]])
    expect(predict.sync(patched, x).toArray()).toEqual([[1], [2], [3], [4], [5]])
  })

  it('refuse inputs that the model does not take, as forward does', () => {
    const model = new nn.Sequential(new nn.Linear(4, 3))
    const x = random.randn([5, 4])
    predict.sync(model, x)
    expect(() => predict.sync(model, random.randn([5, 3]))).toThrow('x.shape[1] to equal inFeatures (4)')
    expect(() => predict.sync(model, [x, x])).toThrow('Sequential.forward: expected 1 input')
    expect(() => predict.sync(model, random.randn([4]))).toThrow('for one sample add a dimension')
    expect(predict.sync(model, random.randn([0, 4])).shape).toEqual([0, 3])
    expect(() => predict.sync(model, x, { threads: 0 })).toThrow(/threads to be/)
  })
})

function train(model: nn.Sequential, x: Tensor, y: Tensor, onEpochEnd?: () => void | Promise<void>) {
  return fit(model, {
    train: new data.DataLoader(new data.TensorDataset(x, y), { batchSize: 4 }),
    loss: new nn.MSELoss(),
    optimizer: new optim.SGD(model.parameters(), { lr: 0.1 }),
    epochs: 2,
    ...(onEpochEnd && { onEpochEnd }),
  })
}

/** Every way in which the numbers of a model change. */
const changes: Record<string, (model: nn.Sequential, x: Tensor, y: Tensor) => unknown> = {
  'an optimizer steps': (model, x) => step(model, new optim.Adam(model.parameters(), { lr: 0.1 }), x),
  'L-BFGS steps': (model, x) => {
    const optimizer = new optim.LBFGS(model.parameters())
    optimizer.step(() => {
      optimizer.zeroGrad()
      const out = model.forward(x)
      const loss = out.mul(out).mean()
      loss.backward()
      return loss
    })
  },
  'a schedule-free optimizer changes its mode': (model, x) => {
    const optimizer = new optim.SGDScheduleFree(model.parameters(), { lr: 0.1 })
    for (let i = 0; i < 3; i++) step(model, optimizer, x)
    predict.sync(model, x)
    optimizer.eval()
  },
  'a fit trains': train,
  'a fit trains on the eager engine': (model, x, y) =>
    fit(model, {
      train: new data.DataLoader(new data.TensorDataset(x, y), { batchSize: 4 }),
      loss: new nn.MSELoss(),
      optimizer: new optim.LBFGS(model.parameters(), { lr: 0.1 }),
      epochs: 2,
    }),
  'a state is loaded': model => {
    const state = model.stateDict()
    for (const key of Object.keys(state)) state[key] = tensor(state[key].data.map(v => v + 1), { shape: state[key].shape }) // biome-ignore format: a line
    model.loadStateDict(state)
  },
  'somebody writes to a weight': model => {
    ;(model.parameters()[0].data as Float32Array)[3] += 1
  },
  'somebody writes to a weight that was read during a fit, too': async (model, x, y) => {
    const weight = model.parameters()[0]
    let [hasBegun, lent]: [boolean, Float32Array | null] = [false, null]
    const running = train(model, x, y, async () => {
      hasBegun = true
      while (!lent) await nextTurn()
    })
    while (!hasBegun) await nextTurn()
    lent = weight.data as Float32Array
    await running
    expect(weight.data).not.toBe(lent)
    predict.sync(model, x)
    ;(weight.data as Float32Array)[3] += 1
  },
  'somebody writes to an array of before': model => {
    early.get(model)![0] += 1
  },
  'somebody writes by a state dict': model => {
    ;(model.stateDict()['1.running_mean'].data as Float32Array).fill(0.5)
  },
  'a weight is drawn anew': model => nn.init.uniform_(model.parameters()[0]),
  'batch norm sees a batch': (model, x) => noGrad(() => model.train().forward(x)),
  'batch norm forgets': model => (model.namedChildren()[1][1] as nn.BatchNorm1d).resetRunningStats(),
  'a layer is replaced': model => Object.assign(model, { 2: new nn.Tanh() }),
  'a layer is added': model => Object.assign(model, { 4: new nn.Sigmoid() }),
  'a tensor is replaced': model => Object.assign(model.namedChildren()[0][1], { bias: null }),
  'an option is changed': model => {
    ;(model.namedChildren()[2][1] as unknown as { options: { negativeSlope: number } }).options.negativeSlope = 0.9
  },
}

const early = new WeakMap<nn.Module, Float32Array>()

function step(model: nn.Sequential, optimizer: optim.Optimizer, x: Tensor): void {
  optimizer.zeroGrad()
  const y = model.forward(x)
  y.mul(y).mean().backward()
  optimizer.step()
}

describe('predictions on a plan are of the model as it is', () => {
  for (const [name, change] of Object.entries(changes)) {
    it(name, async () => {
      const layers = [
        new nn.Linear(5, 6),
        new nn.BatchNorm1d(6),
        new nn.LeakyReLU({ negativeSlope: 0.1 }),
        new nn.Linear(6, 2),
      ]
      const model = new nn.Sequential(...layers)
      const [x, y] = [random.randn([12, 5]), random.randn([12, 2])]
      noGrad(() => model.forward(x)) // batch norm has something to forget
      if (name.includes('of before')) early.set(model, model.parameters()[0].data as Float32Array)
      expect(isPlanned(model, x)).toBe(true)
      const before = predict.sync(model, x)
      expectEqual(before, forward(model, x))
      await change(model, x, y)
      expect(isPlanned(model, x)).toBe(true)
      const after = predict.sync(model, x)
      expectEqual(after, forward(model, x))
      expect(after.data).not.toEqual(before.data)
    })
  }

  it('a fit that goes on is not waited for, and its published weights are read', async () => {
    const model = new nn.Sequential(new nn.Linear(5, 6), new nn.ReLU(), new nn.Linear(6, 2))
    const [x, y] = [random.randn([64, 5]), random.randn([64, 2])]
    const published = [bytesOf(forward(model, x))]
    const running = train(model, x, y, () => void published.push(bytesOf(forward(model, x))))
    const served = await predict(model, x)
    await running
    expect(published).toContainEqual(bytesOf(served))
    expectEqual(predict.sync(model, x), forward(model, x))
  })

  it('evaluate gives the loss and accuracy of forward', async () => {
    const model = new nn.Sequential(new nn.Linear(5, 6), new nn.ReLU(), new nn.Linear(6, 3))
    const x = random.randn([50, 5])
    const labels = tensor(Array.from({ length: 50 }, (_, i) => i % 3), { dtype: 'int32' }) // biome-ignore format: a line
    const loader = new data.DataLoader(new data.TensorDataset(x, labels), { batchSize: 16 })
    const planned = await evaluate(model, loader, new nn.CrossEntropyLoss())
    class Own extends nn.Sequential {}
    const own = new Own(...model.namedChildren().map(([, layer]) => layer))
    expect(isPlanned(own, x)).toBe(false)
    expect(planned).toEqual(evaluate.sync(own, loader, new nn.CrossEntropyLoss()))
  })
})
