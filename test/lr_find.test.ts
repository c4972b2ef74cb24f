/** `lrFind`: what it finds, on either engine, and that it leaves no trace. */

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { DataLoader } from '../src/data/index.js'
import { chunkSettings } from '../src/engine/chunks.js'
import type { Model } from '../src/engine/options.js'
import { clipGradNorm } from '../src/nn/utils.js'
import { Adam, type Optimizer, SGD } from '../src/optim/index.js'
import { defaultGenerator, Generator } from '../src/random/index.js'
import type { Tensor } from '../src/tensor/index.js'
import { fit } from '../src/train/fit.js'
import { suggest } from '../src/train/lr_curve.js'
import { type LrFindOptions, lrFind } from '../src/train/lr_find.js'
import { type Job, makeJob, stateOf } from './helpers/training.js'

const sgd = (model: Model) => new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })
const adam = (model: Model) => new Adam(model.parameters(), { lr: 0.01 })

function find({ model, train, loss, optimizer }: Job, options: Partial<LrFindOptions> = {}) {
  return lrFind.sync(model, { train, loss, optimizer, ...options })
}

/** The range test as a loop anyone could write. */
function explicit({ model, train, loss, optimizer }: Job, minLr: number, maxLr: number, steps: number) {
  const losses: number[] = []
  while (true) {
    for (const [x, y] of train) {
      optimizer.zeroGrad()
      const value = loss.forward(model.forward(x), y)
      losses.push(value.item())
      if (losses.length === steps) return losses
      value.backward()
      for (const group of optimizer.paramGroups)
        group.lr = minLr * (maxLr / minLr) ** ((losses.length - 1) / (steps - 1))
      optimizer.step()
    }
  }
}

/** Everything that must not change. */
function traces(job: Job) {
  const { model, optimizer, train } = job
  return {
    state: stateOf(job),
    groups: optimizer.paramGroups.map(({ params: _, ...group }) => structuredClone(group)),
    modes: model.modules().map(module => module.training),
    grads: model.parameters().map(p => p.grad && [p.grad, ...p.grad.data]),
    random: [defaultGenerator, train.generator ?? defaultGenerator].map(g => [...g.getState()]),
    entries: [...optimizer.state.values()].map(({ tensors }) => Object.values(tensors)),
  }
}

describe('the curve', () => {
  it.each([sgd, adam])('is that of the explicit loop, over several epochs', optimizer => {
    const expected = explicit(makeJob({ optimizer }), 1e-5, 1, 23)
    const found = find(makeJob({ optimizer }), { minLr: 1e-5, maxLr: 1, steps: 23 })
    expect(found.loss).toEqual(expected)
    expect(found.lr).toHaveLength(23)
    expect(found.lr[0]).toBe(1e-5)
    expect(found.lr[22]).toBeCloseTo(1, 12)
    expect(found.diverged).toBe(false)
    expect(found.smoothed[0]).toBeCloseTo(expected[0], 12)
    const [a, b] = [0.9 * 0.1 * expected[0] + 0.1 * expected[1], 1 - 0.9 ** 2]
    expect(found.smoothed[1]).toBeCloseTo(a / b, 12)
  })

  it.each([1, 7])('is the same in chunks of %i steps, off the thread, and on the eager engine', async steps => {
    const whole = find(makeJob({ optimizer: sgd }), { maxLr: 100 })
    chunkSettings.steps = steps
    try {
      const job = makeJob({ optimizer: sgd })
      const { model, train, loss, optimizer } = job
      const later = await lrFind(model, { train, loss, optimizer, maxLr: 100 })
      expect([later.lr, later.loss, later.smoothed]).toEqual([whole.lr, whole.loss, whole.smoothed])
    } finally {
      chunkSettings.steps = null
    }
    const job = makeJob({ optimizer: sgd })
    const forward = job.model.forward.bind(job.model)
    job.model.forward = x => forward(x.add(x.data[0] * 0))
    const eager = find(job, { maxLr: 100 })
    expect([eager.lr, eager.loss, eager.smoothed]).toEqual([whole.lr, whole.loss, whole.smoothed])
  })

  it('ends where the loss diverges', () => {
    const found = find(makeJob({ optimizer: sgd }), { maxLr: 1e6, steps: 200, smoothing: 0.5 })
    expect(found.diverged).toBe(true)
    expect(found.lr.length).toBeLessThan(200)
    const lowest = Math.min(...found.smoothed)
    for (const loss of found.smoothed.slice(0, -1)) expect(loss).toBeLessThanOrEqual(4 * lowest)
    for (const loss of found.smoothed) expect(loss).toBeGreaterThan(0)
  })

  it('is drawn', async () => {
    const chart = await find(makeJob({ optimizer: sgd }), { maxLr: 1e3, smoothing: 0.8 }).chart()
    for (const name of ['loss', 'smoothed', 'steepest', 'valley', 'minimum']) expect(chart.svg).toContain(name)
    expect(readFileSync(new URL('../src/train/lr_curve.ts', import.meta.url), 'utf8')).not.toContain('@observablehq')
  })
})

describe('suggestions', () => {
  const rates = Array.from({ length: 50 }, (_, i) => 10 ** (-5 + i / 10))

  it('of a curve with one valley', () => {
    const losses = rates.map((_, i) => (i < 20 ? 2 : i < 40 ? 2 - (i - 20) / 10 - Number(i >= 30) / 2 : i - 39))
    const { steepest, valley, minimum } = suggest(rates, losses)
    expect(steepest).toBe(rates[29])
    expect(minimum).toBe(rates[39] / 10)
    expect(valley).toBeGreaterThan(rates[20])
    expect(valley).toBeLessThan(rates[39])
  })

  it('pass bumps over, and take whatever curve there is', () => {
    const bumpy = rates.map((_, i) => 10 - i / 10 + (i === 25 ? 3 : 0))
    expect(suggest(rates, bumpy).valley).toBeCloseTo(rates[Math.floor((0 + 39) / 2) + 5], 3)
    for (const losses of [
      [1, 2],
      [2, 1],
      [1, 1, 1],
      [3, 2, 1, 4],
    ]) {
      for (const rate of Object.values(suggest(rates.slice(0, losses.length), losses))) expect(rate).toBeGreaterThan(0)
    }
  })
})

describe('afterwards everything is as before', () => {
  const fresh = (optimizer: (model: Model) => Optimizer) => makeJob({ optimizer })
  const used = (optimizer: (model: Model) => Optimizer) => {
    const job = fresh(optimizer)
    const { model, ...rest } = job
    fit.sync(model, { ...rest, epochs: 2 })
    const [x, y] = [...job.train][0]
    job.loss.forward(model.forward(x), y).backward()
    clipGradNorm(model.parameters(), 0.1)
    model.eval()
    model.modules()[1].training = true
    return job
  }

  it.each([
    ['a fresh model, SGD', () => fresh(sgd)],
    ['a fresh model, Adam', () => fresh(adam)],
    ['a model in use, SGD', () => used(sgd)],
    ['a model in use, Adam', () => used(adam)],
    [
      'a stream of its own',
      () => {
        const job = fresh(sgd)
        return {
          ...job,
          train: new DataLoader(job.train.dataset, { batchSize: 9, shuffle: true, generator: new Generator(4) }),
        }
      },
    ],
  ])('%s', async (_, make) => {
    const job = make()
    const before = traces(job)
    find(job, { maxLr: 1e4 })
    expect(traces(job)).toEqual(before)
    const { model, train, loss, optimizer } = job
    await lrFind(model, { train, loss, optimizer })
    expect(traces(job)).toEqual(before)
    const { model: _m, ...rest } = job
    fit.sync(model, { ...rest, epochs: 2 })
    const other = make()
    const { model: otherModel, ...otherRest } = other
    fit.sync(otherModel, { ...otherRest, epochs: 2 })
    expect(stateOf(job)).toEqual(stateOf(other))
  })

  it('an abort, and a loss that throws', async () => {
    const job = used(sgd)
    const before = traces(job)
    const { model, train, loss, optimizer } = job
    const aborted = lrFind(model, { train, loss, optimizer, signal: AbortSignal.abort('enough') })
    await expect(aborted).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: 'enough' })
    expect(traces(job)).toEqual(before)
    const broken = Object.assign(Object.create(loss), {
      forward(x: Tensor, y: Tensor) {
        const value = loss.forward(x, y)
        if (value.item() < 1e9) throw new Error('mine')
        return value
      },
    })
    await expect(lrFind(model, { train, loss: broken, optimizer })).rejects.toThrow('mine')
    expect(traces(job)).toEqual(before)
  })
})

describe('bad input', () => {
  it.each([
    [{ minLr: 0 }, RangeError],
    [{ minLr: 1, maxLr: 1 }, RangeError],
    [{ steps: 1 }, RangeError],
    [{ smoothing: 1 }, RangeError],
    [{ divergence: 1 }, RangeError],
    [{ minLr: '1' }, TypeError],
    [{ train: [] }, TypeError],
    [{ epochs: 3 }, TypeError],
  ])('%o', async (change, kind) => {
    const { model, train, loss, optimizer } = makeJob({ optimizer: sgd })
    await expect(lrFind(model, { train, loss, optimizer, ...change } as never)).rejects.toThrow(kind)
  })

  it('a loss that is not finite from the start', () => {
    const job = makeJob({ optimizer: sgd })
    job.model.parameters()[0].data.fill(Number.NaN)
    expect(() => find(job)).toThrow(expect.objectContaining({ code: 'ERR_NONFINITE' }))
  })

  it('a model in use', async () => {
    const job = makeJob({ widths: [64, 512, 10], rows: 4000, optimizer: sgd, withTest: false })
    const { model, ...rest } = job
    const running = fit(model, { ...rest, epochs: 20 })
    await new Promise(resolve => setTimeout(resolve, 5))
    expect(() => find(job)).toThrow(expect.objectContaining({ code: 'ERR_BUSY' }))
    await running
  })
})
