/** Data sets that are read in parts: rows, batches and trainings, against the same rows in memory. */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { callbacks, data, evaluate, fit, nn, optim, preprocessing, random, type Tensor, tensor } from 'anneal'
import { afterAll, describe, expect, it } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'anneal-stream-'))
afterAll(() => rmSync(folder, { recursive: true }))

const ROWS = 1000
const X = Float32Array.from({ length: 2 * ROWS }, (_, i) => Math.fround(Math.sin(i) * 3))
const labels = Int32Array.from({ length: ROWS }, (_, i) => i % 3)
const csv = (from: number, to: number) =>
  `a,b,y\n${Array.from({ length: to - from }, (_, i) => `${X[2 * (from + i)]},${X[2 * (from + i) + 1]},${labels[from + i]}\n`).join('')}`
const path = join(folder, 'all.csv')
writeFileSync(path, csv(0, ROWS))
const parts = join(folder, 'parts')
mkdirSync(parts)
for (const [name, from, to] of [
  ['1.csv', 0, 300],
  ['2.csv', 300, 301],
  ['3.csv', 301, ROWS],
] as const)
  writeFileSync(join(parts, name), csv(from, to))

const columns = { inputs: ['a', 'b'], target: 'y' }
const resident = new data.TensorDataset(tensor(X, { shape: [ROWS, 2] }), tensor(labels))

async function batches(loader: data.DataLoader): Promise<number[][]> {
  const all: number[][] = []
  for await (const tensors of loader) all.push(tensors.flatMap(t => [...t.data]))
  return all
}

describe('one part', () => {
  it.each([{ shuffle: false }, { shuffle: true }, { shuffle: true, dropLast: true }, { shuffle: true, own: true }])(
    'the batches of a TensorDataset: %j',
    async ({ own, ...options }) => {
      const stream = await data.streamTable(path, columns)
      expect(stream.length).toBe(ROWS)
      const loaders = [resident, stream].map(
        set =>
          new data.DataLoader(set, { batchSize: 64, ...options, ...(own && { generator: new random.Generator(5) }) }),
      )
      random.manualSeed(3)
      const want = [await batches(loaders[0]), await batches(loaders[0])]
      random.manualSeed(3)
      expect([await batches(loaders[1]), await batches(loaders[1])]).toEqual(want)
      expect(loaders[1].length).toBe(want[0].length)
    },
  )
})

describe('several parts', () => {
  it.each([64, 100, 127, 250, 999])('of %i rows: every row once, within its part or the next', async partRows => {
    const stream = await data.streamTable(path, { ...columns, partRows, rows: ROWS })
    for (const [batchSize, dropLast] of [
      [64, false],
      [33, true],
      [1, false],
    ] as const) {
      const loader = new data.DataLoader(stream, { batchSize, dropLast, shuffle: true })
      random.manualSeed(1)
      const all: Tensor[][] = []
      for await (const tensors of loader) all.push(tensors)
      expect(all.length).toBe(loader.length)
      const sizes = all.map(([x]) => x.shape[0])
      expect(sizes.slice(0, -1).every(size => size === batchSize)).toBe(true)
      const rowOf = new Map(Array.from({ length: ROWS }, (_, i) => [`${X[2 * i]},${X[2 * i + 1]},${labels[i]}`, i]))
      const rows = all.flatMap(([x, y]) =>
        Array.from(y.data, (label, i) => rowOf.get(`${x.data[2 * i]},${x.data[2 * i + 1]},${label}`)!),
      )
      expect(new Set(rows).size).toBe(dropLast ? ROWS - (ROWS % batchSize) : ROWS)
      rows.forEach(
        (row, place) =>
          void expect(Math.abs(Math.floor(row / partRows) - Math.floor(place / partRows))).toBeLessThanOrEqual(1),
      )
      expect(rows).not.toEqual([...rows].sort((a, b) => a - b))
    }
  })

  it('without shuffling: the rows in their order, batches across parts and files', async () => {
    const want = await batches(new data.DataLoader(resident, { batchSize: 64 }))
    const makers: (() => Promise<data.StreamTable>)[] = [
      () => data.streamTable(parts, { ...columns, partRows: 100 }),
      () =>
        data.streamTable(
          ['1.csv', '2.csv', '3.csv'].map(name => join(parts, name)),
          { ...columns, partRows: 77 },
        ),
      () =>
        data.streamTable(
          async function* () {
            for (let at = 0; at < ROWS; at += 130)
              yield {
                a: X.filter((_, i) => i % 2 === 0).slice(at, at + 130),
                b: X.filter((_, i) => i % 2 === 1).slice(at, at + 130),
                y: labels.slice(at, at + 130),
              }
          },
          { ...columns, partRows: 90 },
        ),
    ]
    for (const make of makers) {
      const loader = new data.DataLoader(await make(), { batchSize: 64 })
      expect(await batches(loader)).toEqual(want)
      expect(await batches(loader)).toEqual(want)
    }
  })
})

const network = () => {
  random.manualSeed(0)
  return new nn.Sequential(new nn.Linear(2, 16), new nn.ReLU(), new nn.Dropout({ p: 0.1 }), new nn.Linear(16, 3))
}

async function trained(train: data.DataLoader, test: data.DataLoader) {
  const model = network()
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 })
  const loss = new nn.CrossEntropyLoss()
  const history = await fit(model, { train, test, loss, optimizer, epochs: 3 })
  return { model, history, evaluation: await evaluate(model, test, loss) }
}

describe('fit', () => {
  it('a set of one part gives the weights and the history of a TensorDataset', async () => {
    const stream = await data.streamTable(path, columns)
    const results = []
    for (const set of [resident, stream]) {
      const loader = (shuffle: boolean) => new data.DataLoader(set, { batchSize: 64, shuffle })
      results.push(await trained(loader(true), loader(false)))
    }
    const [want, got] = results
    expect(got.model.parameters().map(p => [...p.data])).toEqual(want.model.parameters().map(p => [...p.data]))
    const { engine: _, engineReason, ...history } = got.history
    expect(want.history).toMatchObject(history)
    expect(got.evaluation).toEqual(want.evaluation)
    expect([got.history.engine, engineReason]).toEqual(['plan', undefined])
  })

  it('several parts train as the explicit loop over the same batches', async () => {
    const stream = await data.streamTable(path, { ...columns, partRows: 150 })
    const loader = () => new data.DataLoader(stream, { batchSize: 64, shuffle: true })
    const model = network()
    const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 })
    const loss = new nn.CrossEntropyLoss()
    model.train()
    const losses: number[] = []
    for (let epoch = 0; epoch < 3; epoch++) {
      let [sum, count] = [0, 0]
      for await (const [x, y] of loader()) {
        optimizer.zeroGrad()
        const value = loss.forward(model.forward(x), y)
        value.backward()
        optimizer.step()
        sum += value.item()
        count++
      }
      losses.push(sum / count)
    }
    const again = network()
    const history = await fit(again, {
      train: loader(),
      loss: new nn.CrossEntropyLoss(),
      optimizer: new optim.Adam(again.parameters(), { lr: 0.01 }),
      epochs: 3,
    })
    expect(history.trainLoss).toEqual(losses)
    expect(again.parameters().map(p => [...p.data])).toEqual(model.parameters().map(p => [...p.data]))
  })

  it('a scaler that learned from the stream is its transform', async () => {
    const scaler = new preprocessing.StandardScaler()
    const raw = await data.streamTable(path, columns)
    for await (const table of raw.tables()) scaler.partialFit(table.select(['a', 'b']))
    const stream = await data.streamTable(path, { ...columns, transform: scaler, rows: raw.length })
    const [[x]] = [(await stream.parts().next()).value as Tensor[]]
    const want = scaler.transform(tensor(X, { shape: [ROWS, 2] })) as Tensor
    x.data.forEach((value, i) => void expect(Math.abs(value - want.data[i])).toBeLessThan(1e-5))
  })
})

/** A layer that reads values, which no plan can do. */
class Peeking extends nn.Identity {
  override forward(x: Tensor) {
    x.data.at(0)
    return x
  }
}

describe('resume', () => {
  it.each(['plan', 'eager'])('from any checkpoint, in the middle of a part too: %s', async engine => {
    const stream = await data.streamTable(path, { ...columns, partRows: 150 })
    const run = async (options: object) => {
      random.manualSeed(0)
      const more = engine === 'eager' ? [new Peeking()] : []
      const model = new nn.Sequential(new nn.Linear(2, 8), new nn.ReLU(), ...more, new nn.Linear(8, 3))
      const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 })
      const train = new data.DataLoader(stream, { batchSize: 64, shuffle: true })
      const history = await fit(model, { train, loss: new nn.CrossEntropyLoss(), optimizer, epochs: 2, ...options })
      expect(history.engine).toBe(engine)
      return { weights: model.parameters().map(p => [...p.data]), trainLoss: history.trainLoss }
    }
    const dir = join(folder, engine)
    const want = await run({})
    const keeping = (dir: string) => ({ callbacks: [callbacks.checkpoint({ dir, everySteps: 5, keep: 100 })] })
    expect(await run(keeping(dir))).toEqual(want)
    const files = readdirSync(dir)
    expect(files.length).toBeGreaterThan(4)
    for (const [i, file] of files.entries()) {
      const alone = join(folder, `${engine}-${i}`)
      mkdirSync(alone)
      copyFileSync(join(dir, file), join(alone, file))
      expect(await run({ ...keeping(alone), resume: alone }), file).toEqual(want)
    }
  })
})

describe('resume from an offset', () => {
  it.each(['plan', 'eager'])('reads nothing of what lies before the part: %s', async engine => {
    const many = 30_000
    const lines = Array.from({ length: many }, (_, i) => `${X[(2 * i) % (2 * ROWS)]},${i / 8},${i % 3}`)
    const dir = join(folder, `offset-${engine}`)
    mkdirSync(dir)
    const file = join(dir, 'many.csv')
    writeFileSync(file, `\ufeffa,b,y\n${lines.join('\n')}\n`)
    const run = async (options: object) => {
      random.manualSeed(0)
      const stream = await data.streamTable(file, { ...columns, partRows: 4000, rows: many })
      const more = engine === 'eager' ? [new Peeking()] : []
      const model = new nn.Sequential(new nn.Linear(2, 8), new nn.ReLU(), ...more, new nn.Linear(8, 3))
      const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 })
      const train = new data.DataLoader(stream, { batchSize: 300, shuffle: true })
      const history = await fit(model, { train, loss: new nn.CrossEntropyLoss(), optimizer, epochs: 1, ...options })
      expect(history.engine).toBe(engine)
      return { weights: model.parameters().map(p => [...p.data]), trainLoss: history.trainLoss }
    }
    const saved = join(dir, 'saved')
    const keeping = (into: string) => ({ callbacks: [callbacks.checkpoint({ dir: into, everySteps: 88, keep: 100 })] })
    const want = await run(keeping(saved))
    const [first] = readdirSync(saved).sort()
    const alone = join(dir, 'alone')
    mkdirSync(alone)
    copyFileSync(join(saved, first), join(alone, first))
    // Step 88 is in the part that begins with row 24,000; the one before it, from 20,000 on, leaves rows over.
    const text = readFileSync(file)
    const at = text.indexOf(lines[16_500])
    text.fill('x', at, text.indexOf(lines[16_600]))
    writeFileSync(file, text)
    expect(await run({ ...keeping(alone), resume: alone })).toEqual(want)
    await expect(run({})).rejects.toThrow(/many.csv, line 165/)
  })
})

describe('what it refuses', () => {
  it('options, sources, other rows than at first', async () => {
    await expect(data.streamTable(path, { ...columns, inputs: [] })).rejects.toMatchObject({ code: 'ERR_ARG_TYPE' })
    await expect(data.streamTable(path, { ...columns, inputs: ['z'] })).rejects.toMatchObject({ code: 'ERR_ARG_VALUE' })
    await expect(data.streamTable(path, { ...columns, partRows: 0 })).rejects.toMatchObject({ code: 'ERR_ARG_VALUE' })
    await expect(data.streamTable(path, { ...columns, part: 1 } as never)).rejects.toMatchObject({
      code: 'ERR_ARG_TYPE',
    })
    await expect(data.streamTable(3 as never, columns)).rejects.toMatchObject({ code: 'ERR_ARG_TYPE' })
    await expect(data.streamTable('/nowhere.csv', columns)).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(data.streamTable(() => [], columns)).rejects.toMatchObject({ code: 'ERR_EMPTY' })
    for (const rows of [ROWS - 1, ROWS + 1]) {
      const stream = await data.streamTable(path, { ...columns, rows })
      await expect(batches(new data.DataLoader(stream))).rejects.toMatchObject({ code: 'ERR_STATE' })
    }
  })

  it('access to single rows, for without await, batches larger than a part', async () => {
    const stream = await data.streamTable(path, { ...columns, partRows: 10 })
    expect(() => stream.get()).toThrow(expect.objectContaining({ code: 'ERR_STATE' }))
    expect(() => [...new data.DataLoader(stream)]).toThrow(expect.objectContaining({ code: 'ERR_STATE' }))
    expect(() => new data.DataLoader(stream, { batchSize: 11 })).toThrow(
      expect.objectContaining({ code: 'ERR_ARG_VALUE' }),
    )
  })

  it('a broken row in a later part, with its place', async () => {
    const broken = join(folder, 'broken.csv')
    writeFileSync(broken, `${csv(0, ROWS)}${'1,2,0\n'.repeat(30_000)}1,2\n`)
    const stream = await data.streamTable(broken, { ...columns, partRows: 100, rows: ROWS + 30_001 })
    await expect(batches(new data.DataLoader(stream))).rejects.toThrow(
      `broken.csv, line ${ROWS + 30_002}: expected 3 cells`,
    )
  })
})
