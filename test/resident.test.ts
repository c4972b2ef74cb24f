/**
 * Data sets as plans read them: where they lie, in memory that the library made (src/native/memory.ts), or from copies. The
 * bits are the same, edits are seen, and whatever becomes of an ArrayBuffer, no step reads memory that is gone.
 */

import { setImmediate as nextTurn } from 'node:timers/promises'
import { data, fit, nn, optim, type ProgressEvent, preprocessing, random, Tensor, tensor } from 'anneal'
import { describe, expect, it } from 'vitest'
import { isNative, newFloats } from '../src/native/memory.js'
import { outputOf } from './helpers/program.js'
import { blobs, explicitLoop, type Job, makeJob, stateOf } from './helpers/training.js'

const [ROWS, WIDTH] = [1024, 300] // 1.2 MB: read in place
const sgd = (model: nn.Module) => new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 })

const own = (rows: number, seed?: number) => blobs(rows, WIDTH, 3, seed)
/** The same rows in an array of V8's. */
function ofV8(rows: number, seed?: number): data.TensorDataset {
  const [X, y] = own(rows, seed).tensors
  return new data.TensorDataset(new Tensor(X.shape, 'float32', X.data.slice()), y)
}
const make = (dataOf: typeof own) =>
  makeJob({ optimizer: sgd, widths: [WIDTH, 16, 3], rows: ROWS, batchSize: 64, data: dataOf, withTest: true })
const SEED = 5
/** Each call draws anew from the seed. */
function run({ model, train, test, loss, optimizer }: Job, more: object = {}) {
  random.manualSeed(SEED)
  return fit(model, { train, test, loss, optimizer, epochs: 3, ...more })
}
function loopOf(job: Job, epochs: number, seeded = true) {
  if (seeded) random.manualSeed(SEED)
  return explicitLoop(job, epochs)
}
const inputsOf = ({ train }: Job) => (train.dataset as data.TensorDataset).tensors[0]

describe.each([
  ['in place', own, true],
  ['from a copy', ofV8, false],
] as const)('a set that is read %s', (_, dataOf, inPlace) => {
  it('gives the bits of the explicit loop', async () => {
    const [loop, job] = [make(dataOf), make(dataOf)]
    expect(isNative(inputsOf(job).data)).toBe(inPlace)
    const expected = loopOf(loop, 3)
    const history = await run(job)
    expect([history.engine, history.trainLoss]).toEqual(['plan', expected.trainLoss])
    expect(stateOf(job)).toEqual(stateOf(loop))
  })

  it('is seen as it is after callbacks and between fits', async () => {
    const edit = (job: Job, value = 0.25) => {
      inputsOf(job).data.fill(value, 5 * WIDTH, 200 * WIDTH)
    }
    const [loop, job] = [make(dataOf), make(dataOf)]
    loopOf(loop, 1)
    edit(loop)
    loopOf(loop, 1, false)
    loopOf(loop, 1)
    edit(loop, 0.5)
    loopOf(loop, 1)
    await run(job, { epochs: 2, onEpochEnd: ({ epoch }: { epoch: number }) => void (epoch === 1 && edit(job)) })
    await run(job, { epochs: 1 })
    edit(job, 0.5)
    await run(job, { epochs: 1 })
    expect(stateOf(job)).toEqual(stateOf(loop))
  })

  it('may be replaced by another in a callback', async () => {
    const jobs = [make(dataOf), make(dataOf)]
    const replace = (job: Job) => {
      const { tensors } = job.train.dataset as unknown as { tensors: Tensor[] }
      tensors[0] = dataOf(ROWS, 11).tensors[0]
    }
    loopOf(jobs[0], 1)
    replace(jobs[0])
    loopOf(jobs[0], 1, false)
    await run(jobs[1], {
      epochs: 2,
      onEpochEnd: ({ epoch }: { epoch: number }) => void (epoch === 1 && replace(jobs[1])),
    })
    expect(stateOf(jobs[1])).toEqual(stateOf(jobs[0]))
  })
})

describe('memory that native code may read', () => {
  it('is that of tensors, random numbers, splits, tables and transforms of a megabyte and more', () => {
    const X = random.randn([ROWS, WIDTH])
    const column = Float32Array.from({ length: 2 ** 18 }, (_, i) => i % 7)
    const table = data.tableFrom({ a: column, b: column })
    const made: [string, Tensor][] = [
      ['tensor', tensor(X.data, { shape: X.shape })],
      ['nested', tensor([Array.from(column), Array.from(column)])],
      ['randn', X],
      ['split', data.trainTestSplit(X, { trainSize: 0.9, randomState: 1 })[0] as Tensor],
      ['table', table.toTensor()],
      ['transform', new preprocessing.StandardScaler().fitTransform(X)],
    ]
    for (const [name, { data: values }] of made) expect(isNative(values), name).toBe(true)
    expect(isNative(tensor(new Float32Array(2 ** 18 - 1)).data)).toBe(false)
    expect(isNative(tensor(new Int32Array(2 ** 18)).data)).toBe(false)
  })

  it('is not taken without end by who never lets the event loop turn', async () => {
    const make = () => newFloats(2 ** 27) // 512 MB of which nothing is touched
    let count = 0
    while (isNative(make())) count++
    expect(count).toBeGreaterThan(0)
    await nextTurn()
    expect(isNative(make())).toBe(true)
  })

  it('stays for as long as steps read it, also when the buffer is transferred', async () => {
    const [alone, job] = [make(own), make(own)]
    await run(alone, { epochs: 40 })
    const running = run(job, { epochs: 40 })
    await nextTurn()
    const { buffer } = inputsOf(job).data
    const clone = () => structuredClone(buffer, { transfer: [buffer as ArrayBuffer] })
    try {
      new Float32Array(clone()).fill(7) // a copy
    } catch (error) {
      expect(error).toMatchObject({ name: 'DataCloneError' })
    }
    ;(buffer as ArrayBuffer & { transfer?(): void }).transfer?.() // Node 22; nobody has it any more
    await running
    expect(stateOf(job)).toEqual(stateOf(alone))
    if (inputsOf(job).data.length === 0) await expect(run(job)).rejects.toMatchObject({ code: 'ERR_DETACHED' })
  })
})

it('what was checked is read from copies: nobody can make a label or a probability wrong in the middle of a chunk', async () => {
  const rows = 2 ** 18
  const labels = tensor(Float32Array.from({ length: rows }, (_, i) => i % 3))
  const train = new data.DataLoader(new data.TensorDataset(random.rand([rows, 4]), labels), { batchSize: 1024 })
  const model = new nn.Linear(4, 3)
  let edited = 0
  const onProgress = ({ step, steps }: ProgressEvent) => {
    if (step === steps) return
    edited++
    labels.data.fill(1e9)
  }
  const optimizer = sgd(model)
  const history = await fit(model, { train, loss: new nn.CrossEntropyLoss(), optimizer, epochs: 300, onProgress })
  expect(edited).toBeGreaterThan(0)
  expect(history.trainLoss.every(Number.isFinite)).toBe(true)
})

const memory = (make: string, after: string) => `
  const { data, fit, nn, optim, random, tensor } = anneal
  const { readFileSync } = await import('node:fs')
  const megabytes = () => Number(/VmRSS:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024
  const labels = rows => tensor(Int32Array.from({ length: rows }, (_, i) => i % 10))
  const model = new nn.Sequential(new nn.Linear(784, 16), new nn.ReLU(), new nn.Linear(16, 10))
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 })
  const loss = new nn.CrossEntropyLoss()
  let most = 0
  const train = (X, epochs = 1) => fit(model, {
    train: new data.DataLoader(new data.TensorDataset(X, labels(X.shape[0])), { batchSize: 256, shuffle: true }),
    loss, optimizer, epochs, onEpochEnd: () => void (most = Math.max(most, megabytes())),
  })
  ${make}
  const before = megabytes()
  ${after}
  console.log(Math.round(Math.max(most, megabytes()) - before))`

describe.runIf(process.platform === 'linux')('in a process of its own', () => {
  it('a fit adds at most 40 MB to a set of 188 MB', () => {
    const added = outputOf(memory('const X = random.rand([60000, 784])', 'await train(X)'))
    expect(Number(added)).toBeLessThan(40)
  })

  it('sets that were trained on and dropped are freed', () => {
    const each = 'await train(random.rand([8192, 784])); globalThis.gc()' // 25.7 MB
    const added = outputOf(memory(each, `for (let i = 0; i < 20; i++) { ${each} }`), {}, ['--expose-gc'])
    expect(Number(added)).toBeLessThan(120)
  })
})

it('what a worker made and sent on outlives the worker', () => {
  const worker = `(async () => {
    const { random } = await import(import_url)
    const { buffer } = random.rand([4096, 256]).data
    const moved = buffer.transfer ? buffer.transfer() : buffer // Node 22
    const { parentPort } = await import('node:worker_threads')
    parentPort.postMessage(moved, [moved])
  })()`.replace('import_url', JSON.stringify(new URL('../dist/index.js', import.meta.url).href))
  const sum = outputOf(`
    const { Worker } = await import('node:worker_threads')
    const worker = new Worker(${JSON.stringify(worker)}, { eval: true })
    const buffer = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    await worker.terminate()
    console.log(new Float32Array(buffer).reduce((sum, value) => sum + value, 0))`)
  expect(Number(sum) / (4096 * 256)).toBeCloseTo(0.5, 2)
})
