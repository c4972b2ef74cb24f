/**
 * `data.column`: bytes and halves that become float32 in the batches. Whatever trains, predicts or splits, its bits are those
 * of the tensor that is widened beforehand.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { data, evaluate, fit, nn, optim, predict, random, sweep, type Tensor, tensor } from 'anneal'
import { describe, expect, it } from 'vitest'
import { float16ToNumber } from '../src/base/float16.js'
import { addon } from '../src/native/addon.js'
import { isNative } from '../src/native/memory.js'
import { poolCounts } from '../src/plan/pool.js'
import { explicitLoop, type Job, mlp, stateOf } from './helpers/training.js'

const SCALE = 1 / 255
const kinds = ['uint8', 'float16'] as const
type Kind = (typeof kinds)[number]

/** Random bytes, or the bits of halves that are finite. */
function codes(kind: Kind, length: number, seed = 3): Uint8Array | Uint16Array {
  const values = random.randint(0, 256, [length], { generator: new random.Generator(seed) }).data
  if (kind === 'uint8') return Uint8Array.from(values)
  return Uint16Array.from(values, (v, i) => ((v & 128) << 8) | (0x2c00 + ((v * 67 + i) & 0xfff)))
}

const narrow = (kind: Kind, shape: number[], seed?: number, scale = SCALE) =>
  data.column(
    codes(
      kind,
      shape.reduce((a, b) => a * b),
      seed,
    ) as Uint16Array,
    { shape, scale, dtype: kind },
  )

/** The float32 tensor that a column stands for, value by value. */
function widened(column: data.NarrowColumn): Tensor<'float32'> {
  const number = column.dtype === 'uint8' ? (byte: number) => byte : float16ToNumber
  const scale = Math.fround(column.scale)
  return tensor(
    Float32Array.from(column.data, code => number(code) * scale),
    { shape: column.shape },
  )
}

const labels = (rows: number, classes: number) =>
  Int32Array.from({ length: rows }, (_, i) => (i * 7 + (i >> 3)) % classes)

describe('values', () => {
  it.each(kinds)('are the scaled %s, rounded once, in samples, batches and parts', kind => {
    const column = narrow(kind, [9, 5, 3])
    const set = new data.TensorDataset(column, tensor(labels(9, 3)))
    const plain = new data.TensorDataset(widened(column), tensor(labels(9, 3)))
    expect(set.get(4)[0]).toMatchObject({ dtype: 'float32', shape: [5, 3] })
    for (const [i, at] of [0, 4, 8].entries()) expect(set.get(at), `${i}`).toEqual(plain.get(at))
    const rows = Int32Array.of(8, 0, 0, 5)
    expect(set.batch(rows)).toEqual(plain.batch(rows))
    expect(column.toTensor()).toEqual(widened(column))
    expect(column.toTensor(2, 5).data).toEqual(widened(column).data.subarray(30, 75))
  })

  it('are those of the kernels, every byte and every half', () => {
    const all = {
      uint8: Uint8Array.from({ length: 256 }, (_, i) => i),
      float16: Uint16Array.from({ length: 2 ** 16 }, (_, i) => i),
    }
    for (const scale of [1, SCALE, -3, 1e38, 1e-44]) {
      for (const kind of kinds) {
        const column = data.column(all[kind] as Uint16Array, { dtype: kind, scale })
        const [rows, x] = [column.size, new Float32Array(column.size)]
        const call = { order: Int32Array.from({ length: rows }, (_, i) => i), x, rows, k: 1, m: rows, scale }
        if (kind === 'uint8') addon.kernels.gather_rows_bytes({ data: all.uint8, ...call })
        else addon.kernels.gather_rows_halves({ data: all.float16, ...call })
        expect(column.toTensor().data).toEqual(x)
      }
    }
    const known = [0x3c00, 0xc000, 0x7bff, 0x0001, 0x8000, 0x7c00, 0x7e00]
    const column = data.column(Uint16Array.from(known), { dtype: 'float16' })
    expect([...column.toTensor().data]).toEqual([1, -2, 65504, 2 ** -24, -0, Infinity, NaN])
  })

  it('come from what holds bytes or halves', () => {
    expect(
      data
        .column(Buffer.from([1, 2]).subarray(1), { scale: 0.5 })
        .toTensor()
        .toArray(),
    ).toEqual([1])
    expect(data.column(Uint8ClampedArray.of(7)).dtype).toBe('uint8')
    const { Float16Array } = globalThis as { Float16Array?: { from(values: number[]): never } }
    if (Float16Array)
      expect(
        data
          .column(Float16Array.from([1.5, -2]))
          .toTensor()
          .toArray(),
      ).toEqual([1.5, -2])
    const shared = new Uint8Array(new SharedArrayBuffer(2)).fill(3)
    expect(data.column(shared).toTensor().toArray()).toEqual([3, 3])
    expect(data.column(new Uint8Array(0), { shape: [0, 784] }).toTensor().shape).toEqual([0, 784])
  })

  it('are copied once, and lie where plans read them if there are many', () => {
    const bytes = codes('uint8', 2 ** 20)
    const column = data.column(bytes as Uint8Array)
    bytes.fill(0)
    expect(column.data.some(byte => byte > 0)).toBe(true)
    expect(isNative(column.data)).toBe(true)
    expect(isNative(narrow('uint8', [100]).data)).toBe(false)
  })
})

it('refuses what is no such column', () => {
  const bytes = new Uint8Array(6)
  const detached = new Uint8Array(4)
  structuredClone(detached.buffer, { transfer: [detached.buffer] })
  const cases: [unknown, object | undefined, string, string][] = [
    [[1, 2], undefined, 'ERR_ARG_TYPE', 'column: expected values to be a Uint8Array'],
    [new Float32Array(2), undefined, 'ERR_ARG_TYPE', 'but received'],
    [new Uint16Array(2), undefined, 'ERR_ARG_TYPE', "a Uint16Array of float16's bits with dtype: 'float16'"],
    [new Uint16Array(2), { dtype: 'uint8' }, 'ERR_ARG_TYPE', "with dtype: 'float16'"],
    [bytes, { dtype: 'float16' }, 'ERR_ARG_VALUE', "dtype to be 'uint8', as values are"],
    [bytes, { dtype: 'int8' }, 'ERR_ARG_TYPE', "dtype to be 'uint8' or 'float16'"],
    [detached, undefined, 'ERR_DETACHED', 'transferred'],
    [bytes, { shape: [4, 2] }, 'ERR_SHAPE', '8 values for shape [4, 2] but received 6'],
    [bytes, { shape: [] }, 'ERR_SHAPE', 'at least one dimension'],
    [bytes, { shape: [-1, -6] }, 'ERR_ARG_VALUE', 'shape[0]'],
    [bytes, { shape: 6 }, 'ERR_ARG_TYPE', 'shape to be an array'],
    [bytes, { scale: 0 }, 'ERR_ARG_VALUE', 'neither 0 nor infinite'],
    [bytes, { scale: 1e-60 }, 'ERR_ARG_VALUE', 'neither 0 nor infinite'],
    [bytes, { scale: 1e39 }, 'ERR_ARG_VALUE', 'neither 0 nor infinite'],
    [bytes, { scale: NaN }, 'ERR_ARG_VALUE', 'scale to be a finite number'],
    [bytes, { scale: '1' }, 'ERR_ARG_TYPE', 'scale to be a number'],
    [bytes, { sclae: 1 }, 'ERR_ARG_TYPE', 'did you mean scale?'],
    [bytes, null as never, 'ERR_ARG_TYPE', 'options'],
  ]
  for (const [values, options, code, text] of cases) {
    const call = () => data.column(values as never, options as never)
    expect(call, text).toThrow(expect.objectContaining({ code, message: expect.stringContaining(text) }))
  }
  const column = data.column(bytes, { shape: [3, 2] })
  expect(() => column.toTensor(0, 4)).toThrow(RangeError)
  expect(() => column.toTensor(2, 1)).toThrow(RangeError)
  expect(() => new data.TensorDataset(column, tensor([1, 2]))).toThrow('tensors[1] to have 3 rows')
  expect(() => new data.TensorDataset(bytes as never)).toThrow('a Tensor or a data.column')
})

// ---- Training -------------------------------------------------------------------------------------------------------

interface Case {
  readonly widths: readonly number[]
  readonly rows: number
  readonly batchSize: number
}
/** Samples as lanes; panels; many panels and rows that end within one, in place. */
const nets: readonly Case[] = [
  { widths: [2, 8, 3], rows: 70, batchSize: 32 },
  { widths: [64, 32, 10], rows: 90, batchSize: 32 },
  { widths: [789, 128, 10], rows: 1400, batchSize: 128 },
]

function jobOf({ widths, rows, batchSize }: Case, columnOf: (shape: number[], seed: number) => data.DataColumn): Job {
  random.manualSeed(3)
  const model = mlp(widths)
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.05, momentum: 0.9 })
  const set = (count: number, seed: number) => {
    return new data.TensorDataset(columnOf([count, widths[0]], seed), tensor(labels(count, widths[2])))
  }
  const train = new data.DataLoader(set(rows, 3), { batchSize, shuffle: true })
  return {
    model,
    optimizer,
    train,
    test: new data.DataLoader(set(rows >> 1, 4), { batchSize }),
    loss: new nn.CrossEntropyLoss(),
  }
}

function run({ model, train, test, loss, optimizer }: Job, more: object = {}) {
  random.manualSeed(5)
  return fit(model, { train, test, loss, optimizer, epochs: 2, ...more })
}

describe.each(kinds)('a fit over %s', kind => {
  const column = (shape: number[], seed: number) => narrow(kind, shape, seed)
  const plain = (shape: number[], seed: number) => widened(narrow(kind, shape, seed))

  it.each(nets)('of $widths ends with the bits of float32 and of the explicit loop', async net => {
    const [job, other, loop] = [jobOf(net, column), jobOf(net, plain), jobOf(net, column)]
    const [history, wanted] = [await run(job, { threads: 1 }), await run(other, { threads: 1 })]
    expect(history).toEqual(wanted)
    expect(history.engine).toBe('plan')
    expect(stateOf(job)).toEqual(stateOf(other))
    random.manualSeed(5)
    expect(explicitLoop(loop, 2).trainLoss).toEqual(history.trainLoss)
    expect(stateOf(loop)).toEqual(stateOf(job))
    const threaded = jobOf(net, column)
    await run(threaded, { threads: 2 })
    expect(stateOf(threaded)).toEqual(stateOf(job))
    expect(await evaluate(job.model, job.test!, job.loss)).toEqual(await evaluate(other.model, other.test!, other.loss))
  })

  it('gathers rows where a model does something else than a product first', async () => {
    const [job, other] = [column, plain].map(make => {
      const job = jobOf(nets[1], make)
      const model = new nn.Sequential(new nn.LayerNorm([64]), new nn.Linear(64, 10))
      return { ...job, model, optimizer: new optim.Adam(model.parameters()) }
    })
    expect((await run(job)).engine).toBe('plan')
    await run(other)
    expect(stateOf(job)).toEqual(stateOf(other))
  })

  it('goes on from splits, subsets, weights and several inputs', async () => {
    class Two extends nn.Module {
      a = new nn.Linear(6, 4)
      b = new nn.Linear(20, 4)
      override forward(x: Tensor, y: Tensor): Tensor {
        return this.a.forward(x).add(this.b.forward(y)).relu()
      }
    }
    const fitted = async (make: (shape: number[], seed: number) => data.DataColumn) => {
      random.manualSeed(8)
      const model = new Two()
      const [a, b, y] = [make([60, 6], 1), make([60, 20], 2), tensor(labels(60, 4))]
      const sampleWeight = Float32Array.from({ length: 60 }, (_, i) => 1 + (i % 3))
      const set = new data.TensorDataset(a, b, y, { sampleWeight })
      const [part, rest] = data.randomSplit(set, [40, 20])
      const [XTrain, XTest] = data.trainTestSplit(b, { testSize: 0.5, randomState: 1 })
      const loss = new nn.CrossEntropyLoss()
      const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 })
      const history = await fit(model, {
        train: new data.DataLoader(new data.Subset(part, [...Array(30).keys()]), { batchSize: 7, shuffle: true }),
        test: new data.DataLoader(rest, { batchSize: 8 }),
        ...{ loss, optimizer, epochs: 2, accumulate: 2, metrics: ['f1'] },
      })
      const shown = await predict(model, [a, b], { batchSize: 16 })
      return {
        history,
        shown,
        weights: model.stateDict(),
        parts: [XTrain, XTest].map(x => new data.TensorDataset(x).get(3)),
      }
    }
    const got = await fitted(column)
    expect(got).toEqual(await fitted(plain))
    expect(got.history.engine).toBe('plan')
  })

  it('has columns as targets and as labels', async () => {
    const fitted = async (wide: boolean, loss: nn.Loss, y: data.NarrowColumn) => {
      random.manualSeed(8)
      const model = new nn.Linear(5, loss.classifies ? 4 : 1)
      const X = random.randn([40, 5])
      const train = new data.DataLoader(new data.TensorDataset(X, wide ? widened(y) : y), {
        batchSize: 16,
        shuffle: true,
      })
      const history = await fit(model, {
        train,
        test: train,
        loss,
        optimizer: new optim.SGD(model.parameters(), { lr: 0.1 }),
        epochs: 2,
      })
      return { history, weights: model.stateDict() }
    }
    const integers = (values: number[], shape = [40]) => {
      const bits = [0, 0x3c00, 0x4000, 0x4200, 0x4400]
      if (kind === 'uint8') return data.column(Uint8Array.from(values), { shape })
      return data.column(
        Uint16Array.from(values, v => bits[v]),
        { shape, dtype: 'float16' },
      )
    }
    for (const [loss, y] of [
      [new nn.MSELoss(), column([40, 1], 5)],
      [
        new nn.BCEWithLogitsLoss(),
        integers(
          [...Array(40).keys()].map(i => (i * i) % 2),
          [40, 1],
        ),
      ],
      [new nn.CrossEntropyLoss(), integers(Array.from({ length: 40 }, (_, i) => i % 4))],
      [new nn.CrossEntropyLoss({ ignoreIndex: 4 }), integers(Array.from({ length: 40 }, (_, i) => i % 5))],
    ] as const) {
      const got = await fitted(false, loss, y)
      expect(got).toEqual(await fitted(true, loss, y))
      expect(got.history.engine).toBe('plan')
    }
    const wrong = column([40], 5) // fractions
    await expect(fitted(false, new nn.CrossEntropyLoss(), wrong)).rejects.toMatchObject({ code: 'ERR_LABEL_RANGE' })
  })

  it('sees edits between fits and after callbacks, small or read in place', async () => {
    for (const net of [nets[1], nets[2]]) {
      const [job, loop] = [jobOf(net, column), jobOf(net, column)]
      const xOf = ({ train }: Job) => train.dataset.columns!()!.tensors[0] as data.NarrowColumn
      const edit = (which: Job, code: number) => void xOf(which).data.fill(code, net.widths[0], 40 * net.widths[0])
      random.manualSeed(5)
      explicitLoop(loop, 1)
      edit(loop, 0x2f)
      explicitLoop(loop, 1)
      random.manualSeed(5)
      edit(loop, 0x10)
      explicitLoop(loop, 1)
      await run(job, { onEpochEnd: ({ epoch }: { epoch: number }) => void (epoch === 1 && edit(job, 0x2f)) })
      edit(job, 0x10)
      await run(job, { epochs: 1 })
      expect(stateOf(job)).toEqual(stateOf(loop))
    }
  })

  it('refuses a column whose memory was transferred', async () => {
    const job = jobOf(nets[1], column)
    const x = job.train.dataset.columns!()!.tensors[0] as data.NarrowColumn
    structuredClone(x.data.buffer, { transfer: [x.data.buffer as ArrayBuffer] })
    const refused = { code: 'ERR_DETACHED' }
    await expect(run(job)).rejects.toMatchObject(refused)
    expect(() => [...job.train]).toThrow(expect.objectContaining(refused))
    await expect(predict(job.model, x)).rejects.toMatchObject(refused)
    expect(() => data.trainTestSplit(x)).toThrow(expect.objectContaining(refused))
  })

  it('stays as it is for as long as steps read it', async () => {
    const [alone, job] = [jobOf(nets[2], column), jobOf(nets[2], column)]
    await run(alone, { epochs: 6 })
    const running = run(job, { epochs: 6 })
    await nextTurn()
    const { buffer } = (job.train.dataset.columns!()!.tensors[0] as data.NarrowColumn).data
    ;(buffer as ArrayBuffer & { transfer?(): void }).transfer?.() // Node 22
    await running
    expect(stateOf(job)).toEqual(stateOf(alone))
  })

  it('predicts as of float32', async () => {
    const [job, net] = [jobOf(nets[2], column), nets[2]]
    const x = column([300, net.widths[0]], 6)
    for (const options of [{}, { batchSize: 64 }, { batchSize: 512 }])
      expect(await predict(job.model, x, options)).toEqual(await predict(job.model, widened(x), options))
    class Own extends nn.Module {
      layer = new nn.Linear(789, 2)
      override forward(given: Tensor): Tensor {
        return this.layer.forward(given).relu()
      }
    }
    const own = new Own()
    expect(predict.sync(own, x)).toEqual(predict.sync(own, widened(x)))
  })
})

it('a plan is taken again for the same type and scale alone', async () => {
  const net = nets[1]
  const job = (kind: Kind, scale: number) => jobOf(net, (shape, seed) => narrow(kind, shape, seed, scale))
  await run(job('uint8', 0.01))
  const { made, reused } = { ...poolCounts }
  await run(job('uint8', 0.01))
  expect(poolCounts).toEqual({ made, reused: reused + 1 })
  await run(job('uint8', 0.02))
  await run(job('float16', 0.01))
  expect(poolCounts.made).toBe(made + 2)
})

it('tells the folder of a sweep by its bytes and scale, and is nothing that a stream may give', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'anneal-column-'))
  const column = narrow('uint8', [90, 64])
  const swept = (x: data.NarrowColumn) =>
    sweep({
      train: new data.DataLoader(new data.TensorDataset(x, tensor(labels(90, 10))), { batchSize: 32 }),
      ...{ loss: new nn.CrossEntropyLoss(), epochs: 1, grid: { lr: [0.1] }, dir },
      makeModel: () => mlp(nets[1].widths),
      makeOptimizer: (model, { lr }) => new optim.SGD(model.parameters(), { lr: lr as number }),
    })
  try {
    await swept(column)
    await swept(data.column(column.data as Uint8Array, { shape: [90, 64], scale: SCALE }))
    await expect(swept(narrow('uint8', [90, 64], 3, 0.5))).rejects.toThrow('train.values')
    column.data[7]++
    await expect(swept(column)).rejects.toThrow('train.values')
  } finally {
    rmSync(dir, { recursive: true })
  }
  async function* chunks() {
    yield { a: [1, 2], y: [0, 1] }
  }
  const transform = () => narrow('uint8', [2, 1]) as never
  const stream = data.streamTable(chunks, { inputs: ['a'], target: 'y', transform })
  await expect(stream).rejects.toMatchObject({ code: 'ERR_ARG_TYPE' })
})

it('is trained on by every run of a sweep, and by the explicit loop where a model is no plan', async () => {
  const swept = (make: (shape: number[], seed: number) => data.DataColumn) => {
    const { train, test, loss } = jobOf(nets[1], make)
    return sweep({
      ...{ train, test, loss, epochs: 1, grid: { lr: [0.1, 0.01] } },
      makeModel: () => mlp(nets[1].widths),
      makeOptimizer: (model, { lr }) => new optim.SGD(model.parameters(), { lr: lr as number }),
    })
  }
  const results = await Promise.all(
    [(s: number[]) => narrow('uint8', s), (s: number[]) => widened(narrow('uint8', s))].map(swept),
  )
  const [got, wanted] = results.map(({ runs }) => runs.map(({ history }) => history.trainLoss))
  expect(got).toEqual(wanted)
  class Reads extends nn.Module {
    layer = new nn.Linear(64, 10)
    override forward(x: Tensor): Tensor {
      return this.layer.forward(x.data[0] > 1e9 ? x.neg() : x)
    }
  }
  const losses = []
  for (const make of [(s: number[]) => narrow('uint8', s), (s: number[]) => widened(narrow('uint8', s))]) {
    const job = jobOf(nets[1], make)
    random.manualSeed(1)
    const model = new Reads()
    const history = await run({ ...job, model, optimizer: new optim.SGD(model.parameters(), { lr: 0.1 }) })
    expect(history.engine).toBe('eager')
    losses.push(history.trainLoss)
  }
  expect(losses[0]).toEqual(losses[1])
})
