/** Whole trainings on the digits against PyTorch's traces: init, batches, masks, losses, accuracies, rates, and in float64. */

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { DataLoader, TensorDataset, trainTestSplit } from '../src/data/index.js'
import { referenceEmitter } from '../src/emitters/reference.js'
import type { Model } from '../src/engine/options.js'
import * as lrScheduler from '../src/lr_scheduler/index.js'
import * as nn from '../src/nn/index.js'
import { opTwins } from '../src/ops/twins.js'
import * as optim from '../src/optim/index.js'
import { slotsUnder } from '../src/optim/rule.js'
import { manualSeed } from '../src/random/index.js'
import { noGrad, Tensor, tensor } from '../src/tensor/index.js'
import { withEmitter } from '../src/tensor/tape.js'
import { fit } from '../src/train/fit.js'
import { camelOptions, golden, numbers, type Stored } from './helpers/golden.js'

// biome-ignore lint/suspicious/noExplicitAny: goldens are plain JSON.
type Golden = any
// biome-ignore lint/suspicious/noExplicitAny: the traces name classes of many forms.
type Classes = Record<string, new (...args: any[]) => any>
const want = golden('traces.json')

function digits(): { X: Tensor; y: Tensor } {
  const lines = readFileSync(new URL('golden/digits.txt', import.meta.url), 'utf8')
    .trim()
    .split('\n')
  const pixels = lines.flatMap(line => [...line.slice(0, 64)].map(pixel => Number.parseInt(pixel, 17) / 16))
  const labels = Int32Array.from(lines, line => Number(line.slice(65)))
  return { X: tensor(Float32Array.from(pixels), { shape: [lines.length, 64] }), y: tensor(labels) }
}

const { X, y } = digits()
const [XTrain, XTest, yTrain, yTest] = trainTestSplit(X, y, { testSize: 0.2, randomState: 42 }) as Tensor[]

/** `class` and options of an entry, made by name. */
function make(classes: unknown, { type, every: _, ...options }: Golden, subject: unknown): Golden {
  return new (classes as Classes)[type](subject, camelOptions(options))
}

function cadence({ every }: { every: string }): 'batch' | 'epoch' {
  return every === 'step' ? 'batch' : 'epoch'
}

function setUp({ seed, dropout, optimizer: rule, scheduler: schedule }: Golden) {
  manualSeed(seed)
  const drop = dropout ? [new nn.Dropout({ p: dropout })] : []
  const model: Model = new nn.Sequential(new nn.Linear(64, 32), new nn.ReLU(), ...drop, new nn.Linear(32, 10))
  const optimizer: optim.Optimizer = make(optim, rule, model.parameters())
  return {
    model,
    optimizer,
    scheduler: make(lrScheduler, schedule, optimizer) as lrScheduler.LRScheduler,
    stepSchedulerEvery: cadence(schedule),
    train: new DataLoader(new TensorDataset(XTrain, yTrain), { batchSize: 64, shuffle: true }),
    test: new DataLoader(new TensorDataset(XTest, yTest), { batchSize: 64 }),
    loss: new nn.CrossEntropyLoss(),
  }
}

function expectWithin(got: readonly number[], expected: readonly number[], absolute: number, relative: number): void {
  expect(got.length).toBe(expected.length)
  got.forEach((v, i) => {
    const bound = absolute + relative * Math.abs(expected[i])
    expect(Math.abs(v - expected[i]), `entry ${i}: ${v}, want ${expected[i]}`).toBeLessThanOrEqual(bound)
  })
}

/** The model's parameters and the optimizer's state as Float64Arrays. */
function widen(model: Model, makeOptimizer: () => optim.Optimizer): optim.Optimizer {
  const wide = (shape: readonly number[], values: Float64Array) => new Tensor(shape, 'float32', values)
  for (const layer of model.modules().filter(module => module instanceof nn.Linear)) {
    for (const name of ['weight', 'bias'] as const) {
      const { shape, data } = layer[name] as Tensor
      const values = wide(shape, Float64Array.from(data))
      values.requiresGrad = true
      Object.assign(layer, { [name]: values })
    }
  }
  const optimizer = makeOptimizer()
  for (const group of optimizer.paramGroups) {
    for (const p of group.params) {
      const { tensors } = optimizer.stateOf(group, p)
      for (const { key, init } of slotsUnder(optimizer.rule, group))
        tensors[key] = wide(p.shape, new Float64Array(p.size).fill(init))
    }
  }
  return optimizer
}

type Setup = ReturnType<typeof setUp>

function correct(logits: Tensor, labels: Tensor): number {
  return logits.argmax(1).data.filter((label, i) => label === labels.data[i]).length
}

/** One pass over a loader: mean loss, accuracy, and what was drawn. */
function pass({ model, loss }: Setup, loader: DataLoader, onBatch: (value: Tensor) => void) {
  const order = loader.epochOrder()
  const losses: number[] = []
  let hits = 0
  for (let at = 0; at < order.length; at += 64) {
    const [x, labels] = (loader.dataset as TensorDataset).batch(order.subarray(at, at + 64))
    const logits = model.forward(x)
    const value = loss.forward(logits, labels)
    onBatch(value)
    losses.push(value.item())
    hits += correct(logits, labels)
  }
  return {
    order: [...order],
    losses,
    loss: losses.reduce((a, b) => a + b, 0) / losses.length,
    acc: hits / order.length,
  }
}

/** The loop of the traces. */
function explicitLoop(setup: Setup, epochs: number) {
  const { model, optimizer, scheduler, stepSchedulerEvery: every, train, test } = setup
  const history = { order: [] as number[][], batchLoss: [] as number[], lr: [] as number[] }
  const curves = {
    trainLoss: [] as number[],
    trainAcc: [] as number[],
    testLoss: [] as number[],
    testAcc: [] as number[],
  }
  for (let epoch = 0; epoch < epochs; epoch++) {
    const trained = pass(setup, train, value => {
      optimizer.zeroGrad()
      value.backward()
      optimizer.step()
      if (every === 'batch') scheduler.step()
      history.lr.push(optimizer.paramGroups[0].lr)
    })
    model.eval()
    const tested = noGrad(() => pass(setup, test, () => {}))
    model.train()
    if (scheduler.needsMetric) scheduler.step(tested.loss)
    else if (every === 'epoch') scheduler.step()
    history.order.push(trained.order)
    history.batchLoss.push(...trained.losses)
    for (const [key, value] of Object.entries({
      trainLoss: trained.loss,
      trainAcc: trained.acc,
      testLoss: tested.loss,
      testAcc: tested.acc,
    })) {
      curves[key as keyof typeof curves].push(value)
    }
  }
  return { ...history, ...curves }
}

describe.each<Golden>(want.traces)('$name', trace => {
  const { epochs } = trace

  it('starts from PyTorch’s weights, bit for bit', () => {
    setUp(trace)
      .model.parameters()
      .forEach((p, i) => {
        expect([...p.data]).toEqual(numbers(trace.init[i].data).map(Math.fround))
      })
  })

  it('in float32 gives PyTorch’s batches, losses, accuracies, rates and weights', () => {
    const setup = setUp(trace)
    const got = explicitLoop(setup, epochs)
    expect(got.order).toEqual(trace.batch_order)
    expectWithin(got.batchLoss, trace.batch_loss, 0, 1e-4)
    expectWithin(got.trainLoss, trace.train_loss, 0, 1e-4)
    expectWithin(got.testLoss, trace.val_loss, 0, 1e-4)
    expectWithin(got.trainAcc, trace.train_acc, 1.001 / XTrain.shape[0], 0)
    expectWithin(got.testAcc, trace.val_acc, 1.001 / XTest.shape[0], 0)
    expectWithin(got.lr, trace.lr_after_step, 0, 1e-12)
    expect(setup.optimizer.paramGroups[0].lr).toBeCloseTo(trace.lr_after_epoch.at(-1), 14)
    setup.model.parameters().forEach((p, i) => {
      expectWithin([...p.data], numbers((trace.final as Stored[])[i].data), 1e-4, 0)
    })
  })

  it('in float64 gives the replay', () => {
    const setup = setUp(trace)
    const optimizer = widen(setup.model, () => make(optim, trace.optimizer, setup.model.parameters()))
    const scheduler = make(lrScheduler, trace.scheduler, optimizer)
    const twins = { ...opTwins, ...optimizer.rule.reference }
    const got = withEmitter(referenceEmitter(twins), () => explicitLoop({ ...setup, optimizer, scheduler }, epochs))
    const replay = trace.float64_replay
    expectWithin(got.batchLoss, replay.batch_loss, 1e-12, 1e-9)
    expectWithin(got.trainLoss, replay.train_loss, 1e-12, 1e-9)
    expectWithin(got.testLoss, replay.val_loss, 1e-12, 1e-9)
    expect(got.trainAcc).toEqual(replay.train_acc)
    expect(got.testAcc).toEqual(replay.val_acc)
  })

  it('fit gives the bits of the explicit loop, in a plan', async () => {
    const expected = explicitLoop(setUp(trace), epochs)
    const { model, ...options } = setUp(trace)
    const history = await fit(model, { ...options, epochs })
    expect(history.engine, history.engineReason).toBe('plan')
    for (const key of ['trainLoss', 'trainAcc', 'testLoss', 'testAcc'] as const)
      expect(history[key]).toEqual(expected[key])
  })
})
