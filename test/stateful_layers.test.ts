/** Layers with randomness or state: PyTorch's masks and values, modes, state dicts and bad input. `fit`: fit_layers.test.ts. */

import { describe, expect, it } from 'vitest'
import { referenceEmitter } from '../src/emitters/reference.js'
import { addon } from '../src/native/addon.js'
import * as nn from '../src/nn/index.js'
import { opTwins } from '../src/ops/twins.js'
import { Generator, manualSeed, rand, randn } from '../src/random/index.js'
import { noGrad, ops, type Tensor, tensor } from '../src/tensor/index.js'
import { withEmitter } from '../src/tensor/tape.js'
import { camelOptions, expectClose, golden, numbers, type Stored, stored } from './helpers/golden.js'

// biome-ignore lint/suspicious/noExplicitAny: goldens are plain JSON.
type Golden = any
const want = golden('stateful-layers.json')
const ones = (shape: number[]) => tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1), { shape })

describe('Dropout', () => {
  it.each<Golden>(want.dropout)('draws PyTorch’s mask, seed $seed, p $p', ({ seed, p, shape, mask, kept, next }) => {
    manualSeed(seed)
    const y = new nn.Dropout({ p }).forward(ones(shape))
    expect([...y.data].map(v => (v ? '1' : '0')).join('')).toBe(mask)
    expect([...y.data].every(v => v === 0 || v === kept)).toBe(true)
    expect(rand([1]).item()).toBe(next)
  })

  it('sends the gradient through the same mask', () => {
    const x = randn([6, 9], { requiresGrad: true })
    const y = new nn.Dropout({ p: 0.4 }).forward(x)
    y.sum().backward()
    x.data.forEach((v, i) => {
      expect(y.data[i]).toBe(Math.fround(v * x.grad!.data[i]))
    })
  })

  it('keeps the sign of zero, infinities and NaN as PyTorch does', () => {
    const x = tensor([-1, Number.POSITIVE_INFINITY, Number.NaN, 2])
    expect([...x.dropout({ p: 1 }).data]).toEqual([-0, Number.NaN, Number.NaN, 0])
  })

  it('does nothing and draws nothing in evaluation', () => {
    manualSeed(1)
    const x = ones([3])
    expect(new nn.Dropout().eval().forward(x)).toBe(x)
    expect([...rand([2]).data]).toEqual([...new Generator(1).uniform_(new Float32Array(2))])
  })

  it.each([
    [{ p: -0.1 }, RangeError],
    [{ p: 1.1 }, RangeError],
    [{ p: Number.NaN }, RangeError],
    [{ p: '0.5' }, TypeError],
    [{ P: 0.5 }, TypeError],
    [0.5, TypeError],
  ])('refuses %o', (options, kind) => {
    expect(() => new nn.Dropout(options as never)).toThrow(kind)
  })
})

describe('BatchNorm1d', () => {
  it.each<Golden>(want.batchNorm)('on [rows, channels, length] with $options', ({ options, steps }) => {
    const layer = new nn.BatchNorm1d(3, camelOptions(options))
    for (const { train, x, y, cotangent, dx, state } of steps) {
      const input = stored(x, true)
      const out = layer.train(train).forward(input)
      expectClose(out.data, numbers(y.data))
      out.backward(stored(cotangent))
      expectClose(input.grad!.data, numbers(dx.data))
      expectState(layer, state)
    }
  })

  it('has PyTorch’s state dict, which round trips', () => {
    const [a, b] = [new nn.BatchNorm1d(4), new nn.BatchNorm1d(4)]
    expect(Object.keys(a.stateDict())).toEqual(['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked'])
    expect(a.namedParameters().map(([name]) => name)).toEqual(['weight', 'bias'])
    expect(new nn.Sequential(a).namedBuffers().map(([name]) => name)).toEqual([
      '0.running_mean',
      '0.running_var',
      '0.num_batches_tracked',
    ])
    a.forward(randn([5, 4]))
    b.loadStateDict(a.stateDict())
    const x = randn([3, 4])
    expect(b.eval().forward(x).toArray()).toEqual(a.eval().forward(x).toArray())
    expect(b.numBatchesTracked!.item()).toBe(1)
    expect(Object.keys(new nn.BatchNorm1d(4, { affine: false, trackRunningStats: false }).stateDict())).toEqual([])
  })

  it('forgets its statistics on request', () => {
    const layer = new nn.BatchNorm1d(2)
    layer.forward(randn([5, 2]))
    layer.resetRunningStats()
    expect(layer.stateDict()).toMatchObject(new nn.BatchNorm1d(2).stateDict())
  })

  it('updates its statistics without gradients too, and not in evaluation', () => {
    const layer = new nn.BatchNorm1d(2)
    noGrad(() => layer.forward(randn([5, 2])))
    layer.eval().forward(randn([5, 2]))
    expect(layer.numBatchesTracked!.item()).toBe(1)
  })

  it('tracks moments in native code as in float64', () => {
    const draw = new Generator(3)
    for (const [n, momentum] of [
      [1, 0.1],
      [17, -1],
      [40, 0.3],
    ]) {
      const floats = Array.from({ length: 4 }, () => draw.uniform_(new Float32Array(n)))
      const doubles = floats.map(values => Float64Array.from(values))
      const counts = [Int32Array.of(4), Int32Array.of(4)]
      const named = <T>([mean, variance, running_mean, running_var]: T[], batches: Int32Array) => {
        return { mean, var: variance, running_mean, running_var, batches, n, momentum, unbias: 1.25 }
      }
      addon.kernels.track_moments(named(floats, counts[0]))
      opTwins.track_moments!(named(doubles, counts[1]))
      expect(counts).toEqual([Int32Array.of(5), Int32Array.of(5)])
      floats.forEach((values, i) => {
        expectClose(values, doubles[i], 1e-7, 1e-6)
      })
    }
  })

  it.each([
    [() => new nn.BatchNorm1d(-1), RangeError],
    [() => new nn.BatchNorm1d(2.5), RangeError],
    [() => new nn.BatchNorm1d('2' as never), TypeError],
    [() => new nn.BatchNorm1d(2, { momentum: 2 }), RangeError],
    [() => new nn.BatchNorm1d(2, { eps: -1 }), RangeError],
    [() => new nn.BatchNorm1d(2, { affine: 1 as never }), TypeError],
    [() => new nn.BatchNorm1d(2, { Eps: 1 } as never), TypeError],
  ])('refuses %s', (call, kind) => {
    expect(call).toThrow(kind)
  })

  it.each([
    [[4], 'x to have shape [rows, channels] or [rows, channels, length] but received [4]'],
    [[2, 3, 4, 5], 'x to have shape [rows, channels]'],
    [[4, 2], 'x.shape[1] to equal numFeatures (3) but received 2'],
    [[1, 3, 1], 'more than 1 value per channel in training but received x of shape [1, 3, 1]'],
    [[0, 3], 'more than 1 value per channel in training but received x of shape [0, 3]'],
  ])('refuses x of shape %j', (shape, message) => {
    expect(() => new nn.BatchNorm1d(3).forward(ones(shape))).toThrow(message)
    expect(() => new nn.BatchNorm1d(3).forward(ones(shape))).toThrow(expect.objectContaining({ code: 'ERR_SHAPE' }))
  })

  it('takes one row in evaluation, and one of several values in training', () => {
    expect(new nn.BatchNorm1d(3).eval().forward(ones([1, 3])).shape).toEqual([1, 3])
    expect(new nn.BatchNorm1d(3).forward(ones([1, 3, 2])).shape).toEqual([1, 3, 2])
  })
})

function expectState(layer: nn.Module, state: Record<string, Stored | number>): void {
  const got = layer.stateDict()
  expect(Object.keys(got)).toEqual(Object.keys(state))
  for (const [key, value] of Object.entries(state)) {
    expectClose(got[key].data, typeof value === 'number' ? [value] : numbers(value.data))
  }
}

describe('LayerNorm', () => {
  it('without a bias gives PyTorch’s values and gradients', () => {
    const layer = new nn.LayerNorm([2, 3], { bias: false })
    expect(Object.keys(layer.stateDict())).toEqual(['weight'])
    layer.loadStateDict({ weight: stored(want.layerNorm.weight) })
    const x = stored(want.layerNorm.x, true)
    const y = layer.forward(x)
    y.backward(stored(want.layerNorm.cotangent))
    expectClose(y.data, numbers(want.layerNorm.y.data))
    expectClose(x.grad!.data, numbers(want.layerNorm.dx.data))
    expectClose(layer.weight!.grad!.data, numbers(want.layerNorm.dweight.data))
  })

  it.each([
    [() => new nn.LayerNorm([]), RangeError],
    [() => new nn.LayerNorm(0), RangeError],
    [() => new nn.LayerNorm('3' as never), TypeError],
    [() => new nn.LayerNorm(3, { eps: Number.NaN }), RangeError],
    [() => new nn.LayerNorm(3, { elementwiseAffine: 0 as never }), TypeError],
    [() => new nn.LayerNorm(3, { elementwise_affine: true } as never), TypeError],
    [() => new nn.LayerNorm(3).forward(ones([2, 4])), /x to have a shape that ends in \[3\] but received \[2, 4\]/],
  ])('refuses %s', (call, kind) => {
    expect(call).toThrow(kind)
  })
})

describe('Embedding', () => {
  it.each<Golden>(want.embedding)(
    'starts as PyTorch’s, padding $paddingIdx',
    ({ seed, num, dim, paddingIdx, weight }) => {
      manualSeed(seed)
      const layer = new nn.Embedding(num, dim, { paddingIdx })
      expect([...layer.weight.data]).toEqual(numbers(weight.data).map(Math.fround))
      expect(Object.keys(layer.stateDict())).toEqual(['weight'])
    },
  )

  it('names place and value of an index out of range', () => {
    const layer = new nn.Embedding(5, 2)
    const indices = tensor(Int32Array.of(0, 1, 2, 5), { shape: [2, 2] })
    const message = 'embedding: expected indices[1, 1] to be in [0, 4] but received 5'
    expect(() => layer.forward(indices)).toThrow(message)
    expect(() => layer.forward(indices)).toThrow(expect.objectContaining({ code: 'ERR_LABEL_RANGE' }))
    expect(() => layer.forward(tensor([0.5]))).toThrow(/indices to be int32/)
  })

  it.each([
    [() => new nn.Embedding(-1, 2), RangeError],
    [() => new nn.Embedding(2, 1.5), RangeError],
    [() => new nn.Embedding(2 ** 20, 2 ** 20), RangeError],
    [() => new nn.Embedding(3, 2, { paddingIdx: 3 }), RangeError],
    [() => new nn.Embedding(3, 2, { paddingIdx: 'a' as never }), TypeError],
    [() => new nn.Embedding(3, 2, { padding: 1 } as never), TypeError],
  ])('refuses %s', (call, kind) => {
    expect(call).toThrow(kind)
  })
})

it('a dropout mask in the float64 reference is that of the native engine', () => {
  const run = (values: Tensor) => {
    manualSeed(9)
    return [...ops.dropout(values, { p: 0.3 }).data].map(v => Number(v !== 0))
  }
  expect(withEmitter(referenceEmitter(opTwins), () => run(ones([50])))).toEqual(run(ones([50])))
})
