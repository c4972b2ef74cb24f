/** Tensors that share memory: what is written to one is seen through the other, in eager mode and by plans. */

import { data, fit, nn, noGrad, ops, optim, predict, random, type Tensor, tensor } from 'anneal'
import { describe, expect, it } from 'vitest'

const matrix = () => tensor([[1, 2, 3], [4, 5, 6]]) // biome-ignore format: rows

describe('views', () => {
  it('of neighbouring rows, of one row and of other shapes share memory', () => {
    const x = matrix()
    const views = [x.narrow(0, 1, 1), x.select(0, 1), x.unsqueeze(0), x.reshape([6]).narrow(0, 3, 3), x.split(1)[1]]
    x.data[3] = 9
    for (const view of views) expect([...view.data]).toContain(9)
  })

  it('are copies where what is taken does not lie together', () => {
    const x = matrix()
    for (const copy of [x.narrow(1, 0, 1), x.select(1, 0), x.flip(0), x.expand([2, 2, 3]), ops.cat([x])]) {
      copy.data[0] = 7
      expect(x.data[0]).toBe(1)
    }
  })

  it('of an operand give gradients of their own memory', () => {
    const x = matrix()
    x.requiresGrad = true
    const gradient = tensor([[1, 1, 1]])
    x.narrow(0, 0, 1).backward(gradient)
    x.grad!.data[0] = 5
    expect(gradient.data[0]).toBe(1)
  })
})

/** Rows of the weight are used by themselves beside the whole: by name, where `held`, through a view made beforehand. */
class Shared extends nn.Module {
  weight = new nn.Parameter(tensor([[0.5, -0.25], [1, 0.75]])) // biome-ignore format: rows
  readonly first: Tensor | null

  constructor(held: boolean) {
    super()
    this.first = held ? this.weight.detach().narrow(0, 0, 1) : null
  }

  forward(x: Tensor): Tensor {
    const first = this.first ?? this.weight.narrow(0, 0, 1)
    return x.linear(this.weight).relu().add(x.linear(first)).sum(1)
  }
}

function trained(held: boolean) {
  random.manualSeed(1)
  const model = new Shared(held)
  const train = new data.DataLoader(new data.TensorDataset(random.randn([8, 2]), random.randn([8])), { batchSize: 4 })
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 })
  return { model, train, optimizer, loss: new nn.MSELoss() }
}

function byLoop(held: boolean): Float32Array {
  const { model, train, optimizer, loss } = trained(held)
  for (let epoch = 0; epoch < 3; epoch++) {
    for (const [x, y] of train) {
      optimizer.zeroGrad()
      loss.forward(model.forward(x), y).backward()
      optimizer.step()
    }
  }
  return model.weight.data as Float32Array
}

describe('a weight and a view of its rows', () => {
  it('train on the plan as in the explicit loop', () => {
    const { model, ...training } = trained(false)
    expect(fit.sync(model, { ...training, epochs: 3 }).engine).toBe('plan')
    expect(model.weight.data).toEqual(byLoop(false))
  })

  it('stay eager where the model holds both', () => {
    const { model, ...training } = trained(true)
    const { engine, engineReason } = fit.sync(model, { ...training, epochs: 3 })
    expect({ engine, engineReason }).toEqual({
      engine: 'eager',
      engineReason: 'the model holds tensors that share a part of their memory',
    })
    expect(model.weight.data).toEqual(byLoop(true))
  })

  it('are seen by predictions when one is written through the other', async () => {
    const layer = new nn.Linear(2, 2)
    const model = new nn.Sequential(layer)
    const x = random.randn([300, 2]) // enough for a plan, which keeps weights in a layout of its own
    const same = async () => expect((await predict(model, x)).data).toEqual(noGrad(() => model.forward(x)).data)
    await same()
    nn.init.constant_(layer.weight.detach().narrow(0, 0, 1), 2)
    await same()
    const row = layer.weight.detach().select(0, 1).data
    row[0] = -3
    await same()
  })
})

/** Two columns of codes in one tensor, each with a table of its own. */
class Codes extends nn.Module {
  colours = new nn.Embedding(3, 2)
  sizes = new nn.Embedding(5, 2)
  forward(codes: Tensor): Tensor {
    return this.colours
      .forward(codes.select(1, 0))
      .add(this.sizes.forward(codes.select(-1, 1)))
      .sum(1)
  }
}

describe('columns of codes, taken from one tensor', () => {
  const fitted = (codes: number[][]) => {
    random.manualSeed(4)
    const model = new Codes()
    const set = new data.TensorDataset(tensor(codes, { dtype: 'int32' }), tensor([1, 2, 3, 4]))
    const train = new data.DataLoader(set, { batchSize: 2 })
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 })
    return fit.sync(model, { train, optimizer, loss: new nn.MSELoss(), epochs: 1 })
  }

  it('train on the plan', () => {
    const { engine, engineReason } = fitted([[0, 4], [2, 3], [1, 1], [0, 0]]) // biome-ignore format: rows
    expect(engine, engineReason ?? '').toBe('plan')
  })

  it('are refused by their place and value', () => {
    expect(() => fitted([[0, 4], [2, 3], [3, 1], [0, 0]])).toThrow('indices[2] to be in [0, 2] but received 3') // biome-ignore format: rows
    expect(() => fitted([[0, 4], [2, 5], [1, 1], [0, 0]])).toThrow('indices[1] to be in [0, 4] but received 5') // biome-ignore format: rows
  })
})

it('a.where(condition, b) has the order of PyTorch', () => {
  const x = tensor([-1, 2])
  expect(x.where(x.gt(0), 7).toArray()).toEqual([7, 2])
  expect(ops.where(x.gt(0), 7, x).toArray()).toEqual([-1, 7])
})
