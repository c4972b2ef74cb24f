/** ONNX files against our own predictions, in onnxruntime-node: every op, every layer, preprocessing, what is refused. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { data, fit, io, nn, noGrad, ops, optim, predict, preprocessing, random, Tensor, tensor } from 'anneal'
import { afterAll, describe, expect, it, vi } from 'vitest'
import * as registry from '../src/ops/index.js'
import type { OpSpec } from '../src/ops/spec.js'
import * as composed from '../src/tensor/composed/index.js'
import { inputsOf, layers } from './helpers/layers.js'
import { distance, runtime, sessionOf } from './helpers/onnx.js'
import { asOne, floats, operands } from './helpers/samples.js'

const folder = mkdtempSync(join(tmpdir(), 'anneal-onnx-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const newFile = () => join(folder, `${files++}.onnx`)

type Forward = (...inputs: Tensor[]) => Tensor

class Net extends nn.Module {
  constructor(
    readonly compute: Forward,
    readonly layer: nn.Module | null = null,
  ) {
    super()
  }
  forward(...inputs: Tensor[]): Tensor {
    return this.compute(...inputs)
  }
}

const lossNames = ['crossEntropy', 'nllLoss', 'mseLoss', 'l1Loss', 'smoothL1Loss', 'huberLoss']
const lossesOfProbabilities = ['binaryCrossEntropy', 'binaryCrossEntropyWithLogits', 'multilabelSoftMarginLoss']
const unexported = [...lossNames, ...lossesOfProbabilities, 'dropout']
const found = runtime ? 'ONNX Runtime' : 'skipped: onnxruntime-node has no binary here'
const onRuntime = (title: string, tests: () => void) => describe.runIf(runtime)(`${title} (${found})`, tests)

onRuntime('every op, on its samples', () => {
  const entries = (
    Object.entries({ ...registry, ...composed }) as [keyof typeof ops, Pick<OpSpec, 'samples'>][]
  ).filter(([name]) => !unexported.includes(name))
  it.each(entries)('%s', async (name, spec) => {
    for (const [i, sample] of spec.samples().entries()) {
      const { args } = operands(sample, floats(3000 + i), Float32Array)
      const rest = args.slice(sample.x.length)
      const first = args.slice(0, sample.x.length)
      const given = first.flat().filter(arg => arg instanceof Tensor)
      const compute: Forward = (...inputs) => {
        const next = (arg: unknown): unknown => (arg instanceof Tensor ? inputs.shift() : arg)
        const again = first.map(arg => (Array.isArray(arg) ? arg.map(next) : next(arg)))
        return asOne((ops[name] as (...a: unknown[]) => unknown)(...again, ...rest))
      }
      if (given.some(t => t.size === 0)) continue // nothing to compare, and no batch
      const scalar = given[0].shape.length === 0
      const inputs = Object.fromEntries(given.map((t, k) => [`x${k}`, { shape: t.shape, dtype: t.dtype }]))
      const file = newFile()
      const exported = io.exportOnnx(file, new Net(compute), { inputs })
      if (scalar && /softmax/i.test(name)) {
        await expect(exported).rejects.toThrow(`${name}: the operand is a scalar`)
        continue
      }
      await exported
      const session = await sessionOf(file)
      const out = await session.run(Object.fromEntries(given.map((t, k) => [`x${k}`, t])))
      expect(distance(out, compute(...given).detach()), `sample ${i}`).toBeLessThan(1e-5)
    }
  })
})

/** The model's output in evaluation mode; of Flatten from the first dimension on it has no rows, as `predict` wants them. */
function inference(model: nn.Module, given: Tensor[]): Tensor {
  const restore = model.keepModes()
  const output = noGrad(() => (model.eval() as Net).forward(...given))
  restore()
  return output
}

/** Exports, and compares predictions for batches of several sizes; returns the largest difference. */
async function compare(
  model: nn.Module,
  inputs: io.ExportOnnxOptions['inputs'],
  draw: (rows: number) => Tensor[],
  rows = [1, 7, 100],
) {
  const file = newFile()
  await io.exportOnnx(file, model, { inputs })
  const session = await sessionOf(file)
  let worst = 0
  for (const count of rows) {
    const given = draw(count)
    const want = inference(model, given)
    const out = await session.run(Object.fromEntries(Object.keys(inputs).map((name, i) => [name, given[i]])))
    worst = Math.max(worst, distance(out, want))
  }
  return worst
}

onRuntime('every layer, batches of 1, 7 and 100', () => {
  it.each(Object.entries(layers))('%s', async (name, make) => {
    random.manualSeed(1)
    const layer = make()
    const { forms, make: inputs } = inputsOf(name)
    expect(await compare(layer, forms, inputs)).toBeLessThan(1e-5)
    expect(layer.training).toBe(true)
  })

  it('BatchNorm1d as it was trained, and by the batch itself', async () => {
    for (const options of [{}, { trackRunningStats: false }]) {
      const layer = new nn.BatchNorm1d(4, options)
      for (let i = 0; i < 3; i++) layer.forward(random.randn([9, 4, 2]).mul(3).add(1))
      const sizes = { x: [null, 4, 2] }
      expect(await compare(layer, sizes, rows => [random.randn([rows, 4, 2])])).toBeLessThan(1e-5)
    }
  })

  it('Linear, LayerNorm and Flatten of more dimensions', async () => {
    const model = new nn.Sequential(
      new nn.Linear(4, 6),
      new nn.LayerNorm([3, 6]),
      new nn.Flatten(),
      new nn.Linear(18, 2),
    )
    expect(await compare(model, { x: [null, 3, 4] }, rows => [random.randn([rows, 3, 4])])).toBeLessThan(1e-5)
  })
})

onRuntime('a model of several inputs', () => {
  class Mixed extends nn.Module {
    table = new nn.Embedding(5, 3)
    head = new nn.Linear(8, 2)
    factor = tensor([2, 3])
    forward(x: Tensor, codes: Tensor) {
      const rows = x.shape[0]
      const looked = this.table.forward(codes).reshape([rows, 6])
      const sums = looked.sum(1, { keepdim: true }).add(x.mean(1, { keepdim: true }))
      const wide = ops.matmul(
        x.reshape([rows, 1, 2]),
        tensor([
          [1, 0, 2, 0, 1, 0, 0, 3],
          [0, 1, 0, 2, 0, 1, 3, 0],
        ]),
      )
      return this.head
        .forward(wide.reshape([-1, 8]).add(sums).detach())
        .mul(this.factor)
        .transpose(0, 1)
        .transpose(1, 0)
    }
  }

  it('and names that nodes have too', async () => {
    const scaler = new preprocessing.StandardScaler().fit([[1], [2], [4]])
    const file = newFile()
    const model = new Net((a, b) => a.add(b).sub(b))
    await io.exportOnnx(file, model, { inputs: { output: [null, 1], Cast: [null, 1] }, preprocessing: scaler })
    const { inputNames } = await sessionOf(file)
    expect(inputNames).toEqual(['output', 'Cast'])
  })

  it('keeps their names and forms', async () => {
    const draw = (rows: number) => [
      random.randn([rows, 2]),
      tensor(
        Array.from({ length: rows }, (_, i) => [i % 5, (i + 1) % 5]),
        { dtype: 'int32' },
      ),
    ]
    const inputs = { x: [null, 2], codes: { shape: [null, 2], dtype: 'int32' as const } }
    expect(await compare(new Mixed(), inputs, draw)).toBeLessThan(1e-5)
    const session = await sessionOf(join(folder, `${files - 1}.onnx`))
    expect(session.inputNames).toEqual(['x', 'codes'])
  })
})

const NONE = Number.NaN
const table = [[1, 10, 3, 0], [2, NONE, 5, 1], [4, 60, 3, 1], [8, 10, 7, 0], [2.5, 30, 5, 1]] // biome-ignore format: rows

onRuntime('preprocessing in front', () => {
  const { ColumnTransformer, makePipeline, MinMaxScaler, OneHotEncoder, OrdinalEncoder } = preprocessing
  const { RobustScaler, SimpleImputer, StandardScaler } = preprocessing
  const infrequent = { minFrequency: 2, handleUnknown: 'infrequentIfExist' } as const
  it.each<[string, preprocessing.Transformer]>([
    ['StandardScaler', new StandardScaler()],
    ['StandardScaler without mean', new StandardScaler({ withMean: false })],
    ['MinMaxScaler', new MinMaxScaler({ featureRange: [-1, 1], clip: true })],
    ['RobustScaler', new RobustScaler()],
    ['SimpleImputer', new SimpleImputer({ strategy: 'median', addIndicator: true })],
    ['SimpleImputer of a number', makePipeline(new SimpleImputer(), new SimpleImputer({ missingValues: 3 }))],
    ['OneHotEncoder', new OneHotEncoder({ handleUnknown: 'ignore' })],
    ['OneHotEncoder without the first', new OneHotEncoder({ drop: 'first' })],
    ['OneHotEncoder with infrequent ones', new OneHotEncoder(infrequent)],
    ['OrdinalEncoder', new OrdinalEncoder({ handleUnknown: 'useEncodedValue', unknownValue: -1 })],
    ['OrdinalEncoder to int32', new OrdinalEncoder({ dtype: 'int32', encodedMissingValue: 9 })],
    ['makePipeline', makePipeline(new SimpleImputer(), new StandardScaler())],
    [
      'ColumnTransformer',
      new ColumnTransformer(
        [
          ['a', new StandardScaler(), [0, 1]],
          ['b', new OneHotEncoder(), [2]],
        ],
        { remainder: 'passthrough' },
      ),
    ],
  ])('%s', async (_, transformer) => {
    transformer.fit(table)
    const columns = transformer.getFeatureNamesOut().length
    const model = new Net(x => (x.dtype === 'int32' ? x : x.mul(1)))
    const file = newFile()
    await io.exportOnnx(file, model, { inputs: { x: [null, 4] }, preprocessing: transformer })
    const unknown = /ignore|Ordinal.*r$|infrequent/.test(_) ? [[3, 10, 4, 0]] : []
    const rows = [...table, ...table.slice(0, 2), ...unknown]
    const out = await (await sessionOf(file)).run({ x: tensor(rows) })
    const want = transformer.transform(tensor(rows))
    expect(out.shape).toEqual([rows.length, columns])
    expect(out.data).toEqual(want.data)
  })

  it('and a model behind', async () => {
    const scaler = new StandardScaler().fit([[1, 1000], [2, 3000], [4, 2000]]) // biome-ignore format: rows
    const model = new nn.Sequential(new nn.Linear(2, 5), new nn.Tanh(), new nn.Linear(5, 3))
    const file = newFile()
    await io.exportOnnx(file, model, { inputs: { row: [null, 2] }, preprocessing: scaler })
    const X = tensor([[1.5, 1500], [3, 900]]) // biome-ignore format: rows
    const out = await (await sessionOf(file)).run({ row: X })
    expect(distance(out, await predict(model, scaler.transform(X)))).toBeLessThan(1e-5)
  })
})

describe('what ONNX cannot express is refused by op and reason', () => {
  const refused = async (compute: Forward, message: string, code = 'ERR_STATE') => {
    const file = newFile()
    const exported = io.exportOnnx(file, new Net(compute), { inputs: { x: [null, 4] } })
    await expect(exported).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
    expect(existsSync(file)).toBe(false)
  }

  it.each<[string, Forward, string]>([
    ['values that the model reads', x => x.mul((x.data as Float32Array)[0]), 'the model reads values while it computes'],
    ['random numbers', x => ops.dropout(x), 'dropout: it drops elements in evaluation too'],
    ['a loss', x => ops.mseLoss(x, x), 'mseLoss: a loss is no part of a prediction'],
    ['a number that follows the batch', x => x.mul(x.shape[0]), 'mul: a constant is 7 for 7 rows and 11 for 11'],
    ['other ops for other batches', x => (x.shape[0] > 8 ? x.relu() : x.tanh()), 'model: an op is "tanh" for 7 rows and "relu" for 11'],
    ['an op more for larger batches', x => (x.shape[0] > 8 ? x.relu() : x), 'model: an op is'],
    ['two sizes that follow the batch', x => ops.matmul(x, x.transpose(0, 1)).reshape([x.shape[0], 1, x.shape[0]]), 'reshape: several sizes'],
    ['an option that follows the batch', x => x.leakyRelu({ negativeSlope: 1 / x.shape[0] }), 'leakyRelu: its LeakyRelu is'],
    ['noise of the model', x => x.add(random.randn([4])), 'add: a constant is'],
    ['a tensor of the batch’s size', x => x.add(tensor(new Float32Array(x.shape[0]), { shape: [x.shape[0], 1] })), 'add: a constant is "constant: float32 [7, 1]" for 7 rows'],
  ])('%s', (_, compute, message) => refused(compute, message)) // biome-ignore format: a table

  it('a tensor that was kept from an earlier run', async () => {
    let kept: Tensor | null = null
    await refused(x => {
      kept ??= x.relu().sum(0)
      return x.add(kept)
    }, 'the model keeps a tensor of an earlier run')
  })

  it('categories of text', async () => {
    const encoder = new preprocessing.OneHotEncoder().fit([['a'], ['b']])
    const exported = io.exportOnnx(newFile(), new Net(x => x), { inputs: { x: [null, 1] }, preprocessing: encoder })
    await expect(exported).rejects.toThrow('OneHotEncoder: categories of column 0 that are no numbers')
  })

  it('an input that nothing reads, shapes that do not fit, other arguments', async () => {
    const model = new nn.Sequential(new nn.Linear(4, 2))
    const scaler = new preprocessing.StandardScaler()
    const failing = (options: object, path = newFile()) => expect(io.exportOnnx(path, model, options as never)).rejects
    await failing({ inputs: { x: [null, 4], y: [null] } }).toThrow('inputs.y to be read by the model')
    await failing({ inputs: { x: [null, 3] } }).toThrow('x.shape[1] to equal inFeatures (4) but received 3')
    await failing({ inputs: {} }).toThrow('inputs to have at least one')
    await failing({ inputs: [[null, 4]] }).toThrow('inputs to be an object')
    await failing({ inputs: { x: 4 } }).toThrow('options to be an object')
    await failing({ inputs: { x: [null, 4.5] } }).toThrow('inputs.x[1], if not null, to be an integer')
    await failing({ inputs: { x: { shape: [4], dtype: 'f32' } } }).toThrow("'float32' or 'int32'")
    await failing({ inputs: { x: [null, 4] }, preprocessing: scaler }).toThrow('fit to be called first')
    await failing({ inputs: { x: [null, 4] }, preprocessing: scaler.fit([[1, 2]]) }).toThrow(
      'float32 [null, 2] as in fit',
    )
    await failing({ inputs: { x: [null, 4] } }, '').toThrow('path to be a path')
  })
})

onRuntime('a model that a fit trains', () => {
  it('is exported as the fit published it, under its names', async () => {
    random.manualSeed(2)
    const model = new nn.Sequential(new nn.Linear(4, 3))
    const x = random.randn([5, 4])
    const published = [await predict(model, x)]
    const train = new data.DataLoader(new data.TensorDataset(random.randn([256, 4]), random.randn([256, 3])))
    const ending = new AbortController()
    const running = fit(model, {
      ...{ train, loss: new nn.MSELoss(), optimizer: new optim.SGD(model.parameters(), { lr: 0.01 }), epochs: 100_000 },
      onEpochEnd: () => void published.push(noGrad(() => model.forward(x))),
      signal: ending.signal,
    })
    const file = newFile()
    await io.exportOnnx(file, model, { inputs: { x: [null, 4] } })
    ending.abort()
    await expect(running).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    const out = await (await sessionOf(file)).run({ x })
    expect(Math.min(...published.map(want => distance(out, want)))).toBeLessThan(1e-6)
    expect(readFileSync(file, 'latin1')).toContain('0.weight')
  })
})

onRuntime('tensors that share their values', () => {
  it('are one value of the graph', async () => {
    const model = new Net(x => {
      const halves = x.relu().reshape([-1, 2, 2])
      return halves.detach().add(halves).reshape([x.shape[0], 4]).detach()
    })
    expect(await compare(model, { x: [null, 4] }, rows => [random.randn([rows, 4])])).toBeLessThan(1e-5)
  })
})

it('without protobufjs the error says how to install it, and no file is written', async () => {
  vi.resetModules()
  vi.doMock('protobufjs/light.js', () => {
    throw new Error('Cannot find package')
  })
  const fresh = await import('anneal')
  const file = newFile()
  const exported = fresh.io.exportOnnx(file, new fresh.nn.ReLU(), { inputs: { x: [null] } })
  await expect(exported).rejects.toMatchObject({
    code: 'ERR_MISSING_PACKAGE',
    message: expect.stringContaining('npm install protobufjs'),
  })
  expect(existsSync(file)).toBe(false)
  vi.doUnmock('protobufjs/light.js')
})

onRuntime('a model that keeps results', () => {
  it('is exported as it is, and has none of the export afterwards', async () => {
    class Cached extends nn.Module {
      scale: Tensor | null = null
      forward(x: Tensor) {
        this.scale ??= tensor([1, 2, 3, 4]).mul(2)
        return x.mul(this.scale)
      }
    }
    const model = new Cached()
    expect(await compare(model, { x: [null, 4] }, rows => [random.randn([rows, 4])])).toBeLessThan(1e-5)
    expect(model.scale?.toArray()).toEqual([2, 4, 6, 8])
  })
})

it('the model keeps its mode and weights, and names are those of the state dict', async () => {
  const model = new nn.Sequential(new nn.Linear(4, 2), new nn.Dropout())
  model.namedChildren()[1][1].eval()
  const before = JSON.stringify(model.stateDict())
  const file = newFile()
  await io.exportOnnx(file, model, { inputs: { x: [null, 4] } })
  expect(model.modules().map(({ training }) => training)).toEqual([true, true, false])
  expect(JSON.stringify(model.stateDict())).toBe(before)
  expect(readFileSync(file, 'latin1')).toContain('0.weight')
})
