/** `compile`: the numbers of `fit`, and a description that says what the program does. */

import { describe, expect, it } from 'vitest'
import { DataLoader } from '../src/data/index.js'
import type { Model } from '../src/engine/options.js'
import * as nn from '../src/nn/index.js'
import { Adam, type Optimizer, SGD } from '../src/optim/index.js'
import { defaultGenerator, manualSeed } from '../src/random/index.js'
import { type Tensor, tensor } from '../src/tensor/index.js'
import { type CompileOptions, compile } from '../src/train/compile.js'
import { fit } from '../src/train/fit.js'
import { type Job, makeJob, mlp, stateOf } from './helpers/training.js'

const sgd = (model: Model): Optimizer => new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })
const adam = (model: Model): Optimizer => new Adam(model.parameters(), { lr: 0.01 })

const compiled = ({ model, loss, optimizer }: Job, options: Partial<CompileOptions> = {}) =>
  compile(model, loss, optimizer, { batchSize: 16, ...options })

describe('run', () => {
  it.each([
    ['SGD', sgd],
    ['Adam', adam],
  ])('gives the numbers of fit: %s', async (_, optimizer) => {
    const make = () => makeJob({ optimizer, withTest: false })
    const [one, other, sync] = [make(), make(), make()]
    const plans = [compiled(one), compiled(other), compiled(sync)]
    const { model, ...rest } = one
    manualSeed(2)
    const expected = await fit(model, { ...rest, epochs: 5 })
    manualSeed(2)
    const history = await plans[1].run(other.train, { epochs: 5 })
    manualSeed(2)
    const here = plans[2].run.sync(sync.train, { epochs: 5 })
    expect(history).toEqual(expected)
    expect(here).toEqual(expected)
    expect([stateOf(other), stateOf(sync)]).toEqual([stateOf(one), stateOf(one)])
    expect(history.engine).toBe('plan')
  })

  it('goes on where the last run ended, at a rate of its own', async () => {
    const job = makeJob({ optimizer: sgd, withTest: false })
    const plan = compiled(job)
    await plan.run(job.train, { epochs: 1 })
    const { lr } = await plan.run(job.train, { epochs: 1, lr: 0.02 })
    expect(lr).toEqual(new Array(5).fill(0.02))
    expect(job.optimizer.paramGroups[0].lr).toBe(0.02)
  })

  it('refuses another batch size, a data set that no plan can gather from, bad options', async () => {
    const job = makeJob({ optimizer: sgd })
    const plan = compiled(job)
    const { dataset } = job.train
    await expect(plan.run(new DataLoader(dataset, { batchSize: 8 }), { epochs: 1 })).rejects.toThrow(RangeError)
    const own = { length: 32, get: (i: number) => dataset.get(i) }
    const loader = new DataLoader(own, { batchSize: 16 })
    await expect(plan.run(loader, { epochs: 1 })).rejects.toMatchObject({ code: 'ERR_STATE' })
    await expect(plan.run(1 as never, { epochs: 1 })).rejects.toThrow(TypeError)
    await expect(plan.run(job.train, { epochs: -1 })).rejects.toThrow(RangeError)
    await expect(plan.run(job.train, { epochs: 1, lr: -1 })).rejects.toThrow(RangeError)
    await expect(plan.run(job.train, { epochs: 1, rate: 1 } as never)).rejects.toThrow(TypeError)
  })
})

describe('describe', () => {
  it('names kernels, shapes, bytes and fusions', () => {
    const text = compiled(makeJob({ optimizer: sgd })).describe()
    expect(text).toMatch(
      /^Sequential, SGD, batches of 16: \d+ calls from \d+ recorded; .* of weights, state and constants/,
    )
    expect(text).toContain('linear_widening_fwd = linear_fwd + relu_fwd')
    expect(text).toContain('linear_widening_weight_bwd_sgd_update = linear_weight_bwd + sgd_update ×2')
    expect(text).toContain(
      'linear_narrowing_bwd_sgd_update = linear_input_bwd + relu_bwd + linear_weight_bwd + sgd_update ×2',
    )
    expect(text).toContain('softmax_xent_lanes_fwd_bwd = softmax_xent_fwd_bwd + copy + count_correct')
    expect(text).toContain('left out: scale_rows')
    expect(text).toMatch(/linear_widening_fwd +m 16, k 4, n 16 +x, 0\.weight, 0\.bias +t\d+ +1,?600/)
    expect(text).toMatch(/gather_ints +m 16, k 1 +y +64/)
    expect(text).toContain('2.weight.momentum_buffer')
  })

  it('names the fusions of Adam', () => {
    const text = compiled(makeJob({ optimizer: adam })).describe()
    expect(text).toContain('linear_widening_weight_bwd_adam_update = linear_weight_bwd + adam_update ×2')
    expect(text).toContain(
      'linear_narrowing_bwd_adam_update = linear_input_bwd + relu_bwd + linear_weight_bwd + adam_update ×2',
    )
  })

  it('follows the model', () => {
    const job = makeJob({ optimizer: sgd })
    const plan = compiled(job)
    job.model.parameters()[0].requiresGrad = false
    const text = plan.describe()
    expect(text).not.toContain('0.weight.momentum_buffer')
    expect(text).toContain('2.weight.momentum_buffer')
  })

  it('leaves everything as it was', () => {
    const job = makeJob({ optimizer: adam })
    job.model.eval()
    const before = stateOf(job)
    compiled(job).describe()
    expect(stateOf(job)).toEqual(before)
    expect(job.optimizer.state.size).toBe(0)
    expect(job.model.training).toBe(false)
  })

  it('takes an input shape where no layer tells it', () => {
    class Shift extends nn.Module {
      by = new nn.Parameter(tensor([1, 2, 3]))
      forward(x: Tensor): Tensor {
        return x.add(this.by)
      }
    }
    const model = new Shift()
    const optimizer = new SGD(model.parameters())
    const loss = new nn.CrossEntropyLoss()
    expect(compile(model, loss, optimizer, { batchSize: 4, inputs: [{ shape: [3] }] }).describe()).toContain('by')
    expect(() => compile(model, loss, optimizer, { batchSize: 4 })).toThrow(TypeError)
  })
})

it('describes layers that draw, remember and look up', () => {
  class Words extends nn.Module {
    words = new nn.Embedding(7, 5)
    rest = new nn.Sequential(new nn.BatchNorm1d(10), new nn.Dropout({ p: 0.5 }), new nn.Linear(10, 3))
    forward(x: Tensor): Tensor {
      return this.rest.forward(this.words.forward(x).reshape([x.shape[0], 10]))
    }
  }
  const model = new Words()
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  const before = stateOf({ model, optimizer } as unknown as Job)
  const stream = [...defaultGenerator.getState()]
  const options = { batchSize: 4, inputs: [{ shape: [2], dtype: 'int32' }] } as const
  const text = compile(model, new nn.CrossEntropyLoss(), optimizer, options).describe()
  for (const name of ['words.weight', 'rest.0.running_mean', 'rest.2.weight']) expect(text).toContain(name)
  expect(stateOf({ model, optimizer } as unknown as Job)).toEqual(before)
  expect([...defaultGenerator.getState()]).toEqual(stream)
})

describe('bad input', () => {
  const make = (change: Partial<{ model: unknown; loss: unknown; optimizer: unknown }>, options: unknown) => {
    const { model, loss, optimizer } = { ...makeJob({ optimizer: sgd }), ...change } as Job
    return () => compile(model, loss, optimizer, options as CompileOptions)
  }

  it.each<[object, unknown, unknown]>([
    [{ model: 1 }, { batchSize: 4 }, TypeError],
    [{ loss: null }, { batchSize: 4 }, TypeError],
    [{ optimizer: {} }, { batchSize: 4 }, TypeError],
    [{ model: mlp([4, 3]) }, { batchSize: 4 }, RangeError],
    [{}, { batchSize: 0 }, RangeError],
    [{}, {}, TypeError],
    [{}, { batchSize: 4, inputs: 4 }, TypeError],
    [{}, { batchSize: 4, inputs: [] }, RangeError],
    [{}, { batchSize: 4, inputs: [{ shape: 4 }] }, TypeError],
    [{}, { batchSize: 4, inputs: [{ shape: [5] }] }, 'Linear: expected'],
    [{}, { batchSize: 4, size: 1 }, TypeError],
    [{}, { batchSize: 4, inputs: [{ shape: [4], dtype: 'float64' }] }, RangeError],
  ])('%o %o', (change, options, kind) => {
    expect(make(change, options)).toThrow(kind as never)
  })

  it('a model that reads values', () => {
    const { model, loss, optimizer } = makeJob({ optimizer: sgd })
    const forward = model.forward.bind(model)
    model.forward = x => forward(x.add(x.data[0]))
    const error = expect.objectContaining({ code: 'ERR_STATE', message: expect.stringContaining('reads values') })
    expect(() => compile(model, loss, optimizer, { batchSize: 4 })).toThrow(error)
  })
})
