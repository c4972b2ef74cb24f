import vm from 'node:vm'
/** Tensors: making, reading, gradients through graphs, and every way of asking for the wrong thing. */

import { describe, expect, expectTypeOf, it } from 'vitest'
import { noGrad, ops, type Tensor, tensor } from '../src/tensor/index.js'

const codeOf = (fn: () => unknown): string => {
  try {
    fn()
  } catch (error) {
    return (error as { code: string }).code
  }
  return 'no error'
}

describe('tensor()', () => {
  it('takes numbers, nested arrays and typed arrays', () => {
    expect(tensor(3).shape).toEqual([])
    expect(tensor(3).item()).toBe(3)
    expect(
      tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]).shape,
    ).toEqual([2, 3])
    expect(tensor(new Float64Array([1, 2])).dtype).toBe('float32')
    expect(tensor(Uint8Array.of(1, 2)).dtype).toBe('int32')
    expect(tensor([1, 2], { dtype: 'int32' }).data).toEqual(Int32Array.of(1, 2))
    expect(tensor(new Float32Array(6), { shape: [2, 3] }).toArray()).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ])
    expect(tensor([[], []]).shape).toEqual([2, 0])
    expect(tensor([Float32Array.of(1, 2), Float32Array.of(3, 4)]).shape).toEqual([2, 2])
  })

  it('copies what it is given', () => {
    const values = Float32Array.of(1, 2)
    const t = tensor(values)
    values[0] = 9
    expect(t.data[0]).toBe(1)
  })

  it.each([
    [() => tensor('x' as never), 'ERR_ARG_TYPE'],
    [() => tensor([1, '2'] as never), 'ERR_ARG_TYPE'],
    [() => tensor([1, null] as never), 'ERR_ARG_TYPE'],
    [() => tensor(BigInt64Array.of(1n) as never), 'ERR_ARG_TYPE'],
    [() => tensor([[1, 2], [3]]), 'ERR_SHAPE'],
    [() => tensor([[1, 2], 3]), 'ERR_SHAPE'],
    [() => tensor([1, 2, 3], { shape: [2, 2] }), 'ERR_SHAPE'],
    [() => tensor([1], { shape: [-1] }), 'ERR_ARG_TYPE'],
    [() => tensor([1], { shape: [2 ** 31] }), 'ERR_SHAPE'],
    [() => tensor([1], { shape: [Number.NaN] }), 'ERR_ARG_TYPE'],
    [() => tensor([1.5], { dtype: 'int32' }), 'ERR_DTYPE'],
    [() => tensor([Number.NaN], { dtype: 'int32' }), 'ERR_DTYPE'],
    [() => tensor([2 ** 40], { dtype: 'int32' }), 'ERR_DTYPE'],
    [() => tensor([1], { dtype: 'float64' as never }), 'ERR_ARG_TYPE'],
    [() => tensor([1], { dtype: 'int32', requiresGrad: true }), 'ERR_DTYPE'],
    [() => tensor([1, 2]).item(), 'ERR_SHAPE'],
  ])('refuses %s', (call, code) => {
    expect(codeOf(call)).toBe(code)
  })
})

describe('backward', () => {
  it('adds up over every path to a leaf and over calls', () => {
    const x = tensor([2, 3], { requiresGrad: true })
    x.mul(x).add(x).sum().backward()
    expect([...x.grad!.data]).toEqual([5, 7])
    x.sum().backward()
    expect([...x.grad!.data]).toEqual([6, 8])
  })

  it('gives each leaf a gradient of its own', () => {
    const [a, b] = [tensor([1, 2], { requiresGrad: true }), tensor([3, 4], { requiresGrad: true })]
    a.add(b).sum().backward()
    a.grad!.data[0] = 99
    expect([...b.grad!.data]).toEqual([1, 1])
  })

  it('takes a gradient for what is no scalar', () => {
    const x = tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { requiresGrad: true },
    )
    x.mul(2).backward(
      tensor([
        [1, 0],
        [0, 1],
      ]),
    )
    expect(x.grad!.toArray()).toEqual([
      [2, 0],
      [0, 2],
    ])
  })

  it('works through a deep graph without recursion', () => {
    const x = tensor(1, { requiresGrad: true })
    let y: Tensor = x
    for (let i = 0; i < 20000; i++) y = y.add(0)
    y.backward()
    expect(x.grad!.item()).toBe(1)
  })

  it('stops at detach, under noGrad and at what needs no gradient', () => {
    const x = tensor([1, 2], { requiresGrad: true })
    expect(x.detach().mul(2).requiresGrad).toBe(false)
    expect(noGrad(() => x.mul(2)).requiresGrad).toBe(false)
    expect(x.argmax().requiresGrad).toBe(false)
    x.detach().mul(x).sum().backward()
    expect([...x.grad!.data]).toEqual([1, 2])
  })

  it.each([
    ['nothing requires a gradient', () => tensor(1).backward(), 'ERR_GRAD'],
    ['no scalar and no gradient', () => tensor([1, 2], { requiresGrad: true }).mul(2).backward(), 'ERR_GRAD'],
    [
      'a gradient of another shape',
      () =>
        tensor([1, 2], { requiresGrad: true })
          .mul(2)
          .backward(tensor([1])),
      'ERR_SHAPE',
    ],
    ['a gradient that is no tensor', () => tensor(1, { requiresGrad: true }).backward(1 as never), 'ERR_ARG_TYPE'],
    ['noGrad without a function', () => noGrad(1 as never), 'ERR_ARG_TYPE'],
    ['noGrad with an async function', () => noGrad(async () => 1), 'ERR_ARG_TYPE'],
  ])('refuses %s', (_what, call, code) => {
    expect(codeOf(call)).toBe(code)
  })

  it('refuses a second backward through the same graph, and leaves gradients alone', () => {
    const x = tensor([1, 2], { requiresGrad: true })
    const y = x.mul(x).sum()
    y.backward()
    expect(codeOf(() => y.backward())).toBe('ERR_GRAD')
    expect([...x.grad!.data]).toEqual([2, 4])
  })

  it('leaves recording on after a throw in noGrad', () => {
    const x = tensor(1, { requiresGrad: true })
    expect(() =>
      noGrad(() => {
        throw new Error('mine')
      }),
    ).toThrow('mine')
    expect(x.mul(2).requiresGrad).toBe(true)
  })
})

describe('buffers that were taken away', () => {
  const transferred = () => {
    const t = tensor([1, 2, 3])
    structuredClone(t.data.buffer, { transfer: [t.data.buffer as ArrayBuffer] })
    return t
  }

  it('are named by every op that meets them', () => {
    const other = tensor([1, 2, 3])
    expect(codeOf(() => transferred().add(other))).toBe('ERR_DETACHED')
    expect(codeOf(() => other.mul(transferred()))).toBe('ERR_DETACHED')
    expect(codeOf(() => transferred().sum())).toBe('ERR_DETACHED')
    const scalar = tensor(1)
    structuredClone(scalar.data.buffer, { transfer: [scalar.data.buffer as ArrayBuffer] })
    expect(codeOf(() => scalar.item())).toBe('ERR_DETACHED')
  })
})

describe('functions and methods', () => {
  it('are the same ops', () => {
    const [a, b] = [tensor([1, 2]), tensor([3, 5])]
    expect(ops.add(a, b).toArray()).toEqual(a.add(b).toArray())
    expect(a.sub(b).div(2).neg().toArray()).toEqual([1, 1.5])
  })

  it('work on zero-size shapes as in PyTorch', () => {
    const empty = tensor([], { shape: [0, 3] })
    expect(empty.sum().item()).toBe(0)
    expect(empty.mean().item()).toBeNaN()
    expect(empty.matmul(tensor(new Float32Array(6), { shape: [3, 2] })).shape).toEqual([0, 2])
    expect(
      tensor([], { shape: [2, 0] })
        .matmul(tensor([], { shape: [0, 2] }))
        .toArray(),
    ).toEqual([
      [0, 0],
      [0, 0],
    ])
  })

  it('refuse int32 where floats are computed', () => {
    expect(codeOf(() => tensor([1], { dtype: 'int32' }).add(1))).toBe('ERR_DTYPE')
  })
})

describe('values of other realms, and options', () => {
  it('takes arrays of another realm as its own', () => {
    const other = (source: string) => vm.runInNewContext(source)
    expect(tensor(other('new Float32Array([1, 2, 3, 4])'), { shape: [2, 2] }).toArray()).toEqual([
      [1, 2],
      [3, 4],
    ])
    for (const kind of ['Int8Array', 'Int16Array', 'Int32Array', 'Uint8Array', 'Uint8ClampedArray', 'Uint16Array']) {
      expect(tensor(other(`new ${kind}([0, 1])`)).dtype).toBe('int32')
    }
    for (const kind of ['Float32Array', 'Float64Array', 'Uint32Array'])
      expect(tensor(other(`new ${kind}([0, 1])`)).dtype).toBe('float32')
    expect(tensor(other('[[1, 2], [3, 4]]')).shape).toEqual([2, 2])
    for (const source of [
      'new BigInt64Array(2)',
      'new DataView(new ArrayBuffer(8))',
      'new ArrayBuffer(8)',
      'new Map()',
    ]) {
      expect(() => tensor(other(source)), source).toThrow(expect.objectContaining({ code: 'ERR_ARG_TYPE' }))
    }
  })

  it('refuses options that are misspelt or misplaced, and says what was probably meant', () => {
    expect(() => tensor([1], { dtypes: 'int32' } as never)).toThrow(/received "dtypes"; did you mean dtype\?/)
    expect(() => tensor([1], { requires_grad: true } as never)).toThrow(/did you mean requiresGrad\?/)
    for (const wrong of ['int32', [1], new Date(), new Map(), null, 5]) {
      expect(() => tensor([1], wrong as never)).toThrow(expect.objectContaining({ code: 'ERR_ARG_TYPE' }))
    }
  })

  it('refuses a result of more than 2^31 - 1 elements', () => {
    const [a, b] = [tensor(new Float32Array(65_536), { shape: [65_536, 1] }), tensor(new Float32Array(65_536))]
    expect(() => a.add(b)).toThrow(expect.objectContaining({ code: 'ERR_SHAPE' }))
  })

  it('describes what was received shortly, whatever it is', () => {
    const circular: unknown[] = [1]
    circular.push(circular)
    let shared: unknown = [1]
    for (let i = 0; i < 7; i++) shared = new Array(8).fill(shared)
    const deep = JSON.parse('['.repeat(20_000) + ']'.repeat(20_000))
    for (const value of [
      circular,
      shared,
      deep,
      2n ** 100_000n,
      'x'.repeat(1e6),
      new Proxy([], { get: () => circular }),
    ]) {
      let message = ''
      try {
        tensor([1], { requiresGrad: value as never })
      } catch (error) {
        message = (error as Error).message
        expect(error).toMatchObject({ code: 'ERR_ARG_TYPE' })
      }
      expect(message.length).toBeGreaterThan(0)
      expect(message.length).toBeLessThanOrEqual(400)
    }
  })
})

describe('BCELoss', () => {
  it.each([
    ['prediction[0]', [1.5, 0.2], [1, 0]],
    ['prediction[1]', [0.5, -0.2], [1, 0]],
    ['target[0]', [0.5, 0.2], [2, 1]],
    ['target[1]', [0.5, 0.2], [1, -1]],
    ['prediction[0]', [Number.NaN, 0.2], [1, 0]],
  ])('refuses a %s outside of [0, 1], as PyTorch does', (place, x, t) => {
    expect(() => tensor(x).binaryCrossEntropy(tensor(t))).toThrow(
      expect.objectContaining({
        code: 'ERR_LABEL_RANGE',
        message: expect.stringContaining(`${place} to be in [0, 1]`),
      }),
    )
  })
})

it('types say which array holds the values', () => {
  expectTypeOf(tensor([1, 2]).data).toEqualTypeOf<Float32Array>()
  expectTypeOf(tensor(new Float64Array(2)).data).toEqualTypeOf<Float32Array>()
  expectTypeOf(tensor(new Uint8Array(2)).data).toEqualTypeOf<Int32Array>()
  expectTypeOf(tensor([1, 2], { dtype: 'int32' }).detach().data).toEqualTypeOf<Int32Array>()
  expectTypeOf<Tensor['data']>().toEqualTypeOf<Float32Array | Int32Array>()
  expectTypeOf(tensor([[1]]).toArray<number[][]>()).toEqualTypeOf<number[][]>()
  expect(tensor([[1, 2]]).toArray<number[][]>()[0][1]).toBe(2)
})
