/** Layers and losses against PyTorch's values and gradients, infinities and NaN included. */

import { describe, expect, it } from 'vitest'
import * as nn from '../src/nn/index.js'
import { type Tensor, tensor } from '../src/tensor/index.js'
import { camelOptions, expectClose, golden, numbers, type Stored, stored } from './helpers/golden.js'

// biome-ignore lint/suspicious/noExplicitAny: goldens are plain JSON.
type Golden = any
const { entries } = golden('layers.json')

/** How each op of the goldens is called here: from the entry and its input to the output. */
const calls: Record<string, (entry: Golden, x: Tensor) => Tensor> = {
  Linear(entry, x) {
    const [outFeatures, inFeatures] = entry.weight.shape
    const layer = new nn.Linear(inFeatures, outFeatures, { bias: entry.args.bias })
    layer.loadStateDict({ weight: stored(entry.weight), ...(entry.bias && { bias: stored(entry.bias) }) })
    parameters.set(entry, layer)
    return layer.forward(x)
  },
  ReLU: (_entry, x) => new nn.ReLU().forward(x),
  Dropout: ({ args: { p, train } }, x) => new nn.Dropout({ p }).train(train).forward(x),
  LayerNorm(entry, x) {
    const { normalized_shape: shape, eps, elementwise_affine: elementwiseAffine = true } = entry.args
    const layer = new nn.LayerNorm(shape, { eps, elementwiseAffine })
    layer.loadStateDict(entry.weight ? { weight: stored(entry.weight), bias: stored(entry.bias) } : {})
    parameters.set(entry, layer)
    return layer.forward(x)
  },
  Softmax: ({ args }, x) => x.softmax(args.dim),
  LogSoftmax: ({ args }, x) => x.logSoftmax(args.dim),
  CrossEntropyLoss({ args, target }, x) {
    const { weight, ...options } = camelOptions(args)
    const loss = new nn.CrossEntropyLoss({ ...options, ...(weight ? { weight: tensor(weight as number[]) } : {}) })
    return loss.forward(x, tensor(target, { dtype: 'int32' }))
  },
}
const parameters = new Map<Golden, nn.Module>()

function isCovered({ op, target, error }: Golden): boolean {
  return op in calls && !error && (op !== 'CrossEntropyLoss' || Array.isArray(target))
}

function checkGradients(entry: Golden, x: Tensor, out: Tensor): void {
  const cotangent = entry.grad_output && out.size !== 1 ? stored(entry.grad_output) : undefined
  out.backward(cotangent ?? (entry.grad_output ? stored(entry.grad_output) : undefined))
  expectClose(x.grad!.data, numbers(entry.grad_input.data))
  for (const [name, p] of parameters.get(entry)?.namedParameters() ?? []) {
    expectClose(p.grad!.data, numbers(entry[`grad_${name}`].data))
  }
}

const covered = entries
  .filter(isCovered)
  .map((entry: Golden, i: number) => ({ i, name: entry.op, args: JSON.stringify(entry.args), entry }))

describe('goldens', () => {
  it('cover every op that exists here', () => {
    expect(new Set(covered.map((c: Golden) => c.name)).size).toBe(Object.keys(calls).length)
    expect(covered.length).toBeGreaterThan(50)
  })

  it.each(covered as Golden[])('$name $args ($i)', ({ entry }) => {
    const x = stored(entry.input as Stored, true)
    const out = calls[entry.op](entry, x)
    const want = entry.output.data ?? [entry.output]
    expectClose(out.data, numbers(want))
    if (entry.grad_input) checkGradients(entry, x, out)
  })
})

it('argmax and sum as PyTorch', () => {
  for (const entry of entries.filter((e: Golden) => e.op === 'argmax')) {
    const want = entry.output.data ?? entry.output
    expect([...stored(entry.input).argmax(entry.args.dim).data]).toEqual(numbers([want].flat()))
  }
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
