/** Modules: names, state dicts, modes; layers and losses against bad input. */

import { describe, expect, it } from 'vitest'
import * as nn from '../src/nn/index.js'
import { manualSeed } from '../src/random/index.js'
import { type Tensor, tensor } from '../src/tensor/index.js'

class Net extends nn.Module {
  fc1 = new nn.Linear(2, 8)
  blocks = [new nn.Linear(8, 8), new nn.Linear(8, 8)]
  head = new nn.Sequential(new nn.ReLU(), new nn.Linear(8, 3, { bias: false }))
  scale = new nn.Parameter(tensor([1, 1, 1]))

  override forward(x: Tensor): Tensor {
    let y = this.fc1.forward(x)
    for (const block of this.blocks) y = y.add(block.forward(y).relu())
    return this.head.forward(y).mul(this.scale)
  }
}

const names = [
  'scale',
  'fc1.weight',
  'fc1.bias',
  'blocks.0.weight',
  'blocks.0.bias',
  'blocks.1.weight',
  'blocks.1.bias',
  'head.1.weight',
]

describe('Module', () => {
  it('finds parameters by property name, modules in arrays too', () => {
    expect(new Net().namedParameters().map(([name]) => name)).toEqual(names)
  })

  it('lists a shared parameter once', () => {
    const net = new Net()
    net.blocks[1] = net.blocks[0]
    expect(net.parameters().length).toBe(names.length - 2)
    expect(Object.keys(net.stateDict()).length).toBe(names.length)
  })

  it('keeps frozen parameters in the state dict', () => {
    const net = new Net()
    net.fc1.weight.requiresGrad = false
    expect(Object.keys(net.stateDict())).toEqual(names)
    net.requiresGrad_(false)
    expect(net.parameters().every(p => !p.requiresGrad)).toBe(true)
  })

  it('round trips its state, checked before it is written', () => {
    manualSeed(1)
    const [a, b] = [new Net(), new Net()]
    b.loadStateDict(a.stateDict())
    expect(b.head.forward(tensor([[1, 2, 3, 4, 5, 6, 7, 8]])).toArray()).toEqual(
      a.head.forward(tensor([[1, 2, 3, 4, 5, 6, 7, 8]])).toArray(),
    )
    const before = [...a.fc1.weight.data]
    const { scale: _, ...missing } = b.stateDict()
    expect(() => a.loadStateDict(missing)).toThrow(/missing \[scale\]/)
    expect(() => a.loadStateDict({ ...b.stateDict(), more: tensor(1) })).toThrow(/unknown \[more\]/)
    expect(() => a.loadStateDict({ ...b.stateDict(), scale: tensor([1]) })).toThrow(
      /scale to have shape \[3\] but received \[1\]/,
    )
    expect(() => a.loadStateDict({ ...b.stateDict(), scale: 1 as never })).toThrow(TypeError)
    expect(() => a.loadStateDict(null as never)).toThrow(TypeError)
    expect([...a.fc1.weight.data]).toEqual(before)
  })

  it('switches modes all the way down', () => {
    const net = new Net().eval()
    expect(net.modules().every(m => !m.training)).toBe(true)
    expect(
      net
        .train()
        .modules()
        .every(m => m.training),
    ).toBe(true)
    expect(() => net.train(1 as never)).toThrow(TypeError)
  })

  it('drops gradients', () => {
    const net = new Net()
    net
      .forward(tensor([[1, 2]]))
      .sum()
      .backward()
    expect(net.fc1.weight.grad).not.toBeNull()
    net.zeroGrad()
    expect(net.fc1.weight.grad).toBeNull()
  })
})

describe('Linear', () => {
  it('starts as PyTorch’s from the same seed', () => {
    manualSeed(0)
    const layer = new nn.Linear(2, 8)
    expect(layer.weight.data[0]).toBe(Math.fround(-0.005293981))
    expect(layer.bias!.data[0]).toBe(Math.fround(0.2795442))
  })

  it.each([
    [() => new nn.Linear(-1, 2), RangeError],
    [() => new nn.Linear(2.5, 2), RangeError],
    [() => new nn.Linear(2 ** 31, 2), RangeError],
    [() => new nn.Linear(2 ** 20, 2 ** 20), RangeError],
    [() => new nn.Linear('2' as never, 2), TypeError],
    [() => new nn.Linear(2, 2, { bias: 1 as never }), TypeError],
    [() => new nn.Linear(2, 2, { Bias: false } as never), TypeError],
    [() => new nn.Sequential(1 as never), TypeError],
    [() => new nn.Parameter([1] as never), TypeError],
  ])('refuses %s', (call, kind) => {
    expect(call).toThrow(kind)
  })

  it('names the dimension that does not fit', () => {
    const layer = new nn.Linear(784, 10)
    const message = 'Linear: expected x.shape[1] to equal inFeatures (784) but received 783'
    expect(() => layer.forward(tensor(new Float32Array(783), { shape: [1, 783] }))).toThrow(message)
  })
})

describe('CrossEntropyLoss', () => {
  const logits = () =>
    tensor(
      [
        [1, 2, 3],
        [1, 2, 3],
      ],
      { requiresGrad: true },
    )
  const loss = new nn.CrossEntropyLoss()

  it('takes float labels that are integers', () => {
    const want = loss.forward(logits(), tensor([0, 2], { dtype: 'int32' })).item()
    expect(loss.forward(logits(), tensor([0, 2])).item()).toBe(want)
  })

  it.each([
    [[0, 3], 'labels[1] to be in [0, 2] but received 3'],
    [[-1, 0], 'labels[0] to be in [0, 2] but received -1'],
    [[0, Number.NaN], 'labels[1] to be in [0, 2] but received NaN'],
    [[0.5, 0], 'labels[0] to be in [0, 2] but received 0.5'],
    [[0, 2 ** 31], 'labels[1] to be in [0, 2] but received 2147483648'],
  ])('refuses labels %s', (labels, message) => {
    expect(() => loss.forward(logits(), tensor(labels))).toThrow(message)
    expect(() => loss.forward(logits(), tensor(labels))).toThrow(expect.objectContaining({ code: 'ERR_LABEL_RANGE' }))
  })

  it('refuses bad options at construction', () => {
    expect(() => new nn.CrossEntropyLoss({ reduction: 'avg' as never })).toThrow(RangeError)
    expect(() => new nn.CrossEntropyLoss({ labelSmoothing: -0.1 })).toThrow(RangeError)
    expect(() => new nn.CrossEntropyLoss({ smoothing: 0.1 } as never)).toThrow(TypeError)
  })
})

describe('layers without parameters', () => {
  const x = () => tensor(new Float32Array(24), { shape: [2, 3, 4] })

  it('Flatten merges dimensions', () => {
    expect(new nn.Flatten().forward(x()).shape).toEqual([2, 12])
    expect(new nn.Flatten({ startDim: 0 }).forward(x()).shape).toEqual([24])
    expect(new nn.Flatten({ startDim: 0, endDim: 1 }).forward(x()).shape).toEqual([6, 4])
    expect(new nn.Flatten({ startDim: -2, endDim: -1 }).forward(x()).shape).toEqual([2, 12])
    expect(new nn.Flatten({ startDim: 0 }).forward(tensor(1)).shape).toEqual([1])
    expect(new nn.Flatten().forward(tensor(new Float32Array(0), { shape: [0, 3, 4] })).shape).toEqual([0, 12])
  })

  it('Identity gives its input', () => {
    const input = x()
    expect(new nn.Identity().forward(input)).toBe(input)
  })

  it.each<[string, () => unknown, unknown]>([
    ['a dimension that is not there', () => new nn.Flatten({ startDim: 3 }).forward(x()), { code: 'ERR_SHAPE' }],
    ['dimensions the wrong way round', () => new nn.Flatten({ startDim: 2, endDim: 0 }).forward(x()), /startDim \(2\)/],
    ['a fraction as dimension', () => new nn.Flatten({ startDim: 0.5 }), RangeError],
    ['no dimension to compete along', () => new nn.Softmax({} as never), TypeError],
    ['no options at all', () => new nn.LogSoftmax(undefined as never), TypeError],
    ['another type of slope', () => new nn.LeakyReLU({ negativeSlope: '1' as never }), TypeError],
    ['a misspelt option', () => new nn.ELU({ Alpha: 1 } as never), TypeError],
    ['an unknown approximation', () => new nn.GELU({ approximate: 'fast' as never }), RangeError],
    ['no sharpness', () => new nn.Softplus({ beta: 0 }), RangeError],
  ])('refuse %s', (_what, call, error) => {
    if (error instanceof RegExp || typeof error === 'function') expect(call).toThrow(error as RegExp)
    else expect(call).toThrow(expect.objectContaining(error as object))
  })
})

describe('losses', () => {
  const x = () => tensor([[1, 2]])

  it.each<[string, () => unknown, unknown]>([
    ['an unknown reduction', () => new nn.MSELoss({ reduction: 'avg' as never }), RangeError],
    ['a misspelt option', () => new nn.L1Loss({ beta: 1 } as never), TypeError],
    ['a negative beta', () => new nn.SmoothL1Loss({ beta: -1 }), RangeError],
    ['a delta of 0', () => new nn.HuberLoss({ delta: 0 }), RangeError],
    ['a number as weight', () => new nn.BCELoss({ weight: 2 as never }), TypeError],
    ['an array as posWeight', () => new nn.BCEWithLogitsLoss({ posWeight: [1] as never }), TypeError],
    ['label smoothing without softmax', () => new nn.NLLLoss({ labelSmoothing: 0.1 } as never), TypeError],
    ['targets to broadcast', () => new nn.MSELoss().forward(x(), tensor([1, 2])), /target to have shape \[1, 2\]/],
    ['labels for regression', () => new nn.MSELoss().forward(x(), tensor([[1, 2]], { dtype: 'int32' })), /float32/],
    ['a label that is no class', () => new nn.NLLLoss().forward(x(), tensor([2])), { code: 'ERR_LABEL_RANGE' }],
    [
      'integers of the logits’ shape',
      () => new nn.CrossEntropyLoss().forward(x(), tensor([[0, 1]], { dtype: 'int32' })),
      { code: 'ERR_SHAPE' },
    ],
    [
      'a class to ignore beside distributions',
      () => new nn.CrossEntropyLoss({ ignoreIndex: 1 }).forward(x(), x()),
      RangeError,
    ],
  ])('refuse %s', (_what, call, error) => {
    if (error instanceof RegExp || typeof error === 'function') expect(call).toThrow(error as RegExp)
    else expect(call).toThrow(expect.objectContaining(error as object))
  })

  it('take gradients of their targets too', () => {
    const [prediction, target] = [tensor([[1, 2]]), tensor([[0.5, 0.5]], { requiresGrad: true })]
    new nn.MSELoss({ reduction: 'sum' }).forward(prediction, target).backward()
    expect(target.grad!.toArray()).toEqual([[-1, -3]])
  })
})
