/** Errors that say what to do: a sample without rows, numbers that are not finite, labels from 1, streams held to the thread. */
import { callbacks, compile, data, evaluate, fit, nn, optim, predict, random, type Tensor, tensor } from 'anneal'
import { describe, expect, it } from 'vitest'
import { blobs, mlp } from './helpers/training.js'

describe('predict of one sample without rows', () => {
  it.each([
    [() => new nn.Linear(4, 3), 4],
    [() => new nn.Linear(4, 4), 4],
    [() => mlp([4, 8, 1]), 4],
    [() => new nn.Linear(300, 2), 300],
  ])('asks for a dimension, whatever its outputs would pass for: %#', async (make, n) => {
    const x = tensor(Array.from({ length: n }, (_, i) => i))
    const message = `predict: expected x to have shape [rows, …] but received [${n}]; for one sample add a dimension: x.reshape([1, ${n}])`
    await expect(predict(make(), x)).rejects.toMatchObject({ code: 'ERR_SHAPE', message })
    expect((await predict(make(), x.reshape([1, n]))).shape[0]).toBe(1)
  })
  it('takes rows that are numbers or codes', async () => {
    class OfNumbers extends nn.Module {
      fc = new nn.Linear(1, 2)
      forward(x: Tensor) {
        return this.fc.forward(x.reshape([x.shape[0], 1]))
      }
    }
    expect((await predict(new OfNumbers(), tensor([1, 2, 3]))).shape).toEqual([3, 2])
    expect((await predict(new nn.Embedding(5, 3), tensor([1, 2, 3, 4], { dtype: 'int32' }))).shape).toEqual([4, 3])
    expect((await predict(new nn.ReLU(), tensor([-1, 2]))).toArray()).toEqual([0, 2])
  })
  it('refuses a model that gives no output per row', async () => {
    class Total extends nn.Module {
      forward(x: Tensor) {
        return x.sum()
      }
    }
    const message = 'predict: expected an output for each of 2 rows but received one of shape []'
    await expect(predict(new Total(), tensor([[1], [2]]))).rejects.toThrow(message)
  })
})

describe('failOnNaN', () => {
  const failing = (set: data.Dataset, model: nn.Module & { forward(x: Tensor): Tensor } = mlp([4, 8, 3]), lr = 0.1) => {
    const optimizer = new optim.SGD(model.parameters(), { lr })
    const train = new data.DataLoader(set, { batchSize: 10 })
    const loss = new nn.CrossEntropyLoss()
    return fit(model, { train, loss, optimizer, epochs: 50, callbacks: [callbacks.failOnNaN()] })
  }
  it('names the row and the column of the data, rows as the data set has them', async () => {
    const [x, y] = blobs(40, 4, 3).tensors
    const values = x.data.slice()
    values[4 * 23 + 2] = Number.NaN
    const set = new data.TensorDataset(tensor(values, { shape: [40, 4] }), y)
    const message =
      'failOnNaN: expected finite values but received NaN in the output of 0 (Linear) in step 3: row 23, column 2 of the input is NaN'
    await expect(failing(set)).rejects.toMatchObject({ code: 'ERR_NONFINITE', message })
    const part = new data.Subset(set, [1, 23, 5])
    await expect(failing(part)).rejects.toThrow('in step 1: row 1, column 2 of the input is NaN')
  })
  it('names the first layer that gives one, where the data are sound', async () => {
    random.manualSeed(0)
    class Roots extends nn.Module {
      fc1 = new nn.Linear(4, 8)
      root = new (class Root extends nn.Module {
        forward(x: Tensor) {
          return x.sqrt()
        }
      })()
      fc2 = new nn.Linear(8, 3)
      forward(x: Tensor) {
        return this.fc2.forward(this.root.forward(this.fc1.forward(x)))
      }
    }
    await expect(failing(blobs(40, 4, 3), new Roots(), 0)).rejects.toThrow(
      'failOnNaN: expected finite values but received NaN in the output of root (Root) in step 1',
    )
    await expect(failing(blobs(40, 4, 3), mlp([4, 8, 3]), 1e30)).rejects.toThrow(
      /received .* in (the output of|the gradient of|0\.weight after) .* in step \d+$/,
    )
  })
})

it('labels from 1 are told so', async () => {
  const [x, y] = blobs(12, 4, 3).tensors
  const loader = new data.DataLoader(new data.TensorDataset(x, tensor(y.data.map((_, i) => (i % 3) + 1))), {
    batchSize: 4,
  })
  const model = mlp([4, 3])
  const given = {
    train: loader,
    loss: new nn.CrossEntropyLoss(),
    optimizer: new optim.SGD(model.parameters(), { lr: 0.1 }),
  }
  await expect(fit(model, { ...given, epochs: 1 })).rejects.toThrow(/labels start at 0: .*LabelEncoder/)
})

it('a stream asks for the call that waits', async () => {
  const source = () => [{ a: [1, 2, 3], y: [0, 1, 0] }]
  const stream = await data.streamTable(source, { inputs: ['a'], target: 'y' })
  const train = new data.DataLoader(stream, { batchSize: 2 })
  const model = mlp([1, 2])
  const [loss, optimizer] = [new nn.CrossEntropyLoss(), new optim.SGD(model.parameters(), { lr: 0.1 })]
  const said = (name: string) =>
    `${name}.sync: expected data in memory but received a stream, which is waited for: ${name} without sync takes it`
  expect(() => fit.sync(model, { train, loss, optimizer, epochs: 1 })).toThrow(said('fit'))
  expect(() => evaluate.sync(model, train, loss)).toThrow(said('evaluate'))
  expect(() => compile(model, loss, optimizer, { batchSize: 2 }).run.sync(train, { epochs: 1 })).toThrow(said('run'))
  expect((await fit(model, { train, test: train, loss, optimizer, epochs: 1 })).engine).toBe('plan')
})
