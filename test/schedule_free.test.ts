/** Schedule-free optimizers: the two points, the switch between them, and what `fit` does with it. */

import { describe, expect, it } from 'vitest'
import { DataLoader } from '../src/data/index.js'
import * as optim from '../src/optim/index.js'
import { Generator } from '../src/random/index.js'
import { type Tensor, tensor } from '../src/tensor/index.js'
import { earlyStopping } from '../src/train/callbacks.js'
import { evaluate } from '../src/train/evaluate.js'
import { fit } from '../src/train/fit.js'
import { makeJob } from './helpers/training.js'

const kinds = [optim.SGDScheduleFree, optim.AdamWScheduleFree]

function started(Optimizer: (typeof kinds)[number], steps = 3) {
  const p = tensor([1, -2, 3], { requiresGrad: true })
  const optimizer = new Optimizer([p], { lr: 0.1 })
  for (let i = 0; i < steps; i++) {
    p.grad = tensor(p.data.map(v => v * 0.5))
    optimizer.step()
  }
  return { p, optimizer }
}

describe.each(kinds)('%o', Optimizer => {
  it('switches between y and the average, which train() undoes', () => {
    const { p, optimizer } = started(Optimizer)
    const y = [...p.data]
    optimizer.eval()
    const x = [...p.data]
    const z = (optimizer.stateDict().state[0].z as Tensor).data
    expect(x).not.toEqual(y)
    y.forEach((v, i) => {
      expect(v).toBeCloseTo(0.9 * x[i] + 0.1 * z[i], 5)
    })
    optimizer.eval()
    expect([...p.data]).toEqual(x)
    optimizer.train()
    optimizer.train()
    expect([...p.data]).toEqual(y.map(v => expect.closeTo(v, 6)))
  })

  it('refuses a step in evaluation mode, before anything is changed', () => {
    const { p, optimizer } = started(Optimizer)
    optimizer.eval()
    p.grad = tensor([1, 1, 1])
    const before = [...p.data]
    expect(() => optimizer.step()).toThrow(expect.objectContaining({ code: 'ERR_STATE' }))
    expect([...p.data]).toEqual(before)
    optimizer.train()
    optimizer.step()
  })

  it('leaves parameters that have made no update alone', () => {
    const { p, optimizer } = started(Optimizer, 0)
    optimizer.eval()
    optimizer.train()
    expect([...p.data]).toEqual([1, -2, 3])
  })

  it('keeps the mode in its state dict, and reads the layout of schedule_free', () => {
    const { p, optimizer } = started(Optimizer)
    const { state, param_groups } = optimizer.stateDict()
    const { step, weight_sum, lr_max, ...tensors } = state[0]
    const theirs = { state: { 0: tensors }, param_groups: [{ ...param_groups[0], k: step, weight_sum, lr_max }] }
    const other = new Optimizer([p], { lr: 9 })
    other.loadStateDict(theirs)
    expect(other.stateDict()).toEqual(optimizer.stateDict())
    optimizer.eval()
    other.loadStateDict(optimizer.stateDict())
    expect(other.paramGroups[0].trainMode).toBe(false)
  })

  const job = () => makeJob({ optimizer: model => new Optimizer(model.parameters(), { lr: 0.02 }) })

  it('after a fit the model holds the average, which is what was tested', async () => {
    const { model, ...options } = job()
    const seen: number[] = []
    const history = await fit(model, {
      ...options,
      epochs: 4,
      onEpochEnd: async () => void seen.push((await evaluate(model, options.test!, options.loss)).loss),
    })
    expect(history.engine).toBe('plan')
    expect(seen).toEqual(history.testLoss)
    expect((await evaluate(model, options.test!, options.loss)).loss).toBe(history.testLoss!.at(-1))
    expect(() => options.optimizer.step()).toThrow(/train\(\) before step\(\)/)
  })

  it('the training does not depend on whether it is tested', async () => {
    const losses = async (withTest: boolean) => {
      const { model, test, train, ...options } = job()
      const own = new DataLoader(train.dataset, { batchSize: 16, shuffle: true, generator: new Generator(5) })
      return (await fit(model, { ...options, train: own, test: withTest ? test : undefined, epochs: 3 })).trainLoss
    }
    expect(await losses(true)).toEqual(await losses(false))
  })

  it('early stopping brings back the average of the best epoch', async () => {
    const { model, ...options } = makeJob({
      optimizer: m => new Optimizer(m.parameters(), { lr: Optimizer === kinds[0] ? 3 : 0.3 }),
    })
    const history = await fit(model, {
      ...options,
      epochs: 8,
      callbacks: [earlyStopping({ patience: 50, restoreBest: true })],
    })
    const { loss } = await evaluate(model, options.test!, options.loss)
    expect(loss).toBe(Math.min(...history.testLoss!))
  })

  it('an abort leaves the average too', async () => {
    const { model, ...options } = job()
    const controller = new AbortController()
    const run = fit(model, {
      ...options,
      epochs: 100,
      signal: controller.signal,
      onEpochEnd: ({ epoch }) => {
        if (epoch === 2) controller.abort()
      },
    })
    await expect(run).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    expect(options.optimizer.paramGroups[0].trainMode).toBe(false)
  })
})

it('beta of zero has no average to come back from', () => {
  const p = [tensor([1], { requiresGrad: true })]
  expect(() => new optim.SGDScheduleFree(p, { momentum: 0 })).toThrow(RangeError)
  expect(() => new optim.AdamWScheduleFree(p, { betas: [0, 0.9] })).toThrow(/betas\[0\] to be greater than 0/)
})

it('switching is refused while a fit holds the parameters', async () => {
  const { model, ...options } = makeJob({
    widths: [64, 512, 10],
    rows: 2000,
    batchSize: 50,
    withTest: false,
    optimizer: m => new optim.SGDScheduleFree(m.parameters(), { lr: 0.1 }),
  })
  const controller = new AbortController()
  const running = fit(model, { ...options, epochs: 1e6, signal: controller.signal })
  while (!model.parameters()[0].busy) await new Promise(resolve => setImmediate(resolve))
  const { optimizer } = options
  expect(() => (optimizer as optim.ScheduleFree).eval()).toThrow(expect.objectContaining({ code: 'ERR_BUSY' }))
  controller.abort()
  await expect(running).rejects.toMatchObject({ code: 'ERR_ABORTED' })
})

it('a schedule-free run learns', async () => {
  const { model, ...options } = makeJob({
    optimizer: m => new optim.AdamWScheduleFree(m.parameters(), { lr: 0.02, warmupSteps: 20 }),
  })
  const { trainLoss } = await fit(model, { ...options, epochs: 60 })
  expect(trainLoss.at(-1)!).toBeLessThan(0.8 * trainLoss[0])
})
