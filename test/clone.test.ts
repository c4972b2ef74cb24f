import { describe, expect, it } from 'vitest'
import * as nn from '../src/nn/index.js'
import * as optim from '../src/optim/index.js'
import { type Tensor, tensor } from '../src/tensor/index.js'

const x = tensor([
  [1, 2],
  [3, 5],
])
const half = [
  [0.5, 0.25],
  [0.125, 0.5],
]
const ones = [
  [1, 1],
  [1, 1],
]
const copies = {
  clone: <M extends nn.Module>(m: M): M => m.clone(),
  AveragedModel: <M extends nn.Module>(m: M): M => new optim.AveragedModel(m).module,
}

/** Every layer and loss, with an input for its forward. */
const layers: Record<string, [nn.Module & { forward(...inputs: Tensor[]): Tensor }, ...Tensor[]]> = {
  Linear: [new nn.Linear(2, 3), x],
  BatchNorm1d: [new nn.BatchNorm1d(2), x],
  LayerNorm: [new nn.LayerNorm([2]), x],
  Embedding: [new nn.Embedding(4, 2, { paddingIdx: 0 }), tensor([1, 3], { dtype: 'int32' })],
  Dropout: [new nn.Dropout({ p: 0 }), x],
  Flatten: [new nn.Flatten(), x],
  Identity: [new nn.Identity(), x],
  ReLU: [new nn.ReLU(), x],
  Sigmoid: [new nn.Sigmoid(), x],
  Tanh: [new nn.Tanh(), x],
  SiLU: [new nn.SiLU(), x],
  LeakyReLU: [new nn.LeakyReLU({ negativeSlope: 0.3 }), x],
  ELU: [new nn.ELU({ alpha: 0.5 }), x],
  GELU: [new nn.GELU({ approximate: 'tanh' }), x],
  Softplus: [new nn.Softplus({ beta: 2 }), x],
  Softmax: [new nn.Softmax({ dim: 1 }), x],
  LogSoftmax: [new nn.LogSoftmax({ dim: 0 }), x],
  Softsign: [new nn.Softsign(), x],
  Hardtanh: [new nn.Hardtanh({ minVal: -0.5 }), x],
  PReLU: [new nn.PReLU({ numParameters: 2 }), x],
  Bilinear: [new nn.Bilinear(2, 2, 3), x, x],
  CosineSimilarity: [new nn.CosineSimilarity(), x, x],
  EmbeddingBag: [new nn.EmbeddingBag(4, 2, { mode: 'sum' }), tensor([[1, 3]], { dtype: 'int32' })],
  RMSNorm: [new nn.RMSNorm([2]), x],
  GroupNorm: [new nn.GroupNorm(1, 2), x],
  Sequential: [new nn.Sequential(new nn.Linear(2, 2), new nn.BatchNorm1d(2)), x],
  CrossEntropyLoss: [new nn.CrossEntropyLoss({ weight: tensor([1, 2]) }), x, tensor([0, 1], { dtype: 'int32' })],
  NLLLoss: [new nn.NLLLoss(), x, tensor([0, 1], { dtype: 'int32' })],
  MSELoss: [new nn.MSELoss(), x, x],
  L1Loss: [new nn.L1Loss(), x, x],
  SmoothL1Loss: [new nn.SmoothL1Loss({ beta: 2 }), x, x],
  HuberLoss: [new nn.HuberLoss({ delta: 2 }), x, x],
  KLDivLoss: [new nn.KLDivLoss({ reduction: 'batchmean' }), x, tensor(half)],
  PoissonNLLLoss: [new nn.PoissonNLLLoss(), x, tensor(half)],
  GaussianNLLLoss: [new nn.GaussianNLLLoss(), x, x, tensor(half)],
  MarginRankingLoss: [new nn.MarginRankingLoss({ margin: 0.1 }), x, tensor(half), tensor(ones)],
  CosineEmbeddingLoss: [new nn.CosineEmbeddingLoss(), x, tensor(half), tensor([1, -1])],
  TripletMarginLoss: [new nn.TripletMarginLoss(), x, tensor(half), tensor(ones)],
  MultiLabelSoftMarginLoss: [new nn.MultiLabelSoftMarginLoss(), x, tensor(ones)],
  BCELoss: [new nn.BCELoss(), tensor([0.2, 0.9]), tensor([0, 1])],
  BCEWithLogitsLoss: [
    new nn.BCEWithLogitsLoss({ posWeight: tensor([3, 1]) }),
    x,
    tensor([
      [0, 1],
      [1, 0],
    ]),
  ],
}

describe('a copy', () => {
  const classes = Object.entries(nn).filter(
    ([, value]) => typeof value === 'function' && value.prototype instanceof nn.Module,
  )

  it('is tried of every layer and loss', () => {
    expect(Object.keys(layers).sort()).toEqual(
      classes
        .map(([name]) => name)
        .filter(name => name !== 'Loss')
        .sort(),
    )
  })

  for (const [how, copyOf] of Object.entries(copies)) {
    it.each(Object.entries(layers))(
      `by ${how} of %s computes the same with tensors of its own`,
      (_, [layer, ...inputs]) => {
        const copy = copyOf(layer)
        expect(copy.forward(...inputs).toArray()).toEqual(layer.forward(...inputs).toArray())
        expect(Object.keys(copy.stateDict())).toEqual(Object.keys(layer.stateDict()))
        for (const p of copy.parameters()) expect(layer.parameters()).not.toContain(p)
      },
    )
  }

  it('is made by the class itself where that has private members', () => {
    class Scaled extends nn.Module {
      #scale: number
      inner = new nn.Linear(2, 2)
      constructor(scale = 2) {
        super()
        this.#scale = scale
      }
      forward(input: Tensor) {
        return this.inner.forward(input).mul(this.#scale)
      }
      override clone(): this {
        const copy = new Scaled(this.#scale)
        copy.loadStateDict(this.stateDict())
        return copy as this
      }
    }
    const model = new nn.Sequential(new Scaled(3), new nn.ReLU())
    for (const copyOf of Object.values(copies)) {
      expect(copyOf(model).forward(x).toArray()).toEqual(model.forward(x).toArray())
    }
  })

  class WithField extends nn.Module {
    #scale = 2
    forward(input: Tensor) {
      return input.mul(this.#scale)
    }
  }
  class WithMethod extends nn.Module {
    forward(input: Tensor) {
      return this.#twice(input)
    }
    #twice(input: Tensor) {
      return input.mul(2)
    }
  }
  class WithGetter extends nn.Module {
    name = "it's fine" // a # in a comment: #none
    get #two() {
      return 2
    }
    forward(input: Tensor) {
      return input.mul(this.#two)
    }
  }
  class Arrow extends nn.Module {
    layer = new nn.Linear(2, 2)
    forward = (input: Tensor) => this.layer.forward(input)
  }
  it.each([WithField, WithMethod, WithGetter, Arrow, class extends WithField {}])(
    'is refused of %s, which it could not run',
    Class => {
      for (const copyOf of Object.values(copies)) {
        for (const model of [new Class(), new nn.Sequential(new Class())]) {
          expect(() => copyOf(model)).toThrow(
            expect.objectContaining({ code: 'ERR_STATE', message: expect.stringMatching(/clone\(\) of its own/) }),
          )
        }
      }
    },
  )

  it('is made of what only looks like a private member', () => {
    class Fine extends nn.Module {
      static #made = 0
      colour = '#fff'
      css = `
        #id { color: red }`
      static {
        if (Fine.#made++ > 0) throw new Error('once')
      }
      run = (input: Tensor) => input
      declare count: { seen: number[]; map: Map<string, Tensor> }
      constructor() {
        super()
        this.forward = this.forward.bind(this)
        this.count = { seen: [1], map: new Map([['a', tensor([1])]]) }
      }
      forward(input: Tensor) {
        this.count.seen.push(1)
        return input // #nothing
      }
    }
    const model = new Fine()
    const copy = model.clone()
    copy.forward(x)
    expect(copy.count.seen).toEqual([1, 1])
    expect(model.count.seen).toEqual([1])
    expect(copy.count.map.get('a')).not.toBe(model.count.map.get('a'))
  })
})

describe('names and cycles', () => {
  it('refuses a dot in a name, as PyTorch does', () => {
    class Clash extends nn.Module {
      a = new nn.Linear(2, 2)
      forward(input: Tensor) {
        return this.a.forward(input)
      }
    }
    const wrong = [
      Object.assign(new Clash(), { 'a.weight': new nn.Parameter(tensor([1])) }),
      Object.assign(new Clash(), { 'a.b': new nn.ReLU() }),
      Object.assign(new Clash(), { 'a.b': [new nn.ReLU()] }),
      Object.assign(new Clash(), { '': tensor([1], { requiresGrad: true }) }),
    ]
    for (const model of wrong) {
      for (const read of [
        () => model.parameters(),
        () => model.stateDict(),
        () => model.namedParameters(),
        () => model.clone().parameters(),
      ]) {
        expect(read).toThrow(
          expect.objectContaining({ code: 'ERR_ARG_VALUE', message: expect.stringMatching(/without a dot/) }),
        )
      }
    }
    class Buffered extends Clash {
      constructor(key: string) {
        super()
        this.registerBuffer('a', key)
      }
    }
    expect(() => new Buffered('a.b')).toThrow(/without a dot/)
  })

  it('refuses two tensors under one name', () => {
    class Twice extends nn.Module {
      weight = new nn.Parameter(tensor([1]))
      mean = tensor([2])
      constructor() {
        super()
        this.registerBuffer('mean', 'weight')
      }
      forward(input: Tensor) {
        return input
      }
    }
    expect(() => new Twice().stateDict()).toThrow(expect.objectContaining({ code: 'ERR_STATE' }))
  })

  it('walks a cycle once, and a shared layer under both its names', () => {
    class Child extends nn.Module {
      parent: nn.Module | null = null
      layer = new nn.Linear(2, 2)
      forward(input: Tensor) {
        return this.layer.forward(input)
      }
    }
    class Parent extends nn.Module {
      child = new Child()
      same: Child
      constructor() {
        super()
        this.child.parent = this
        this.same = this.child
      }
      forward(input: Tensor) {
        return this.child.forward(input)
      }
    }
    const model = new Parent()
    expect(model.modules().length).toBe(3)
    expect(model.parameters().length).toBe(2)
    expect(Object.keys(model.stateDict())).toEqual([
      'child.layer.weight',
      'child.layer.bias',
      'same.layer.weight',
      'same.layer.bias',
    ])
    expect(model.eval().child.layer.training).toBe(false)
    const copy = model.clone()
    expect([copy.child.parent, copy.same]).toEqual([copy, copy.child])
    expect(copy.forward(x).toArray()).toEqual(model.forward(x).toArray())
  })
})

describe('a state dict', () => {
  it('loads from JSON and from structuredClone', () => {
    const [model, other] = [0, 1].map(() => new nn.Sequential(new nn.Linear(2, 3), new nn.BatchNorm1d(3)))
    model.forward(x)
    const dict = model.stateDict()
    for (const read of [JSON.parse(JSON.stringify(dict)), structuredClone(dict)]) {
      other.parameters().forEach(p => void p.data.fill(9))
      other.loadStateDict(read)
      expect(other.stateDict()).toEqual(dict)
    }
  })

  it.each([
    ['text that is no base64', { dtype: 'float32', shape: [2], data: '*' }],
    ['too few values', { dtype: 'float32', shape: [2], data: 'AAAAAA==' }],
    ['another dtype', { dtype: 'float32', shape: [2], data: new Int32Array(2) }],
    ['a shape with a hole', { dtype: 'float32', shape: new Array(1), data: new Float32Array(2) }],
    ['nothing', null],
  ])('refuses %s', (_, value) => {
    const layer = new nn.Linear(1, 2)
    expect(() => layer.loadStateDict({ ...layer.stateDict(), bias: value as never })).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/ERR_STATE|ERR_ARG_TYPE/) }),
    )
  })

  it('is refused of a model whose memory was transferred', () => {
    const layer = new nn.Linear(1, 2)
    structuredClone(layer.weight.data.buffer, { transfer: [layer.weight.data.buffer as ArrayBuffer] })
    const detached = expect.objectContaining({ code: 'ERR_DETACHED' })
    for (const use of [
      () => layer.stateDict(),
      () => layer.clone(),
      () => layer.weight.toArray(),
      () => JSON.stringify(layer.weight),
    ]) {
      expect(use).toThrow(detached)
    }
  })
})
