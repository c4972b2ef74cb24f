/** AveragedModel and updateBn against PyTorch, and copies of modules. */

import { describe, expect, it } from 'vitest'
import { DataLoader, TensorDataset } from '../src/data/index.js'
import * as nn from '../src/nn/index.js'
import * as optim from '../src/optim/index.js'
import { Generator, rand } from '../src/random/index.js'
import { Tensor, tensor } from '../src/tensor/index.js'
import { evaluate } from '../src/train/evaluate.js'
import { fit } from '../src/train/fit.js'
import { expectClose, golden } from './helpers/golden.js'
import { makeJob } from './helpers/training.js'

const { averages, update_bn: updated } = golden('optim-more.json')

// biome-ignore lint/suspicious/noExplicitAny: goldens are plain JSON.
type Golden = any

class Net extends nn.Module {
  fc = new nn.Linear(5, 4)
  bn = new nn.BatchNorm1d(4)
  override forward(x: Tensor): Tensor {
    return this.bn.forward(this.fc.forward(x))
  }
}

/** The weights that make_optim.py sets before each look. */
function setWeights({ fc, bn }: Net, i: number): void {
  const all = [fc.weight, fc.bias, bn.weight, bn.bias, bn.runningMean, bn.runningVar] as Tensor[]
  all.forEach((t, j) => {
    const values = Array.from(t.data, (_, e) => Math.round(Math.sin(e * 1.7 + 7 * i + j) * 2 * 1000) / 1000)
    t.data.set(t === bn.runningVar ? values.map(v => Math.abs(v) + 0.5) : values)
  })
  bn.numBatchesTracked!.data[0] = i + 1
}

function expectState(model: nn.Module, want: Golden): void {
  const state = model.stateDict()
  expect(Object.keys(state).sort()).toEqual(Object.keys(want).sort())
  for (const [key, { shape, data }] of Object.entries<Golden>(want)) {
    expect(state[key].shape, key).toEqual(shape)
    expectClose(state[key].data, data)
  }
}

function optionsOf({ ema, emaMulti, useBuffers }: Golden): optim.AveragedModelOptions {
  return {
    ...(ema !== undefined && { avgFn: optim.getEmaAvgFn(ema) }),
    ...(emaMulti !== undefined && { multiAvgFn: optim.getEmaMultiAvgFn(emaMulti) }),
    ...(useBuffers && { useBuffers }),
  }
}

describe('AveragedModel', () => {
  it.each<[string, Golden]>(averages.map((e: Golden) => [e.name, e]))('%s is PyTorch’s', (_name, entry) => {
    const model = new Net()
    setWeights(model, 0)
    const averaged = new optim.AveragedModel(model, optionsOf(entry.options))
    entry.states.forEach((want: Golden, i: number) => {
      setWeights(model, i)
      averaged.updateParameters(model)
      expectState(averaged, want)
    })
  })

  it('follows a fit, is evaluated as a model, and goes through its state dict', async () => {
    const { model, ...options } = makeJob({ optimizer: m => new optim.SGD(m.parameters(), { lr: 0.1 }) })
    const averaged = new optim.AveragedModel(model)
    const seen: number[][] = []
    await fit(model, {
      ...options,
      epochs: 3,
      onEpochEnd: () => {
        averaged.updateParameters(model)
        seen.push([...model.parameters()[0].data])
      },
    })
    expect(averaged.nAveraged.item()).toBe(3)
    expectClose(
      averaged.module.parameters()[0].data,
      seen[0].map((v, i) => (v + seen[1][i] + seen[2][i]) / 3),
    )
    const { loss } = await evaluate(averaged, options.test!, options.loss)
    const other = new optim.AveragedModel(model)
    other.loadStateDict(averaged.stateDict())
    expect((await evaluate(other, options.test!, options.loss)).loss).toBe(loss)
    expect(other.nAveraged.item()).toBe(3)
  })

  it('refuses what it cannot average', () => {
    const model = new nn.Linear(2, 3)
    const averaged = new optim.AveragedModel(model)
    expect(() => averaged.updateParameters(new nn.Linear(3, 3))).toThrow(expect.objectContaining({ code: 'ERR_SHAPE' }))
    expect(() => averaged.updateParameters(1 as never)).toThrow(TypeError)
    expect(() => new optim.AveragedModel({} as never)).toThrow(TypeError)
    expect(() => new optim.AveragedModel(model, { useBuffers: 1 as never })).toThrow(TypeError)
    expect(
      () => new optim.AveragedModel(model, { avgFn: optim.getEmaAvgFn(), multiAvgFn: optim.getEmaMultiAvgFn() }),
    ).toThrow(/only one/)
    expect(() => optim.getEmaMultiAvgFn(1.5)).toThrow(RangeError)
    expect(() => optim.getEmaAvgFn(-1)).toThrow(RangeError)
    const wrong = new optim.AveragedModel(model, { avgFn: () => tensor([1]) })
    wrong.updateParameters(model)
    expect(() => wrong.updateParameters(model)).toThrow(expect.objectContaining({ code: 'ERR_SHAPE' }))
    expect(wrong.nAveraged.item()).toBe(1)
  })
})

describe('updateBn', () => {
  it('gives PyTorch’s statistics', () => {
    const model = new Net()
    setWeights(model, updated.start)
    model.fc.eval()
    optim.updateBn(
      updated.batches.map((x: number[][]) => tensor(x)),
      model,
    )
    expectState(model, updated.state)
    expect(model.bn.momentum).toBe(updated.momentum)
    expect([model.training, model.fc.training]).toEqual([true, false])
  })

  it('takes a loader’s batches, and a model without statistics', () => {
    const model = new Net()
    const x = rand([10, 5])
    optim.updateBn(
      new DataLoader(new TensorDataset(x, tensor(new Int32Array(10))), { batchSize: 4, dropLast: true }),
      model,
    )
    expect(model.bn.numBatchesTracked!.item()).toBe(2)
    optim.updateBn([x], new nn.Linear(5, 4))
    expect(() => optim.updateBn(1 as never, model)).toThrow(TypeError)
    expect(() => optim.updateBn([], null as never)).toThrow(TypeError)
  })

  it('puts modes and momenta back when a batch does not fit', () => {
    const model = new Net()
    model.eval()
    expect(() => optim.updateBn([tensor([[1, 2]])], model)).toThrow(expect.objectContaining({ code: 'ERR_SHAPE' }))
    expect([model.bn.momentum, model.training, model.bn.training]).toEqual([0.1, false, false])
  })
})

describe('clone', () => {
  class Tied extends nn.Module {
    a = new nn.Linear(3, 3)
    b = this.a
    blocks = [new nn.Linear(3, 3), new nn.ReLU()]
    scale = new nn.Parameter(tensor([2, 2, 2]), false)
    shift = tensor([1, 1, 1], { requiresGrad: true })
    generator = new Generator(1)
    override forward(x: Tensor): Tensor {
      const [first, second] = this.blocks as [nn.Linear, nn.ReLU]
      return second
        .forward(first.forward(this.b.forward(this.a.forward(x))))
        .mul(this.scale)
        .add(this.shift)
    }
  }

  it('computes the same, shares nothing, keeps what is shared within and what is frozen', () => {
    const model = new Tied()
    model.blocks[0].eval()
    const copy = model.clone()
    const x = rand([2, 3])
    expect(copy).toBeInstanceOf(Tied)
    expect(copy.forward(x).toArray()).toEqual(model.forward(x).toArray())
    expect(copy.a).toBe(copy.b)
    expect(copy.generator).toBe(model.generator)
    expect(copy.namedParameters().map(([name]) => name)).toEqual(model.namedParameters().map(([name]) => name))
    expect(copy.parameters().map(p => p.requiresGrad)).toEqual(model.parameters().map(p => p.requiresGrad))
    expect([copy.training, copy.blocks[0].training]).toEqual([true, false])
    for (const p of copy.parameters()) p.data.fill(0)
    expect(model.parameters().every(p => p.data.some(v => v !== 0))).toBe(true)
  })

  it('draws nothing, and leaves gradients behind', () => {
    const model = new Tied()
    model
      .forward(rand([2, 3]))
      .sum()
      .backward()
    expect(model.a.weight.grad).toBeInstanceOf(Tensor)
    const copy = model.clone()
    expect(copy.a.weight.grad).toBeNull()
  })
})
