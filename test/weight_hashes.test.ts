/**
 * The bits that training leaves behind, over the README's nets: hashes of weights, optimizer state and losses, equal to
 * golden/weight-hashes.json, which was recorded before the engine's rebuilding. They are those of AVX2, AVX-512 and NEON.
 */

import { createHash } from 'node:crypto'
import { data, fit, info, nn, optim, random, tensor } from 'anneal'
import { expect, it } from 'vitest'
import type { Model } from '../src/engine/options.js'

type Widths = readonly number[]
type Between = (width: number) => nn.Module[]
type Options = { accumulate?: number; clipGradNorm?: number }

interface Configuration {
  readonly name: string
  readonly widths: Widths
  readonly optimizer: string
  readonly between?: Between
  readonly rows?: number
  readonly options?: Options
}

const nets: readonly Widths[] = [
  [2, 8, 3],
  [64, 32, 10],
  [784, 128, 10],
  [784, 256, 128, 10],
  [784, 1024, 1024, 10],
  [1536, 512, 10],
]

const optimizers: Readonly<Record<string, (model: Model) => optim.Optimizer>> = {
  sgd: model => new optim.SGD(model.parameters(), { lr: 0.05 }),
  momentum: model => new optim.SGD(model.parameters(), { lr: 0.02, momentum: 0.9, weightDecay: 1e-4 }),
  adam: model => new optim.Adam(model.parameters(), { lr: 0.002 }),
}

const layers: Readonly<Record<string, Between>> = {
  dropout: () => [new nn.ReLU(), new nn.Dropout({ p: 0.25 })],
  'batch norm': width => [new nn.BatchNorm1d(width), new nn.ReLU()],
  'layer norm': width => [new nn.LayerNorm([width]), new nn.ReLU()],
}

const shapes: Readonly<Record<string, Pick<Configuration, 'rows' | 'options'>>> = {
  'last short batch': { rows: 75 },
  accumulate: { rows: 75, options: { accumulate: 2 } },
  clip: { options: { clipGradNorm: 0.5 } },
}

/** Every net with every optimizer; with every layer and every shape of an epoch, the optimizers taking turns. */
function configurations(): Configuration[] {
  const names = Object.keys(optimizers)
  return nets.flatMap((widths, i) => {
    const named = (what: string, j: number) => ({
      name: `${widths.join('-')}, ${what}`,
      widths,
      optimizer: names[(i + j) % 3],
    })
    return [
      ...names.map(optimizer => ({ name: `${widths.join('-')}, ${optimizer}`, widths, optimizer })),
      ...Object.entries(layers).map(([what, between], j) => ({ ...named(what, j), between })),
      ...Object.entries(shapes).map(([what, shape], j) => ({ ...named(what, j), ...shape })),
    ]
  })
}

function mlp(widths: Widths, between: Between): Model {
  const modules = widths.slice(1).flatMap((width, i) => {
    const layer = new nn.Linear(widths[i], width)
    return i < widths.length - 2 ? [layer, ...between(width)] : [layer]
  })
  return new nn.Sequential(...modules)
}

function hashOf({ widths, optimizer, between = () => [new nn.ReLU()], rows = 64, options }: Configuration): string {
  random.manualSeed(11)
  const [width, classes] = [widths[0], widths[widths.length - 1]]
  const X = random.randn([rows, width])
  const y = tensor(Int32Array.from({ length: rows }, (_, i) => Math.floor(Math.abs(X.data[i * width] * 7)) % classes))
  const model = mlp(widths, between)
  const updates = optimizers[optimizer](model)
  const train = new data.DataLoader(new data.TensorDataset(X, y), { batchSize: 16, shuffle: true })
  const test = new data.DataLoader(new data.TensorDataset(X, y), { batchSize: 32 })
  const loss = new nn.CrossEntropyLoss()
  const history = fit.sync(model, { train, test, loss, optimizer: updates, epochs: 2, ...options })
  expect(history.engine).toBe('plan')
  const state = Object.values(updates.stateDict().state).flatMap(own => Object.values(own))
  const tensors = [...Object.values(model.stateDict()), ...state].flatMap(t => (typeof t === 'object' && t ? [t] : []))
  const hash = createHash('sha256')
  for (const { data: values } of tensors as { data: Float32Array | Int32Array }[])
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  for (const curve of [history.trainLoss, history.testLoss!, history.trainAcc!, history.testAcc!])
    hash.update(Float64Array.from(curve))
  return hash.digest('hex').slice(0, 16)
}

it.skipIf(info.isa === 'sse2')(
  'training leaves the recorded bits (SSE2 has its own: it has no fused add)',
  async () => {
    const hashes = Object.fromEntries(
      configurations().map(configuration => [configuration.name, hashOf(configuration)]),
    )
    expect(Object.keys(hashes).length).toBe(54)
    await expect(`${JSON.stringify(hashes, null, 1)}\n`).toMatchFileSnapshot('golden/weight-hashes.json')
  },
)
