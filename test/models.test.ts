/** Whole models as files: every layer comes back as it was, and nothing else than a sound file does. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { io, nn, predict, preprocessing, random, type Tensor, tensor } from 'anneal'
import { afterAll, describe, expect, it } from 'vitest'
import { inputsOf, layerClasses, layers } from './helpers/layers.js'

const folder = mkdtempSync(join(tmpdir(), 'anneal-models-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = (name: string) => join(folder, `${name}.safetensors`)

class Tower extends nn.Module {
  body = new nn.Linear(4, 4)
  forward(x: Tensor) {
    return this.body.forward(x)
  }
}

function values(model: nn.Module) {
  return Object.entries(model.stateDict()).map(([key, t]) => [key, t.dtype, t.shape, t.toArray()])
}

describe('every layer', () => {
  it('is in this table', () => {
    expect(Object.keys(layers).sort()).toEqual(layerClasses)
  })

  it.each(Object.entries(layers))('%s comes back with its options, values and mode', async (name, make) => {
    const model = make().eval()
    await io.save(file(name), model)
    const { model: loaded } = await io.load(file(name))
    expect(loaded.constructor).toBe(model.constructor)
    expect(loaded.constructorArguments()).toStrictEqual(model.constructorArguments())
    expect(values(loaded)).toEqual(values(model))
    expect(loaded.training).toBe(false)
    const inputs = inputsOf(name).make(2)
    const forward = (m: nn.Module) => m.forward(...(inputs as never[])).toArray()
    expect(forward(loaded)).toEqual(forward(model))
  })
})

describe('a model', () => {
  it('brings preprocessing, labels, notes and versions', async () => {
    const X = [[1, 10], [2, 20], [4, 60]] // biome-ignore format: rows
    const scaler = new preprocessing.StandardScaler().fit(X)
    const model = new nn.Sequential(new nn.Linear(2, 3))
    await io.save(file('whole'), model, { preprocessing: scaler, labels: ['a', 'b', 'c'], notes: 'first' })
    const loaded = await io.load(file('whole'))
    expect(loaded.labels).toEqual(['a', 'b', 'c'])
    expect(loaded.notes).toBe('first')
    expect(loaded.versions?.node).toBe(process.versions.node)
    expect(loaded.preprocessing?.transform(X).toArray()).toEqual(scaler.transform(X).toArray())
  })

  it('keeps shared layers shared, tied tensors tied, frozen parameters frozen', () => {
    const shared = new nn.Linear(4, 4)
    const [first, second] = [new nn.Linear(4, 4), new nn.Linear(4, 4)]
    Object.assign(second, { weight: first.weight })
    const model = new nn.Sequential(shared, new nn.ReLU(), shared, first, second)
    first.requiresGrad_(false)
    io.save.sync(file('shared'), model)
    const [a, , b, c, d] = io.load
      .sync(file('shared'))
      .model.namedChildren()
      .map(([, layer]) => layer as nn.Linear)
    expect(a).toBe(b)
    expect(c.weight).toBe(d.weight)
    expect(c.weight.requiresGrad).toBe(false)
    expect(d.bias?.requiresGrad).toBe(true)
    expect(d.weight.data).toEqual(first.weight.data)
  })

  it('is loaded without drawing from the generator, and predicts the same', async () => {
    random.manualSeed(7)
    const model = new nn.Sequential(new nn.Linear(4, 16), new nn.ReLU(), new nn.Linear(16, 3))
    await io.save(file('draws'), model)
    const before = random.defaultGenerator.getState()
    const { model: loaded } = await io.load<nn.Sequential>(file('draws'))
    expect(random.defaultGenerator.getState()).toEqual(before)
    const x = tensor([[1, 2, 3, 4]])
    expect((await predict(loaded, x)).toArray()).toEqual((await predict(model, x)).toArray())
  })

  it('of a class of the user needs that class, also inside of a Sequential', async () => {
    for (const make of [() => new Tower(), () => new nn.Sequential(new Tower())]) {
      const model = make()
      await io.save(file('tower'), model)
      await expect(io.load(file('tower'))).rejects.toMatchObject({
        code: 'ERR_STATE',
        message: expect.stringContaining('{ model } to load into'),
      })
      const { model: loaded } = await io.load(file('tower'), { model: make() })
      expect(values(loaded)).toEqual(values(model))
    }
  })

  it('is not touched by a file that does not fit', async () => {
    await io.save(file('other'), new nn.Linear(4, 3))
    const model = new nn.Linear(3, 3)
    const before = values(model)
    await expect(io.load(file('other'), { model })).rejects.toMatchObject({ code: 'ERR_SHAPE' })
    expect(values(model)).toEqual(before)
  })

  it('goes into a model from a file of tensors alone', async () => {
    const model = new nn.Linear(4, 3)
    await io.saveSafetensors(file('plain'), model.stateDict())
    const loaded = await io.load(file('plain'), { model: new nn.Linear(4, 3) })
    expect(values(loaded.model)).toEqual(values(model))
    expect(loaded.versions).toBe(null)
    await expect(io.load(file('plain'))).rejects.toMatchObject({ code: 'ERR_STATE' })
  })
})

describe('a description that was tampered with', () => {
  // biome-ignore lint/suspicious/noExplicitAny: a description is changed in any place.
  type Fields = Record<string, any>

  const tampered: [what: string, change: (d: Fields) => unknown][] = [
    ['text that is no JSON', () => '{'],
    ['a list', () => []],
    ['a later format', d => ({ ...d, format: 2 })],
    ['no versions', d => ({ ...d, versions: null })],
    ['a class that nn does not have', d => withModule(d, ['Conv2d', [], true])],
    ['a class that every object has', d => withModule(d, ['constructor', [], true])],
    ['a base class', d => withModule(d, ['Module', [], true])],
    ['arguments that the class refuses', d => withModule(d, ['Linear', [4, -3], true])],
    ['a layer of 16 GB', d => withModule(d, ['Linear', [40_000, 50_000], true])],
    ['arguments of other types', d => withModule(d, ['Linear', [{ module: 0 }, 'x'], true])],
    ['a module inside of itself', d => withModule(d, ['Sequential', [{ module: 0 }], true])],
    [
      'a prototype as an option',
      d => withModule(d, ['Linear', [4, 3, JSON.parse('{"__proto__": {"bias": false}}')], true]),
    ],
    [
      'arguments nested 100,000 deep',
      d => JSON.stringify(d).replace('[4,3,', `[4,${'['.repeat(1e5)}${']'.repeat(1e5)},`),
    ],
    [
      'a layer in 2^60 places',
      d => {
        const twice = (number: number) => ['Sequential', [{ module: number }, { module: number }], true]
        const modules = [['ReLU', [], true], ...Array.from({ length: 60 }, (_, i) => twice(i))]
        return { ...d, architecture: { ...d.architecture, modules } }
      },
    ],
    ['a layer of 2^31 weights', d => withModule(d, ['Linear', [1, 2 ** 31 - 1, { bias: true }], true])],
    ['a normalised shape of 10^5 dimensions', d => withModule(d, ['LayerNorm', [new Array(1e5).fill(1), {}], true])],
    ['other shapes than the tensors', d => withModule(d, ['Linear', [4, 4], true])],
    ['no module', d => ({ ...d, architecture: { ...d.architecture, modules: [] } })],
    ['a frozen key that is none', d => ({ ...d, architecture: { ...d.architecture, frozen: ['forward'] } })],
    ['a tie to nothing', d => ({ ...d, architecture: { ...d.architecture, tied: { weight: '__proto__.x' } } })],
    ['labels that are numbers', d => ({ ...d, labels: [1] })],
    ['preprocessing that is none', d => ({ ...d, preprocessing: { transformer: 'constructor' } })],
  ]

  function withModule(description: Fields, module: unknown) {
    return { ...description, architecture: { ...description.architecture, modules: [module] } }
  }

  it.each(tampered)('is refused: %s', async (_, change) => {
    const model = new nn.Linear(4, 3)
    await io.save(file('tampered'), model)
    const { tensors, metadata } = await io.loadSafetensors(file('tampered'))
    const changed = change(JSON.parse(metadata.anneal))
    const text = typeof changed === 'string' ? changed : JSON.stringify(changed)
    await io.saveSafetensors(file('tampered'), tensors, { metadata: { anneal: text } })
    await expect(io.load(file('tampered'))).rejects.toMatchObject({ code: 'ERR_FILE_FORMAT' })
  })
})

describe('arguments', () => {
  it.each([undefined, null, 5, 'model', {}, [], nn.Linear])('a model must be a Module: %s', async model => {
    await expect(io.save(file('no'), model as never)).rejects.toMatchObject({ code: 'ERR_ARG_TYPE' })
    if (model !== undefined)
      await expect(io.load(file('no'), { model: model as never })).rejects.toMatchObject({ code: 'ERR_ARG_TYPE' })
  })

  it.each([{ label: [] }, { labels: 'abc' }, { notes: 5 }, { preprocessing: {} }])(
    'options are checked: %o',
    async o => {
      await expect(io.save(file('no'), new nn.ReLU(), o as never)).rejects.toMatchObject({ code: 'ERR_ARG_TYPE' })
    },
  )
})
