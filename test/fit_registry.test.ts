/** `fit` over the registries: with every activation and every loss the plan gives the bits of the explicit loop. */

import { describe, expect, it } from 'vitest'
import { TensorDataset } from '../src/data/index.js'
import type { Model } from '../src/engine/options.js'
import { recordTraining } from '../src/engine/record_step.js'
import { UpdateScalars } from '../src/engine/update_scalars.js'
import * as activations from '../src/nn/activations.js'
import * as nn from '../src/nn/index.js'
import { SGD } from '../src/optim/index.js'
import { Placement } from '../src/plan/placement.js'
import { Memory } from '../src/plan/program.js'
import { RandomState } from '../src/random/index.js'
import { noGrad, Tensor, tensor } from '../src/tensor/index.js'
import { evaluate } from '../src/train/evaluate.js'
import { fit } from '../src/train/fit.js'
import { blobs, explicitLoop, type JobOptions, makeJob, mlp, stateOf } from './helpers/training.js'

const optimizer = (model: Model) => new SGD(model.parameters(), { lr: 0.02, momentum: 0.9 })

async function compare(options: Omit<JobOptions, 'optimizer'>) {
  const loop = makeJob({ ...options, optimizer })
  const expected = explicitLoop(loop, 6)
  const job = makeJob({ ...options, optimizer })
  const { model, ...rest } = job
  const history = await fit(model, { ...rest, epochs: 6 })
  expect(history.engine, history.engineReason).toBe('plan')
  expect(history.trainLoss).toEqual(expected.trainLoss)
  expect(history.testLoss).toEqual(expected.testLoss)
  expect(history.trainLoss.every(Number.isFinite)).toBe(true)
  expect(history.trainLoss.at(-1)).not.toBe(history.trainLoss[0])
  expect(stateOf(job)).toEqual(stateOf(loop))
  return { history, job }
}

const layers: [name: string, make: () => nn.Module][] = [
  ['ReLU', () => new nn.ReLU()],
  ['LeakyReLU', () => new nn.LeakyReLU({ negativeSlope: 0.2 })],
  ['ELU', () => new nn.ELU({ alpha: 0.5 })],
  ['GELU', () => new nn.GELU()],
  ['GELU', () => new nn.GELU({ approximate: 'tanh' })],
  ['SiLU', () => new nn.SiLU()],
  ['Sigmoid', () => new nn.Sigmoid()],
  ['Tanh', () => new nn.Tanh()],
  ['Softplus', () => new nn.Softplus({ beta: 2, threshold: 1 })],
  ['Softsign', () => new nn.Softsign()],
  ['Hardtanh', () => new nn.Hardtanh({ minVal: -0.5, maxVal: 2 })],
  ['Softmax', () => new nn.Softmax({ dim: 1 })],
  ['LogSoftmax', () => new nn.LogSoftmax({ dim: -1 })],
  ['Identity', () => new nn.Identity()],
  ['Flatten', () => new nn.Flatten()],
]

describe('layers', () => {
  it('are all here', () => {
    expect(Object.keys(activations).filter(name => !layers.some(([known]) => known === name))).toEqual([])
  })

  it.each(layers)('%s', async (_name, make) => {
    const { history } = await compare({ model: () => mlp([4, 20, 33, 3], make) })
    expect(history.trainAcc!.length).toBe(6)
  })

  it('leave panels as they are, elementwise', () => {
    for (const [name, make] of layers.filter(([known]) => !known.includes('oftmax'))) {
      expect([name, conversions(() => mlp([64, 100, 33, 10], make))]).toEqual([name, []])
    }
    expect(conversions(() => mlp([64, 100, 10], () => new nn.Softmax({ dim: 1 })))).not.toEqual([])
  })
})

/** Changes of layout within a step. */
function conversions(model: () => Model): string[] {
  const made = model()
  const options = { ...makeJob({ optimizer }), optimizer: optimizer(made), epochs: 1 }
  const [x, y] = blobs(32, 64, 10).tensors
  const rows = new UpdateScalars(options.optimizer)
  const { calls, advance } = recordTraining(made, options, { tensors: [x, y] }, [32], rows, new Memory())
  const { programs } = new Placement([{ calls, advance, dataSet: 0 }])
  const kernels = programs.flatMap(({ calls }) => calls.flatMap(call => ('kernel' in call ? [call.kernel] : [])))
  return kernels.filter(kernel => /pack/.test(kernel))
}

/** Rows with targets in (0, 1) of this width that depend on them. */
function targets(width: number) {
  return (rows: number, seed = 7) => {
    const [x] = blobs(rows, 4, 2, seed).tensors
    const w = tensor(new RandomState(1).randn(4 * width), { shape: [width, 4] })
    return new TensorDataset(
      x,
      noGrad(() => x.linear(w).sigmoid()),
    )
  }
}

/** Rows with float labels. */
function floatLabels(rows: number, seed = 7): TensorDataset {
  const [x, y] = blobs(rows, 4, 3, seed).tensors
  return new TensorDataset(x, new Tensor(y.shape, 'float32', Float32Array.from(y.data)))
}

/** [rows, 6] as scores of 3 classes at 2 places. */
class Spatial extends nn.Module {
  override forward(x: Tensor): Tensor {
    return x.reshape([-1, 3, 2])
  }
}

const weight = tensor([0.5, 2, 1])
const toProbabilities = () => new nn.Sequential(mlp([4, 16, 3]), new nn.Sigmoid())
const toLogProbabilities = () => new nn.Sequential(mlp([4, 16, 3]), new nn.LogSoftmax({ dim: 1 }))

const losses: [name: string, loss: nn.Loss, rest?: Partial<JobOptions>][] = [
  ['CrossEntropyLoss', new nn.CrossEntropyLoss({ weight, labelSmoothing: 0.1 })],
  ['CrossEntropyLoss', new nn.CrossEntropyLoss({ reduction: 'sum' }), { data: floatLabels }],
  ['CrossEntropyLoss', new nn.CrossEntropyLoss({ weight, labelSmoothing: 0.1 }), { data: targets(3) }],
  ['NLLLoss', new nn.NLLLoss({ weight, ignoreIndex: -1 }), { model: toLogProbabilities }],
  ['MSELoss', new nn.MSELoss(), { data: targets(3) }],
  ['MSELoss', new nn.MSELoss(), { data: targets(1), widths: [4, 16, 1] }],
  ['MSELoss', new nn.MSELoss(), { data: targets(40), widths: [4, 16, 40] }],
  ['L1Loss', new nn.L1Loss(), { data: targets(3) }],
  ['SmoothL1Loss', new nn.SmoothL1Loss({ beta: 0.3, reduction: 'sum' }), { data: targets(3) }],
  ['HuberLoss', new nn.HuberLoss({ delta: 0.2 }), { data: targets(3) }],
  ['BCELoss', new nn.BCELoss({ weight }), { data: targets(3), model: toProbabilities }],
  ['BCEWithLogitsLoss', new nn.BCEWithLogitsLoss({ weight, posWeight: tensor([3]) }), { data: targets(3) }],
  ['KLDivLoss', new nn.KLDivLoss({ reduction: 'batchmean' }), { data: targets(3), model: toLogProbabilities }],
  ['PoissonNLLLoss', new nn.PoissonNLLLoss({ full: true }), { data: targets(3) }],
  ['MultiLabelSoftMarginLoss', new nn.MultiLabelSoftMarginLoss({ weight }), { data: targets(3) }],
]

/** They take a third tensor, which `fit` has not: their plans are those of their ops (test/ops_plan.test.ts). */
const ofThree = ['CosineEmbeddingLoss', 'GaussianNLLLoss', 'MarginRankingLoss', 'TripletMarginLoss']

describe('losses', () => {
  it('are all here', () => {
    const known = new Set([...losses.map(([name]) => name), ...ofThree])
    const all = Object.entries(nn).filter(
      ([, value]) => (value as { prototype?: unknown }).prototype instanceof nn.Loss,
    )
    expect(all.map(([name]) => name).filter(name => !known.has(name))).toEqual([])
  })

  it.each(losses)('%s', async (_name, loss, rest = {}) => {
    const { history, job } = await compare({ loss, widths: [4, 16, 3], ...rest })
    expect('trainAcc' in history).toBe(loss.classifies)
    expect('testAcc' in history).toBe(loss.classifies)
    const evaluation = await evaluate(job.model, job.test!, loss)
    expect(evaluation.loss).toBe(history.testLoss!.at(-1))
    expect(evaluation.accuracy).toBe(history.testAcc?.at(-1))
  })

  it('count distributions as targets by their likeliest class', async () => {
    const { history } = await compare({ loss: new nn.CrossEntropyLoss(), data: targets(3) })
    expect(history.testAcc!.at(-1)).toBeGreaterThan(0.5)
  })

  it('count every label where a row has several', async () => {
    const data = (rows: number, seed = 7) => {
      const [x] = blobs(rows, 4, 2, seed).tensors
      return new TensorDataset(
        x,
        tensor(
          Int32Array.from({ length: 2 * rows }, (_, i) => i % 2),
          { shape: [rows, 2] },
        ),
      )
    }
    const model = () => new nn.Sequential(mlp([4, 8, 6]), new Spatial())
    const { model: made, ...rest } = makeJob({ optimizer, data, model })
    const history = await fit(made, { ...rest, epochs: 60 })
    expect(history).toMatchObject({ engine: 'eager', engineReason: 'a row has several labels' })
    expect(history.testAcc!.at(-1)).toBe(1)
    expect(await evaluate(made, rest.test!, rest.loss)).toMatchObject({ accuracy: 1, count: 70 })
  })

  it('refuse targets that do not fit, before anything is trained', async () => {
    const job = makeJob({ optimizer, loss: new nn.MSELoss(), data: targets(2) })
    const before = stateOf(job)
    const { model, ...rest } = job
    await expect(fit(model, { ...rest, epochs: 1 })).rejects.toThrow(
      'target to have shape [16, 3] but received [16, 2]',
    )
    expect(stateOf(job)).toEqual(before)
  })

  it('refuse to be one loss per row', async () => {
    const { model, ...rest } = makeJob({ optimizer, loss: new nn.MSELoss({ reduction: 'none' }), data: targets(3) })
    const message = "loss to have reduction 'mean' or 'sum' but received \"none\""
    await expect(fit(model, { ...rest, epochs: 1 })).rejects.toThrow(`fit: expected ${message}`)
    await expect(evaluate(model, rest.test!, rest.loss)).rejects.toThrow(`evaluate: expected ${message}`)
  })
})
