/** Programs that several ranks share: whatever the net and however many they are, every rank ends with one process's bits. */

import { describe, expect, it } from 'vitest'
import type { Model } from '../src/engine/options.js'
import { recordTraining } from '../src/engine/record_step.js'
import { formOf } from '../src/engine/resident.js'
import { UpdateScalars } from '../src/engine/update_scalars.js'
import { data, nn, optim, random, type Tensor, tensor } from '../src/index.js'
import type { KernelCall } from '../src/plan/layout.js'
import { drawsPerStep, Memory } from '../src/plan/program.js'
import type { PlacedCall } from '../src/plan/ranks.js'
import { runShared, type StepTables } from './helpers/simulated_ranks.js'

class Residual extends nn.Module {
  inner: nn.Linear
  constructor(width: number) {
    super()
    this.inner = new nn.Linear(width, width)
  }
  forward(x: Tensor): Tensor {
    return x.add(this.inner.forward(x).silu())
  }
}

interface Net {
  readonly widths: readonly number[]
  readonly between?: (width: number) => nn.Module[]
  readonly optimizer?: (model: nn.Module) => optim.Optimizer
  readonly clipGradNorm?: number
  readonly rows?: number
  readonly parts?: number
  readonly loss?: nn.Loss
  /** Inputs as a column of bytes. */
  readonly bytes?: boolean
}

const relu = () => [new nn.ReLU()]
const momentum = (model: nn.Module) => new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })
const adam = (model: nn.Module) => new optim.Adam(model.parameters(), { lr: 0.01 })

const nets: Readonly<Record<string, Net>> = {
  'two layers': { widths: [40, 64, 10] },
  'layers that are wide to the end': { widths: [40, 70, 100], optimizer: adam },
  'narrow ones': { widths: [2, 8, 3] },
  'a column of bytes': { widths: [40, 64, 10], bytes: true },
  'layer norm and GELU': {
    widths: [33, 96, 80, 10],
    between: n => [new nn.LayerNorm([n]), new nn.GELU()],
    optimizer: adam,
  },
  'batch norm and dropout': {
    widths: [30, 96, 64, 5],
    between: n => [new nn.BatchNorm1d(n), new nn.ReLU(), new nn.Dropout({ p: 0.3 })],
    optimizer: adam,
  },
  'residual layers': { widths: [20, 64, 64, 33], between: n => [new Residual(n)], optimizer: adam },
  'clipped gradients': { widths: [50, 70, 48, 6], optimizer: adam, clipGradNorm: 0.5 },
  'an update of its own kernel': {
    widths: [50, 64, 100],
    optimizer: model => new optim.RMSprop(model.parameters(), { lr: 0.01 }),
  },
  Muon: { widths: [48, 64], optimizer: model => new optim.Muon([model.parameters()[0]], { lr: 0.01 }) },
  'a row each and one over': { widths: [20, 64, 7], rows: 5 },
  'fewer rows than ranks': { widths: [20, 64, 7], rows: 2 },
  'two batches per update': { widths: [50, 64, 6], parts: 2 },
  'softmax within': { widths: [20, 64, 40], between: () => [new nn.Softmax({ dim: 1 })] },
  'regression of everything': { widths: [13, 64, 48], between: () => [new nn.Tanh()], loss: new nn.MSELoss() },
}

/** The step of a net, recorded, with tables for some of them. */
function recorded({
  widths,
  between = relu,
  optimizer = momentum,
  clipGradNorm,
  rows = 32,
  parts = 1,
  loss = new nn.CrossEntropyLoss(),
  bytes = false,
}: Net) {
  random.manualSeed(5)
  const layers = widths.slice(1).flatMap((n, i) => {
    return [new nn.Linear(widths[i], n), ...(i + 2 < widths.length ? between(n) : [])]
  })
  const model: Model = new nn.Sequential(...layers)
  const [inputs, outputs] = [widths[0], widths[widths.length - 1]]
  const samples = parts * rows + 3
  const x = bytes
    ? data.column(
        Uint8Array.from({ length: samples * inputs }, (_, i) => i * 151),
        { shape: [samples, inputs], scale: 1 / 255 },
      )
    : random.randn([samples, inputs])
  const y =
    loss instanceof nn.MSELoss
      ? random.randn([samples, outputs])
      : tensor(Int32Array.from({ length: samples }, (_, i) => i % outputs))
  const made = optimizer(model)
  const [scalars, memory] = [new UpdateScalars(made), new Memory()]
  const training = { loss, optimizer: made, ...(clipGradNorm !== undefined && { clipGradNorm }) }
  const step = recordTraining(
    model,
    training as never,
    { tensors: [x, y], weighted: false },
    Array(parts).fill(rows),
    scalars,
    memory,
  )
  const steps = [1, 2, 3].map(seed => {
    const table = new Float64Array(scalars.width)
    scalars.write(table, 0)
    const order = Int32Array.from({ length: parts * rows }, (_, i) => (i * 7 + seed) % samples)
    const draws = Float32Array.from({ length: drawsPerStep(step.draws) }, (_, i) =>
      Number((i * 2654435761 * seed) % 10 < 7),
    )
    return [0, { order, scalars: table, draws }] as const
  }) satisfies (readonly [number, StepTables])[]
  const recording = { calls: step.calls, advance: step.advance, dataSet: 0 }
  return {
    recordings: [recording],
    forms: [formOf({ tensors: [x, y], indices: null }, [step])],
    columns: [x.data, y.data],
    memory,
    steps,
  }
}

/** Multiplications and additions of a program's products. */
function productsIn(calls: readonly PlacedCall[]): number {
  const products = calls.filter(call => call.kind === 'kernel' && call.kernel.startsWith('linear_'))
  return products.reduce(
    (sum, call) => sum + (call as KernelCall).dims.m * (call as KernelCall).dims.k * (call as KernelCall).dims.n,
    0,
  )
}

describe('a program shared by ranks', () => {
  it('leaves each of them its share of the work', () => {
    const { recordings, forms, columns, memory, steps } = recorded({ widths: [64, 128, 128, 64], optimizer: adam })
    const all = (size: number) => runShared(size, recordings, forms, columns, memory, steps.slice(0, 1))
    const [alone] = all(1)
    for (const size of [2, 4])
      for (const { calls } of all(size)) expect(productsIn(calls)).toBe(productsIn(alone.calls) / size)
  })

  for (const [name, net] of Object.entries(nets)) {
    it(`gives the bits of one process: ${name}`, () => {
      const { recordings, forms, columns, memory, steps } = recorded(net)
      const run = (size: number) => runShared(size, recordings, forms, columns, memory, steps)
      const [alone] = run(1)
      expect(alone.losses.flat().every(Number.isFinite)).toBe(true)
      for (const size of [2, 3, 4])
        for (const [rank, { losses, bytes }] of run(size).entries()) {
          expect({ size, rank, losses }).toEqual({ size, rank, losses: alone.losses })
          expect(bytes.equals(alone.bytes), `rank ${rank} of ${size}`).toBe(true)
        }
    })
  }
})
