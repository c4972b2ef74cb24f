/** Batches of any columns: several inputs, none but one, data sets of one's own; on every engine and in all that trains. */

import {
  backends,
  compile,
  data,
  evaluate,
  fit,
  lrFind,
  nn,
  optim,
  predict,
  random,
  sweep,
  type Tensor,
  tensor,
} from 'anneal'
import { describe, expect, it } from 'vitest'
import type { Model } from '../src/engine/options.js'
import { tfjsBackends } from './helpers/backends.js'
import { stateOf } from './helpers/training.js'

const ROWS = 53

/** Numbers and an embedded category, each through a layer of its own. */
class TwoInputs extends nn.Module {
  numbers = new nn.Linear(4, 8)
  categories = new nn.Embedding(5, 8)
  out = new nn.Linear(8, 3)

  forward(numbers: Tensor, categories: Tensor): Tensor {
    return this.out.forward(this.numbers.forward(numbers).add(this.categories.forward(categories)).relu())
  }
}

function dataSet(rows = ROWS, seed = 1): data.TensorDataset {
  const generator = new random.Generator(seed)
  const numbers = random.randn([rows, 4], { generator })
  const categories = random.randint(0, 5, [rows], { generator })
  const labels = Int32Array.from(
    { length: rows },
    (_, i) => Math.abs(categories.data[i] + Math.round(numbers.data[i * 4])) % 3,
  )
  return new data.TensorDataset(numbers, categories, tensor(labels))
}

/** The same samples, by `get` alone. */
const byGet = (set: data.TensorDataset): data.Dataset => ({ length: set.length, get: i => set.get(i) })

function makeJob(wrap: (set: data.TensorDataset) => data.Dataset = set => set) {
  random.manualSeed(5)
  const model = new TwoInputs()
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })
  const train = new data.DataLoader(wrap(dataSet()), { batchSize: 8, shuffle: true })
  const test = new data.DataLoader(wrap(dataSet(20, 2)), { batchSize: 8 })
  return { model, optimizer, train, test, loss: new nn.CrossEntropyLoss() }
}

/** The explicit loop over two inputs. */
function explicitLoop({ model, optimizer, train, test, loss }: ReturnType<typeof makeJob>, epochs: number): number[] {
  return Array.from({ length: epochs }, () => {
    let sum = 0
    for (const [numbers, categories, y] of train) {
      const value = loss.forward(model.forward(numbers, categories), y)
      value.backward()
      optimizer.step()
      optimizer.zeroGrad()
      sum += value.item()
    }
    for (const _ of test); // draws what an evaluation draws
    return sum / train.length
  })
}

describe('two inputs', () => {
  const loop = makeJob()
  const trainLoss = explicitLoop(loop, 3)

  it.each([
    ['a TensorDataset', 'plan', (set: data.TensorDataset) => set],
    ['a Subset', 'plan', (set: data.TensorDataset) => new data.Subset(set, [...Array(set.length).keys()])],
    ['one that offers columns', 'plan', (set: data.TensorDataset) => ({ ...byGet(set), columns: () => set.columns() })],
    ['one that gets samples', 'eager', byGet],
  ])('of %s train on the %s with the bits of the explicit loop', async (_, engine, wrap) => {
    const { model, ...job } = makeJob(wrap)
    const history = await fit(model, { ...job, epochs: 3 })
    expect(history.engine, history.engineReason).toBe(engine)
    expect(history.trainLoss).toEqual(trainLoss)
    expect(stateOf({ model, ...job })).toEqual(stateOf(loop))
    const tested = await evaluate(model, job.test, job.loss)
    expect([tested.loss, tested.accuracy]).toEqual([history.testLoss!.at(-1), history.testAcc!.at(-1)])
  })

  it.each([backends.reference, ...tfjsBackends])('train on $name within its bounds', backend => {
    const { model, ...job } = makeJob()
    const history = fit.sync(model, { ...job, epochs: 3, backend })
    history.trainLoss.forEach((value, i) => {
      expect(Math.abs(value - trainLoss[i]) / trainLoss[i]).toBeLessThan(1e-4)
    })
    const weights = loop.model.parameters().map(p => [...p.data])
    model.parameters().forEach((p, k) => {
      p.data.forEach((value, i) => {
        expect(value).toBeCloseTo(weights[k][i], 4)
      })
    })
  })

  it('are predicted in batches', async () => {
    const { model } = makeJob()
    const [numbers, categories] = dataSet().tensors
    const whole = model.eval().forward(numbers, categories)
    expect((await predict(model, [numbers, categories], { batchSize: 10 })).toArray()).toEqual(whole.toArray())
    expect(() => predict.sync(model, [numbers, tensor([1, 2])])).toThrow(
      'predict: expected x[1] to have 53 rows as x[0] but received 2',
    )
    expect(() => predict.sync(model, [numbers, 3 as never])).toThrow(TypeError)
    expect(() => predict.sync(model, [])).toThrow(RangeError)
  })

  it('are compiled, and described by name', async () => {
    const { model, loss, optimizer, train } = makeJob()
    const inputs = [{ shape: [4] }, { shape: [], dtype: 'int32' }] as const
    const plan = compile(model, loss, optimizer, { batchSize: 8, inputs })
    for (const name of ['x1', 'x2', 'y', 'categories.weight'])
      expect(plan.describe()).toMatch(new RegExp(`\\b${name}\\b`))
    random.manualSeed(9)
    const trained = await plan.run(train, { epochs: 3 })
    const { model: same, test: _, ...alone } = makeJob()
    random.manualSeed(9)
    const want = await fit(same, { ...alone, epochs: 3 })
    expect(trained).toEqual(want)
  })

  it('are tested for a rate, with the curve of the eager engine', () => {
    const curve = (wrap?: (set: data.TensorDataset) => data.Dataset) => {
      const { model, train, loss, optimizer } = makeJob(wrap)
      const before = stateOf({ model, optimizer } as never)
      const { lr, loss: losses } = lrFind.sync(model, { train, loss, optimizer, steps: 30 })
      expect(stateOf({ model, optimizer } as never)).toEqual(before)
      return { lr, losses }
    }
    expect(curve()).toEqual(curve(byGet))
  })

  it('are swept, each run with the bits that it has alone', async () => {
    const { train, test, loss } = makeJob()
    const makeOptimizer = (model: Model, { lr }: { lr: number }) => new optim.SGD(model.parameters(), { lr })
    const shared = { makeModel: () => new TwoInputs(), makeOptimizer, train, test, loss, epochs: 2 }
    const { runs } = await sweep({ ...shared, grid: { lr: [0.01, 0.1] } })
    for (const { params, history } of runs) {
      random.manualSeed(0)
      const model = new TwoInputs()
      const alone = fit.sync(model, { train, test, loss, epochs: 2, optimizer: makeOptimizer(model, params) })
      expect(history).toEqual(alone)
      expect(history.engine).toBe('plan')
    }
  })
})

describe('what does not fit is refused before the first step', () => {
  const [X, c, y] = dataSet().tensors
  const one = () => new nn.Sequential(new nn.Linear(4, 3))
  const loaderOf = (...tensors: Tensor[]) => new data.DataLoader(new data.TensorDataset(...tensors), { batchSize: 8 })
  const eager = (loader: data.DataLoader) =>
    new data.DataLoader(byGet(loader.dataset as data.TensorDataset), { batchSize: 8 })
  const fitting = (model: Model, train: data.DataLoader) => {
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 })
    return fit.sync(model, { train, loss: new nn.CrossEntropyLoss(), optimizer, epochs: 1 })
  }
  const refused = (model: Model, train: data.DataLoader, message: string) => {
    const before = Object.values(model.stateDict()).map(t => [...t.data])
    expect(() => fitting(model, train)).toThrow(message)
    expect(Object.values(model.stateDict()).map(t => [...t.data])).toEqual(before)
  }

  it.each([
    ['plan', (loader: data.DataLoader) => loader],
    ['eager', eager],
  ])('an input that nothing reads, on the %s', (_, engine) => {
    const message =
      'Sequential.forward: expected 1 input, all tensors of a sample but its target, but received 2, of which nothing reads number 2'
    refused(one(), engine(loaderOf(X, c, y)), message)
    expect(() => evaluate.sync(one(), engine(loaderOf(X, c, y)), new nn.CrossEntropyLoss())).toThrow(message)
    expect(() => predict.sync(one(), [X, c])).toThrow(message)
  })

  it.each([
    ['plan', (loader: data.DataLoader) => loader],
    ['eager', eager],
  ])('too few inputs, and a target that is missing, on the %s', (_, engine) => {
    const two = 'TwoInputs.forward: expected 2 inputs, all tensors of a sample but its target, but received 1'
    refused(new TwoInputs(), engine(loaderOf(X, y)), two)
    const target =
      'DataLoader: expected samples of inputs and a target, which CrossEntropyLoss needs, but received 1 tensor'
    refused(one(), engine(loaderOf(X)), target)
  })

  it('but not what forward.length does not tell: rest parameters, and inputs that are left out', () => {
    class Rest extends nn.Module {
      inner = new TwoInputs()
      forward(...inputs: Tensor[]): Tensor {
        return this.inner.forward(...(inputs as [Tensor, Tensor]))
      }
    }
    class Optional extends nn.Module {
      fc = new nn.Linear(4, 3)
      forward(x: Tensor, scale?: Tensor): Tensor {
        return this.fc.forward(scale ? x.mul(scale) : x)
      }
    }
    expect(fitting(new Rest(), loaderOf(X, c, y)).engine).toBe('plan')
    expect(fitting(new Optional(), loaderOf(X, y)).engine).toBe('plan')
  })
})

describe('samples of one tensor', () => {
  /** Reconstruction is the model's own affair here: the prediction is what should vanish. */
  class Energy extends nn.Loss {
    override readonly needsTarget = false
    override forward(prediction: Tensor): Tensor {
      return prediction.mul(prediction).mean()
    }
  }

  it.each(['plan', 'eager', 'reference'])('are inputs for a loss that needs no target, on %s', name => {
    const [X] = dataSet().tensors
    const set = new data.TensorDataset(X)
    const train = new data.DataLoader(name === 'eager' ? byGet(set) : set, { batchSize: 8 })
    random.manualSeed(2)
    const model = new nn.Sequential(new nn.Linear(4, 6), new nn.Tanh(), new nn.Linear(6, 2))
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.5 })
    const backend = name === 'reference' ? backends.reference : undefined
    const history = fit.sync(model, { train, test: train, loss: new Energy(), optimizer, epochs: 4, backend })
    expect(history.engine, history.engineReason).toBe(name)
    expect(history.trainLoss[3]).toBeLessThan(history.trainLoss[0] / 2)
    expect(history.trainAcc).toBeUndefined()
    const { loss, ...rest } = evaluate.sync(model, train, new Energy())
    expect(rest).toEqual({ count: ROWS })
    expect(loss).toBeCloseTo(history.testLoss![3], 9)
  })
})

describe('columns', () => {
  it('are passed over by a get, a batch or an iterator of one’s own', () => {
    class Noisy extends data.TensorDataset {
      override get(i: number): Tensor[] {
        return super.get(i)
      }
    }
    class Batched extends data.TensorDataset {
      override batch(indices: Int32Array): Tensor[] {
        return super.batch(indices)
      }
    }
    class Loader extends data.DataLoader {
      override *[Symbol.iterator](): IterableIterator<Tensor[]> {
        yield* super[Symbol.iterator]()
      }
    }
    const { tensors } = dataSet()
    const engineOf = (train: data.DataLoader) => {
      const { model, optimizer, loss } = makeJob()
      const { engine, engineReason } = fit.sync(model, { train, loss, optimizer, epochs: 1 })
      return `${engine}: ${engineReason}`
    }
    const options = { batchSize: 8 }
    for (const set of [new Noisy(...tensors), new Batched(...tensors), new data.Subset(new Noisy(...tensors), [1, 2])])
      expect(engineOf(new data.DataLoader(set, options))).toBe('eager: the data set offers no columns')
    expect(engineOf(new Loader(dataSet(), options))).toBe('eager: the loader makes batches of its own')
  })

  it.each([
    [
      'other rows',
      { tensors: [tensor([[1], [2]]), tensor([0, 1, 0])], indices: null },
      'tensors of 2 rows but received 3',
    ],
    ['too few samples', { tensors: [tensor([[1], [2]])], indices: null }, '3 samples but received 2'],
    [
      'indices outside',
      { tensors: [tensor([[1], [2]])], indices: Int32Array.of(0, 2, 1) },
      'indices to be in [0, 1] but received 2',
    ],
    ['no tensors', { tensors: [], indices: null }, 'tensors to be an array of Tensors'],
  ])('that do not hold the samples are refused: %s', (_, columns, message) => {
    const model = new nn.Sequential(new nn.Linear(1, 2))
    const set: data.Dataset = { length: 3, get: () => [], columns: () => columns }
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 })
    const train = new data.DataLoader(set, { batchSize: 2 })
    expect(() => fit.sync(model, { train, loss: new nn.CrossEntropyLoss(), optimizer, epochs: 1 })).toThrow(message)
  })
})
