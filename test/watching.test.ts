/** Callbacks that only watch: told of everything, in order, at no recording more than without them. */

import { describe, expect, it } from 'vitest'
import {
  type callbacks,
  data,
  type FitOptions,
  fit,
  lrScheduler,
  nn,
  optim,
  random,
  type Tensor,
} from '../src/index.js'

/** Counts its forwards: those of recording, as the plan runs none. */
class Net extends nn.Module {
  fc1 = new nn.Linear(2, 8)
  fc2 = new nn.Linear(8, 3)
  forward(x: Tensor) {
    Net.forwards++
    return this.fc2.forward(this.fc1.forward(x).relu())
  }
  static forwards = 0
}

function setUp(more: Partial<FitOptions> = {}) {
  random.manualSeed(0)
  const { X, y } = data.qwerty()
  const dataset = new data.TensorDataset(X, y)
  const train = new data.DataLoader(dataset, { batchSize: 64, shuffle: true })
  const test = new data.DataLoader(dataset, { batchSize: 128 })
  const model = new Net()
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 })
  const scheduler = new lrScheduler.ExponentialLR(optimizer, { gamma: 0.999 })
  const options = { train, test, loss: new nn.CrossEntropyLoss(), optimizer, scheduler, epochs: 60, ...more }
  return { model, optimizer, options }
}

/** Everything that it is told, as text. */
function recorder(watchOnly: boolean) {
  const told: string[] = []
  const events: Record<string, unknown>[] = []
  const callback: callbacks.Callback = {
    watchOnly,
    onStart: () => void told.push('start'),
    onEpoch: ({ seconds, ...event }) => {
      expect(seconds).toBeGreaterThan(0)
      events.push(event)
      return true
    },
    onProgress: event => {
      expect(event.loss).not.toBeNaN()
      told.push('progress')
    },
    onFinish: () => void told.push('finish'),
    onEnd: error => void told.push(error === undefined ? 'end' : `end: ${(error as { code?: string }).code}`),
  }
  return { told, events, callback }
}

describe('a callback that only watches', () => {
  it('is told the same as one that may change something', async () => {
    const [watching, asking] = [recorder(true), recorder(false)]
    for (const { callback } of [watching, asking]) {
      const { model, options } = setUp()
      const history = await fit(model, { ...options, callbacks: [callback] })
      expect(history.engine).toBe('plan')
    }
    expect(watching.events).toHaveLength(60)
    expect(watching.events).toEqual(asking.events)
    for (const { told } of [watching, asking]) {
      expect(told[0]).toBe('start')
      expect(told.slice(-3)).toEqual(['progress', 'finish', 'end'])
    }
  })

  it('costs no recording, and changes no bit', async () => {
    const run = async (given: callbacks.Callback[]) => {
      const { model, options } = setUp()
      Net.forwards = 0
      const history = await fit(model, { ...options, callbacks: given })
      return { forwards: Net.forwards, trainLoss: history.trainLoss, weight: [...model.fc1.weight.data] }
    }
    const none = await run([])
    expect(await run([recorder(true).callback])).toEqual(none)
    const { forwards, ...same } = await run([recorder(false).callback])
    expect(same).toEqual({ trainLoss: none.trainLoss, weight: none.weight })
    expect(forwards).toBeGreaterThan(none.forwards)
  })

  it('is told what a callback beside it is that asks after each epoch', async () => {
    const [watching, asking] = [recorder(true), recorder(false)]
    const { model, options } = setUp({ epochs: 5 })
    await fit(model, { ...options, callbacks: [watching.callback, asking.callback] })
    expect(watching.events).toEqual(asking.events)
  })

  it('may end the training soon', async () => {
    const { model, options } = setUp({ epochs: 1_000_000 })
    const stop: callbacks.Callback = { watchOnly: true, onEpoch: ({ epoch }) => epoch < 3 }
    const { trainLoss } = await fit(model, { ...options, callbacks: [stop] })
    expect(trainLoss.length).toBeGreaterThanOrEqual(3)
    expect(trainLoss.length).toBeLessThan(100_000)
  })

  it('may edit the rate, which later updates use', async () => {
    const { model, optimizer, options } = setUp({ epochs: 40, scheduler: undefined })
    const halve: callbacks.Callback = {
      watchOnly: true,
      onEpoch: ({ epoch }) => {
        if (epoch === 1) optimizer.paramGroups[0].lr /= 2
        return true
      },
    }
    const { lr } = await fit(model, { ...options, callbacks: [halve] })
    expect(lr[0]).toBe(0.1)
    expect(lr.at(-1)).toBe(0.05)
    expect(new Set(lr)).toEqual(new Set([0.1, 0.05]))
  })

  it('hears of the end of a run that was aborted, failed, or ran on the eager engine', async () => {
    const aborted = recorder(true)
    const { model, options } = setUp({ epochs: 1_000_000 })
    const signal = AbortSignal.timeout(50)
    await expect(fit(model, { ...options, signal, callbacks: [aborted.callback] })).rejects.toThrow(/aborted/)
    expect(aborted.told.at(-1)).toBe('end: ERR_ABORTED')
    expect(aborted.told).not.toContain('finish')

    const failed = recorder(true)
    const failing: callbacks.Callback = {
      onEpoch() {
        throw new Error('full')
      },
    }
    await expect(fit(model, { ...options, callbacks: [failed.callback, failing] })).rejects.toThrow('full')
    expect(failed.told.at(-1)).toBe('end: undefined')

    const eager = recorder(true)
    const reading = setUp({ epochs: 3 })
    reading.model.forward = x => {
      const y = reading.model.fc1.forward(x)
      y.toArray()
      return reading.model.fc2.forward(y)
    }
    const history = await fit(reading.model, { ...reading.options, callbacks: [eager.callback] })
    expect(history.engine).toBe('eager')
    expect(eager.events.map(({ trainLoss }) => trainLoss)).toEqual(history.trainLoss)
  })

  it('fit.sync tells it too', () => {
    const watching = recorder(true)
    const { model, options } = setUp({ epochs: 7 })
    const { trainLoss } = fit.sync(model, { ...options, callbacks: [watching.callback] })
    expect(watching.events.map(event => event.trainLoss)).toEqual(trainLoss)
  })
})
