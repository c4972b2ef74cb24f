/** Layers and losses against PyTorch's values and gradients, infinities and NaN included. */

import { describe, expect, it } from 'vitest'
import * as nn from '../src/nn/index.js'
import { type Tensor, tensor } from '../src/tensor/index.js'
import { camelOptions, expectClose, golden, numbers, type Stored, stored } from './helpers/golden.js'

// biome-ignore lint/suspicious/noExplicitAny: goldens are plain JSON.
type Golden = any
const entries = ['layers.json', 'layers-more.json'].flatMap(file => golden(file).entries as Golden[])

/** What an entry computes: the output, and every tensor whose gradient PyTorch recorded, by the name it gave it. */
interface Computed {
  out: Tensor
  wanted?: Record<string, Tensor>
}

type Layer = nn.Module & { forward(x: Tensor): Tensor }
// biome-ignore lint/suspicious/noExplicitAny: each class has options of its own.
type Made<T> = new (options: any) => T

/** A layer without parameters, from PyTorch's arguments. */
function layer(Class: Made<Layer>) {
  return ({ args }: Golden, x: Tensor): Computed => ({ out: new Class(camelOptions(args)).forward(x) })
}

/** Lists among a loss's arguments are tensors of weights, and `soft_target` says no more than `target_prob`. */
function lossOptions({ soft_target: _, ...args }: Golden): object {
  const options = Object.entries(camelOptions(args)).filter(([, value]) => value !== null)
  return Object.fromEntries(options.map(([key, value]) => [key, Array.isArray(value) ? tensor(value) : value]))
}

/** Labels are stored as plain lists, other targets as tensors. */
function loss(Class: Made<nn.Loss>) {
  return (entry: Golden, x: Tensor): Computed => {
    const { target, target_prob } = entry
    const soft = Array.isArray(target) ? undefined : stored(target_prob ?? target, true)
    const out = new Class(lossOptions(entry.args)).forward(x, soft ?? tensor(target, { dtype: 'int32' }))
    return { out, wanted: soft && { [target_prob ? 'target_prob' : 'target']: soft } }
  }
}

function linear(entry: Golden, x: Tensor): Computed {
  const [outFeatures, inFeatures] = entry.weight.shape
  const made = new nn.Linear(inFeatures, outFeatures, { bias: entry.args.bias })
  made.loadStateDict({ weight: stored(entry.weight), ...(entry.bias && { bias: stored(entry.bias) }) })
  return { out: made.forward(x), wanted: Object.fromEntries(made.namedParameters()) }
}

function layerNorm({ args, weight, bias }: Golden, x: Tensor): Computed {
  const { normalized_shape: shape, eps, elementwise_affine: elementwiseAffine = true } = args
  const made = new nn.LayerNorm(shape, { eps, elementwiseAffine })
  made.loadStateDict(weight ? { weight: stored(weight), bias: stored(bias) } : {})
  return { out: made.forward(x), wanted: Object.fromEntries(made.namedParameters()) }
}

/** How each op of the goldens is called here. */
const calls: Record<string, (entry: Golden, x: Tensor) => Computed> = {
  Linear: linear,
  Dropout: ({ args: { p, train } }, x) => ({ out: new nn.Dropout({ p }).train(train).forward(x) }),
  LayerNorm: layerNorm,
  ReLU: layer(nn.ReLU),
  LeakyReLU: layer(nn.LeakyReLU),
  ELU: layer(nn.ELU),
  GELU: layer(nn.GELU),
  SiLU: layer(nn.SiLU),
  Sigmoid: layer(nn.Sigmoid),
  Tanh: layer(nn.Tanh),
  Softplus: layer(nn.Softplus),
  Softmax: layer(nn.Softmax),
  LogSoftmax: layer(nn.LogSoftmax),
  CrossEntropyLoss: loss(nn.CrossEntropyLoss),
  NLLLoss: loss(nn.NLLLoss),
  L1Loss: loss(nn.L1Loss),
  SmoothL1Loss: loss(nn.SmoothL1Loss),
  HuberLoss: loss(nn.HuberLoss),
  MSELoss: loss(nn.MSELoss),
  BCELoss: loss(nn.BCELoss),
  BCEWithLogitsLoss: loss(nn.BCEWithLogitsLoss),
  argmax: ({ args }, x) => ({ out: x.argmax(args.dim) }),
}

/** Ops whose entries have another form, with tests of their own. */
const apart = new Set(['sum', 'BatchNorm1d', 'Embedding'])

function outputOf({ output }: Golden): number[] {
  return numbers(output.data ?? [output].flat())
}

function checkGradients(entry: Golden, x: Tensor, { out, wanted = {} }: Computed): void {
  const cotangent = entry.grad_output && stored(entry.grad_output)
  out.backward(cotangent && tensor(cotangent.data, { shape: out.shape }))
  for (const [name, t] of Object.entries({ input: x, ...wanted })) {
    const want = entry[`grad_${name}`]
    if (want) expectClose(t.grad!.data, numbers(want.data))
  }
}

describe('goldens', () => {
  it('are all known', () => {
    const names = entries.map(({ op }) => op)
    expect(names.filter(name => !(name in calls) && !apart.has(name))).toEqual([])
    expect(Object.keys(calls).filter(name => !names.includes(name))).toEqual([])
  })

  const own = entries.filter(({ op, error }) => op in calls && !error)
  it.each(own.map((entry, i) => ({ i, name: entry.op, args: JSON.stringify(entry.args), entry })))(
    '$name $args ($i)',
    ({ entry }) => {
      const x = stored(entry.input as Stored, true)
      const computed = calls[entry.op](entry, x)
      expectClose(computed.out.data, outputOf(entry))
      if (entry.grad_input) checkGradients(entry, x, computed)
    },
  )

  it('of sums', () => {
    for (const { n, output, mean } of entries.filter(({ op }) => op === 'sum')) {
      const v = tensor(Float32Array.from({ length: n }, (_, i) => Math.fround(Math.fround((i % 97) + 0.1) / 7)))
      expectClose([v.sum().item(), v.mean().item()], [output, mean])
    }
  })

  it('float targets that are no labels are refused', () => {
    expect(entries.filter(({ op, error }) => op in calls && error).map(({ note }) => note)).toEqual([
      'float 1-D targets',
    ])
    const [x, target] = [tensor([[1, 2]]), tensor([0.5])]
    expect(() => new nn.CrossEntropyLoss().forward(x, target)).toThrow('labels[0] to be in [0, 1] but received 0.5')
  })
})

const batchNorms = entries.filter((e: Golden) => e.op === 'BatchNorm1d' && e.sequence)

describe('BatchNorm1d', () => {
  it.each<Golden>(batchNorms.map((entry: Golden, i: number) => ({ i, args: JSON.stringify(entry.args), entry })))(
    'step by step $args ($i)',
    ({ entry }) => {
      const { num_features: features, ...options } = entry.args
      const layer = new nn.BatchNorm1d(features, camelOptions(options))
      if (entry.state) layer.loadStateDict(stateOf(entry.state))
      let seen: Golden
      for (const step of entry.sequence) {
        if (step.train) seen = { num_batches_tracked: 1, ...step }
        const x = stored(step.input, true)
        layer.train(step.train)
        layer.zeroGrad()
        const out = layer.forward(x)
        expectClose(out.data, numbers(step.output.data))
        if (step.grad_output) checkStep(step, layer, x, out)
        expectClose(layer.runningMean!.data, numbers(seen.running_mean))
        expectClose(layer.runningVar!.data, numbers(seen.running_var))
        expect(layer.numBatchesTracked!.item()).toBe(seen.num_batches_tracked)
      }
    },
  )

  it('refuses a single row in training as PyTorch does', () => {
    expect(entries.filter((e: Golden) => e.op === 'BatchNorm1d' && e.error).length).toBe(1)
    const message = 'BatchNorm1d: expected more than 1 value per channel in training but received x of shape [1, 3]'
    expect(() => new nn.BatchNorm1d(3).forward(tensor([[1, 2, 3]]))).toThrow(message)
  })
})

/** A stored state dict: tensors, and a plain number for the count. */
function stateOf(state: Record<string, Stored | number>): nn.StateDict {
  const convert = (value: Stored | number) =>
    typeof value === 'number' ? tensor(value, { dtype: 'int32' }) : stored(value)
  return Object.fromEntries(Object.entries(state).map(([key, value]) => [key, convert(value)]))
}

function checkStep(step: Golden, layer: nn.BatchNorm1d, x: Tensor, out: Tensor): void {
  out.backward(stored(step.grad_output))
  expectClose(x.grad!.data, numbers(step.grad_input.data))
  for (const [name, p] of layer.namedParameters()) {
    expectClose(p.grad!.data, numbers(step[`grad_${name}`].data ?? step[`grad_${name}`]))
  }
}

const embeddings = entries.filter((e: Golden) => e.op === 'Embedding' && !e.args.max_norm)

it.each<Golden>(embeddings.map((entry: Golden) => ({ args: JSON.stringify(entry.args), entry })))(
  'Embedding $args',
  ({ entry }) => {
    const { num_embeddings: rows, embedding_dim: width, padding_idx: paddingIdx } = entry.args
    const layer = new nn.Embedding(rows, width, { paddingIdx })
    layer.loadStateDict({ weight: stored(entry.weight) })
    const out = layer.forward(tensor(entry.index, { dtype: 'int32' }))
    expect(out.shape).toEqual(entry.output.shape)
    expect([...out.data]).toEqual(numbers(entry.output.data).map(Math.fround))
    out.backward(stored(entry.grad_output))
    expect([...layer.weight.grad!.data]).toEqual(numbers(entry.grad_weight.data).map(Math.fround))
  },
)
