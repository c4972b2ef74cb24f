/** `nn.summary`: shapes, counts, bytes, what the plan makes of a layer; nothing is changed by it. */
import { inspect } from 'node:util'
import { nn, optim, random, type Tensor } from 'anneal'
import { describe, expect, it } from 'vitest'

/** Numbers beside codes, an activation that is no layer, normalisation, a layer that nobody calls, one that comes twice. */
class Mixed extends nn.Module {
  codes = new nn.Embedding(5, 3)
  fc1 = new nn.Linear(4, 40)
  norm = new nn.BatchNorm1d(40)
  same = this.fc1
  unused = new nn.Linear(2, 2)
  head = new nn.Sequential(new nn.Linear(40, 3), new nn.Dropout())
  forward(x: Tensor, codes: Tensor) {
    return this.head.forward(this.norm.forward(this.fc1.forward(x).relu())).add(this.codes.forward(codes))
  }
}
const inputs = [{ shape: [4] }, { shape: [], dtype: 'int32' as const }]

describe('summary', () => {
  it('counts and measures every module once', () => {
    const model = new Mixed()
    model.fc1.weight.requiresGrad = false
    const { layers, parameters, frozen, bytes, reason } = nn.summary(model, { inputs })
    expect(
      layers.map(({ name, type, output, parameters: own, frozen: f, bytes: b }) => [name, type, output, own, f, b]),
    ).toEqual([
      ['', 'Mixed', [null, 3], 0, 0, 0],
      ['codes', 'Embedding', [null, 3], 15, 0, 60],
      ['fc1', 'Linear', [null, 40], 200, 160, 800],
      ['norm', 'BatchNorm1d', [null, 40], 80, 0, 4 * (80 + 80 + 1)],
      ['unused', 'Linear', null, 6, 0, 24],
      ['head', 'Sequential', [null, 3], 0, 0, 0],
      ['head.0', 'Linear', [null, 3], 123, 0, 492],
      ['head.1', 'Dropout', [null, 3], 0, 0, 0],
    ])
    expect([parameters, frozen, bytes, reason]).toEqual([424, 160, 60 + 800 + 644 + 24 + 492, undefined])
    expect(parameters).toBe(model.parameters().reduce((n, p) => n + p.size, 0))
  })
  it('says what the plan makes of them, for a loss and an optimizer', () => {
    const { layers, fusions } = nn.summary(new Mixed(), { inputs })
    const of = (name: string) => layers.find(layer => layer.name === name)!.kernels.join()
    expect(of('fc1')).toBe('linear_panel_fwd')
    expect(of('')).toBe('in fc1,add')
    expect(of('head.1')).toBe('dropout')
    expect(fusions).toContain('linear_panel_fwd = linear_fwd + relu_fwd')
    const net = new nn.Sequential(new nn.Linear(4, 40), new nn.ReLU(), new nn.Linear(40, 3))
    const given = { loss: new nn.CrossEntropyLoss(), optimizer: new optim.Adam(net.parameters()) }
    expect(nn.summary(net, given).fusions.join('\n')).toMatch(
      /softmax_xent_fwd_bwd \+ copy \+ count_correct[\s\S]*adam_update/,
    )
  })
  it('is a table as text and when it is printed', () => {
    const net = new nn.Sequential(new nn.Linear(4, 16), new nn.ReLU())
    const summary = nn.summary(net)
    expect(inspect(summary)).toBe(String(summary))
    expect(String(summary)).toMatch(/^ *0 {2}Linear {6}\[n, 16\] {10}80 {7}0 {4}320 {2}linear_widening_fwd$/m)
    expect(String(summary)).toContain('Sequential: 80 parameters, 0 of them frozen; 320 bytes with buffers')
    expect(JSON.parse(JSON.stringify(summary)).parameters).toBe(80)
  })
  it('draws and changes nothing', () => {
    const model = new Mixed()
    model.head.eval()
    random.manualSeed(4)
    const before = [model.stateDict(), model.modules().map(m => [m.training, Object.keys(m)])]
    const kept = structuredClone(before)
    nn.summary(model, { inputs })
    expect(structuredClone([model.stateDict(), model.modules().map(m => [m.training, Object.keys(m)])])).toEqual(kept)
    const [drawn] = [random.rand([3]).toArray()]
    random.manualSeed(4)
    expect(random.rand([3]).toArray()).toEqual(drawn)
    expect(model.parameters().every(p => p.grad === null)).toBe(true)
  })
  it('runs a model that is no plan once, and says why', () => {
    class Reading extends nn.Module {
      fc = new nn.Linear(4, 2)
      bn = new nn.BatchNorm1d(2)
      override forward = (x: Tensor) => this.bn.forward(this.fc.forward(x.data[0] > 1 ? x.neg() : x))
    }
    const model = new Reading()
    const { forward } = model
    const summary = nn.summary(model)
    expect(summary.reason).toMatch(/values|plan|data/)
    expect(summary.layers.map(({ output }) => output)).toEqual([
      [null, 2],
      [null, 2],
      [null, 2],
    ])
    expect(model.forward).toBe(forward)
    expect((model.stateDict()['bn.num_batches_tracked'] as Tensor).item()).toBe(0)
    const fixed = nn.summary(new nn.Sequential(new nn.Flatten()), { inputs: [{ shape: [2, 3] }] })
    expect([fixed.layers[1].output, fixed.reason]).toEqual([[null, 6], 'no parameter is trained'])
  })
  it('refuses what is no model, unknown options and inputs that do not fit', () => {
    expect(() => nn.summary({} as never)).toThrow('summary: expected model to be a Module')
    expect(() => nn.summary(new nn.Linear(2, 2), { input: [] } as never)).toThrow('did you mean inputs?')
    expect(() => nn.summary(new nn.Flatten())).toThrow('summary: expected inputs, as no layer has inFeatures')
    expect(() => nn.summary(new nn.Linear(2, 2), { inputs: [{ shape: [3] }] })).toThrow('inFeatures (2) but received 3')
  })
})
