/** What layers and optimizers say of themselves to the engines, and what the engines do by it. */

import { data, fit, nn, optim, random, type Tensor, tensor } from 'anneal'
import { describe, expect, it } from 'vitest'
import { Pace } from '../src/engine/chunks.js'
import { recordAll } from '../src/engine/recorded.js'

const loss = new nn.CrossEntropyLoss()

function loaderOf(rows: number, width: number, options: data.DataLoaderOptions): data.DataLoader {
  const x = random.randn([rows, width], { generator: new random.Generator(1) })
  const y = tensor(Int32Array.from({ length: rows }, (_, i) => i % 2))
  return new data.DataLoader(new data.TensorDataset(x, y), options)
}

describe('a layer of one’s own', () => {
  /** Noise by the default generator, which only the eager engine can draw. */
  class Noise extends nn.Module {
    override get drawsRandomNumbers(): boolean {
      return true
    }
    override forward(x: Tensor): Tensor {
      return this.training ? x.add(random.randn(x.shape)) : x
    }
  }

  it('that draws random numbers has its run take the stream over', async () => {
    const model = new nn.Sequential(new Noise(), new nn.Linear(3, 2))
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 })
    const train = loaderOf(40, 3, { batchSize: 8, shuffle: true, generator: new random.Generator(2) })
    random.manualSeed(3)
    const first = random.rand([1]).item()
    random.manualSeed(3)
    const running = fit(model, { train, loss, optimizer, epochs: 20 })
    expect(random.rand([1]).item()).not.toBe(first) // the run has the stream, this is a fork of it
    expect((await running).engine).toBe('eager')
  })

  it('that needs more rows has the last batch tried before the first step', () => {
    class Pairs extends nn.Module {
      fc = new nn.Linear(3, 2)
      override get smallestBatch(): number {
        return 3
      }
      override forward(x: Tensor): Tensor {
        if (x.shape[0] < 3) throw new RangeError('Pairs: expected at least 3 rows')
        return this.fc.forward(x.mul(x.data.length > 0 ? 1 : 0)) // reads values: eager
      }
    }
    const model = new Pairs()
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 })
    const before = [...model.fc.weight.data]
    const train = loaderOf(10, 3, { batchSize: 4 })
    expect(() => fit.sync(model, { train, loss, optimizer, epochs: 1 })).toThrow('Pairs: expected at least 3 rows')
    expect([...model.fc.weight.data]).toEqual(before)
  })
})

describe('the work of a step', () => {
  /** Where the first chunk of one epoch would run. */
  function placeOf(model: nn.Sequential, width: number): 'here' | 'away' {
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 })
    const train = loaderOf(512, width, { batchSize: 128 })
    const { segments } = recordAll(model, { train, loss, optimizer })
    const work = segments.reduce((sum, segment) => sum + segment.steps * segment.work, 0)
    let place: 'here' | 'away' = 'here'
    const result = { steps: 4 }
    const away = () => {
      place = 'away'
      return result
    }
    const plan = { run: () => result, runAsync: async () => away() }
    const none = { segments: new Int32Array(0), order: new Int32Array(0), scalars: new Float64Array(0) }
    const chunk = { ...none, draws: new Float32Array(0), work }
    const steps = new Pace('auto', 1).run(plan as never, chunk, 0)
    steps.next() // to its end, or to the promise of what runs away
    return place
  }

  it('counts layer norms, so that large ones leave the event loop', () => {
    expect(placeOf(new nn.Sequential(new nn.LayerNorm([2048]), new nn.Flatten()), 2048)).toBe('away')
    expect(placeOf(new nn.Sequential(new nn.Linear(2, 8), new nn.ReLU(), new nn.Linear(8, 2)), 2)).toBe('here')
  })
})
