/** The models of the examples as ONNX files, with the weights that a short training gives them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { data, type FitOptions, io, nn, predict, random, type Tensor } from 'anneal'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { distance, runtime, sessionOf } from './helpers/onnx.js'
import { runExample } from './helpers/run_example.js'

/** What the examples trained, with the data they trained on. */
const trained = vi.hoisted(() => [] as { model: nn.Module; columns: readonly Tensor[] }[])

vi.mock('anneal', async importOriginal => {
  const anneal = await importOriginal<typeof import('anneal')>()
  /** Two epochs are enough for weights of their own. */
  const fit = async (model: nn.Module, options: FitOptions) => {
    const { dataset } = options.train as data.DataLoader
    trained.push({ model, columns: (dataset as data.TensorDataset).columns().tensors })
    return anneal.fit(model as never, { ...options, epochs: Math.min(options.epochs, 2) })
  }
  return { ...anneal, fit }
})

const folder = mkdtempSync(join(tmpdir(), 'anneal-onnx-examples-'))
afterAll(() => rmSync(folder, { recursive: true }))

const rowsOf = (t: Tensor, rows: Int32Array) => new data.TensorDataset(t).batch(rows)[0]

async function compare(name: string, model: nn.Module, columns: readonly Tensor[]) {
  const file = join(folder, `${name}.onnx`)
  const inputs = columns.map(({ shape, dtype }, i) => [`x${i}`, { shape: [null, ...shape.slice(1)], dtype }])
  await io.exportOnnx(file, model, { inputs: Object.fromEntries(inputs) })
  const session = await sessionOf(file)
  for (const count of [1, 7, 100]) {
    const rows = Int32Array.from({ length: count }, (_, i) => i % columns[0].shape[0])
    const given = columns.map(t => rowsOf(t, rows))
    const out = await session.run(Object.fromEntries(given.map((t, i) => [`x${i}`, t])))
    expect(distance(out, await predict(model as nn.Sequential, given as never)), `${count} rows`).toBeLessThan(1e-5)
  }
}

describe.runIf(runtime)('the model of examples/', () => {
  it.each([
    ['iris', () => import('../examples/iris.js')],
    ['wine', () => import('../examples/wine.js')],
    ['breast-cancer', () => import('../examples/breast-cancer.js')],
    ['digits', () => import('../examples/digits.js')],
    ['mixed-table', () => import('../examples/mixed-table.js')],
  ])('%s.ts', async (name, load) => {
    trained.length = 0
    await (await runExample(name, load)).remove()
    const { model, columns } = trained[0]
    await compare(name, model, columns.slice(0, -1))
  })

  it('lr-decay.ts and schedules.ts', async () => {
    class QwertyNet extends nn.Module {
      fc1 = new nn.Linear(2, 8)
      fc2 = new nn.Linear(8, 3)
      forward(x: Tensor) {
        return this.fc2.forward(this.fc1.forward(x).relu())
      }
    }
    random.manualSeed(0)
    await compare('qwerty', new QwertyNet(), [data.qwerty().X])
  })
})
