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
