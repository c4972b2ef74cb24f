/** Event files: the bytes of TensorBoard's own writer, and what its own reader makes of a run where a Python has it. */

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { histogramOf, summaryEvent, versionEvent } from '../src/callbacks/event_file.js'
import { callbacks, data, fit, nn, optim, random, type Tensor } from '../src/index.js'
import { golden } from './helpers/golden.js'

const folder = mkdtempSync(join(tmpdir(), 'anneal-tensorboard-'))
afterAll(() => rmSync(folder, { recursive: true }))

class Net extends nn.Module {
  fc1 = new nn.Linear(2, 8)
  fc2 = new nn.Linear(8, 3)
  forward(x: Tensor) {
    return this.fc2.forward(this.fc1.forward(x).relu())
  }
}

async function train(logDir: string, more: Partial<callbacks.TensorBoardOptions> = {}) {
  random.manualSeed(0)
  const { X, y } = data.qwerty()
  const dataset = new data.TensorDataset(X, y)
  const train = new data.DataLoader(dataset, { batchSize: 64, shuffle: true })
  const test = new data.DataLoader(dataset, { batchSize: 64 })
  const model = new Net()
  const groups = [{ params: model.fc1.parameters(), lr: 0.1 }, { params: model.fc2.parameters() }]
  const optimizer = new optim.SGD(groups, { lr: 0.05 })
  const callback = callbacks.tensorBoard({ logDir, ...more })
  const loss = new nn.CrossEntropyLoss()
  const history = await fit(model, { train, test, loss, optimizer, epochs: 4, callbacks: [callback] })
  return { history, model }
}

describe('the format', () => {
  it("is that of TensorBoard's own writer, byte for byte", () => {
    const { version, summary } = golden('tensorboard.json')
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
    expect(hex(versionEvent(1234.5))).toBe(version)
    const histogram = {
      ...{ min: -1.5, max: 2.5, count: 4, sum: 3.25, sumOfSquares: 10.5 },
      ...{ limits: [-0.5, 0.5, 1.5, 2.5], counts: [1, 0, 1, 2] },
    }
    const values = [
      { tag: 'loss/train', scalar: 0.1 },
      { tag: 'fc1.weight', histogram },
    ]
    expect(hex(summaryEvent(1234.5, 300, values))).toBe(summary)
  })

  it('a histogram counts every finite value once, in buckets that end at the largest', () => {
    const counted = histogramOf([-1, 0, 0.5, 1, NaN, Infinity], 4)!
    expect(counted).toMatchObject({ min: -1, max: 1, count: 4, sum: 0.5, sumOfSquares: 2.25 })
    expect(counted.limits).toEqual([-0.5, 0, 0.5, 1])
    expect(counted.counts).toEqual([1, 0, 1, 2])
    expect(histogramOf([3, 3], 2)!.counts).toEqual([2, 0])
    expect(histogramOf([NaN])).toBeNull()
  })
})

describe('tensorBoard', () => {
  it('begins a file per run and only watches unless it writes histograms', async () => {
    const logDir = join(folder, 'twice')
    await train(logDir)
    await train(logDir)
    const files = readdirSync(logDir)
    expect(files).toHaveLength(2)
    for (const file of files) expect(file).toMatch(/^events\.out\.tfevents\.\d{10}\./)
    // A version and four epochs, each record 16 bytes longer than its data.
    const bytes = readFileSync(join(logDir, files[0]))
    let [at, records] = [0, 0]
    for (; at < bytes.length; records++) at += 16 + Number(bytes.readBigUInt64LE(at))
    expect([at, records]).toEqual([bytes.length, 5])
    expect(callbacks.tensorBoard({ logDir }).watchOnly).toBe(true)
    expect(callbacks.tensorBoard({ logDir, histogramEvery: 1 }).watchOnly).toBe(false)
  })

  it.each([
    [{}, TypeError, /logDir to be a string but received undefined/],
    [{ logDir: 'x', histogramEvery: -1 }, RangeError, /histogramEvery to be an integer at least 0/],
    [{ logDir: 'x', every: 1 }, TypeError, /every/],
  ])('refuses %j', (options, kind, message) => {
    expect(() => callbacks.tensorBoard(options as never)).toThrow(kind)
    expect(() => callbacks.tensorBoard(options as never)).toThrow(message)
  })

  const python = process.env.ANNEAL_PYTHON ?? 'python3'
  const found = spawnSync(python, ['-c', 'import tensorboard'], { encoding: 'utf8' }).status === 0
  it.skipIf(!found)(
    `TensorBoard's own reader gives the history back (${found ? 'found' : 'skipped: no Python has it'})`,
    async () => {
      const logDir = join(folder, 'read')
      const { history, model } = await train(logDir, { histogramEvery: 2 })
      const script = join(import.meta.dirname, 'golden', 'make_tensorboard.py')
      const { scalars, histograms } = JSON.parse(execFileSync(python, [script, 'read', logDir], { encoding: 'utf8' }))
      const steps = (values: number[]) => values.map((value, i) => [i + 1, Math.fround(value)])
      expect(scalars).toEqual({
        'loss/train': steps(history.trainLoss),
        'loss/test': steps(history.testLoss!),
        'accuracy/train': steps(history.trainAcc!),
        'accuracy/test': steps(history.testAcc!),
        'lr/0': steps([0.1, 0.1, 0.1, 0.1]),
        'lr/1': steps([0.05, 0.05, 0.05, 0.05]),
      })
      const sizes = model.namedParameters().map(([name, { size }]) => [name, [2, 4].map(step => [step, size, size])])
      expect(histograms).toEqual(Object.fromEntries(sizes))
    },
  )
})
