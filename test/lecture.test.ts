/** The lecture: the explicit loop and `fit` against PyTorch's two runs, epoch by epoch, and for other seeds. */

import { describe, expect, it } from 'vitest'
import { DataLoader, qwerty, TensorDataset, trainTestSplit } from '../src/data/index.js'
import { StepLR } from '../src/lr_scheduler/index.js'
import * as nn from '../src/nn/index.js'
import { SGD } from '../src/optim/index.js'
import { manualSeed } from '../src/random/index.js'
import { noGrad, type Tensor } from '../src/tensor/index.js'
import { fit } from '../src/train/fit.js'
import { golden, numbers } from './helpers/golden.js'

class QwertyNet extends nn.Module {
  fc1 = new nn.Linear(2, 8)
  fc2 = new nn.Linear(8, 3)
  override forward(x: Tensor): Tensor {
    return this.fc2.forward(this.fc1.forward(x).relu())
  }
}

const want = golden('lecture.json')
const bySeed = golden('lecture-final-by-seed.json').rows
const runs = ['dynamic', 'static'] as const
type Run = (typeof runs)[number]
const EPOCHS = 20

function setUp(seed: number, run: Run) {
  const { X, y } = qwerty()
  const [XTrain, XTest, yTrain, yTest] = trainTestSplit(X, y, { testSize: 0.2, randomState: 42 }) as Tensor[]
  manualSeed(seed)
  const model = new QwertyNet()
  const optimizer = new SGD(model.parameters(), { lr: 0.01 })
  const scheduler = run === 'dynamic' ? new StepLR(optimizer, { stepSize: 115, gamma: 0.5 }) : undefined
  const train = new DataLoader(new TensorDataset(XTrain, yTrain), { batchSize: 32, shuffle: true })
  const test = new DataLoader(new TensorDataset(XTest, yTest), { batchSize: 32 })
  return { model, optimizer, scheduler, train, test, loss: new nn.CrossEntropyLoss() }
}

type Setup = ReturnType<typeof setUp>

function correct(logits: Tensor, labels: Tensor): number {
  const predicted = logits.argmax(1).data
  return predicted.filter((label, i) => label === labels.data[i]).length
}

function trainEpoch({ model, optimizer, scheduler, train, loss }: Setup, lrs: number[]) {
  const sums = { loss: 0, correct: 0, rows: 0, batches: [] as number[] }
  model.train()
  for (const [x, y] of train) {
    optimizer.zeroGrad()
    const logits = model.forward(x)
    const value = loss.forward(logits, y)
    value.backward()
    optimizer.step()
    scheduler?.step()
    lrs.push(optimizer.paramGroups[0].lr)
    sums.batches.push(value.item())
    sums.loss += value.item()
    sums.correct += correct(logits, y)
    sums.rows += y.shape[0]
  }
  return { loss: sums.loss / train.length, acc: sums.correct / sums.rows, batches: sums.batches }
}

function testEpoch({ model, test, loss }: Setup) {
  let [sum, hits, rows] = [0, 0, 0]
  model.eval()
  noGrad(() => {
    for (const [x, y] of test) {
      const logits = model.forward(x)
      sum += loss.forward(logits, y).item()
      hits += correct(logits, y)
      rows += y.shape[0]
    }
  })
  return { loss: sum / test.length, acc: hits / rows }
}

/** The lecture's loop, as it is written there. */
function explicitLoop(setup: Setup) {
  const history = {
    trainLoss: [] as number[],
    testLoss: [] as number[],
    trainAcc: [] as number[],
    testAcc: [] as number[],
    lr: [] as number[],
    batches: [] as number[][],
  }
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    const [train, test] = [trainEpoch(setup, history.lr), testEpoch(setup)]
    history.trainLoss.push(train.loss)
    history.trainAcc.push(train.acc)
    history.testLoss.push(test.loss)
    history.testAcc.push(test.acc)
    history.batches.push(train.batches)
  }
  return history
}

const within = (got: number[], expected: number[], tolerance: number) => {
  expect(got.length).toBe(expected.length)
  got.forEach((v, i) => {
    expect(Math.abs(v - expected[i]), `entry ${i}`).toBeLessThanOrEqual(tolerance)
  })
}

describe.each(runs)('%s', run => {
  const reference = want[run]

  it('starts from PyTorch’s weights, bit for bit', () => {
    for (const [name, t] of Object.entries(setUp(0, run).model.stateDict())) {
      expect([...t.data]).toEqual(numbers(want.init[name].data).map(Math.fround))
    }
  })

  it('draws PyTorch’s batches, bit for bit', () => {
    const { train, test } = setUp(0, run)
    for (const order of want.batch_order_epochs) {
      expect([...train.epochOrder()]).toEqual(order)
      test.epochOrder()
    }
  })

  it('the explicit loop gives PyTorch’s history and weights', () => {
    const setup = setUp(0, run)
    const got = explicitLoop(setup)
    within(got.trainLoss, reference.history.train_loss, 1e-6)
    within(got.testLoss, reference.history.test_loss, 1e-6)
    within(got.batches.flat(), reference.batch_loss.flat(), 1e-6)
    expect(got.trainAcc).toEqual(reference.history.train_acc)
    expect(got.testAcc).toEqual(reference.history.test_acc)
    within(got.lr, reference.history.lr_history, 1e-15)
    for (const [name, t] of Object.entries(setup.model.stateDict())) {
      within([...t.data], numbers(reference.final[name].data), 5e-6)
    }
  })

  it('fit gives the same bits as the explicit loop', async () => {
    const loop = setUp(0, run)
    const expected = explicitLoop(loop)
    const { model, ...options } = setUp(0, run)
    const history = await fit(model, { ...options, epochs: EPOCHS })
    expect(history.trainLoss).toEqual(expected.trainLoss)
    expect(history.testLoss).toEqual(expected.testLoss)
    expect(history.trainAcc).toEqual(expected.trainAcc)
    expect(history.testAcc).toEqual(expected.testAcc)
    for (const [name, t] of Object.entries(model.stateDict())) {
      expect(t.data).toEqual(loop.model.stateDict()[name].data)
    }
  })

  it.each<number>(bySeed.map((row: { seed: number }) => row.seed))('ends as PyTorch for seed %i', seed => {
    const got = explicitLoop(setUp(seed, run))
    const last = bySeed.find((row: { seed: number }) => row.seed === seed)[run]
    expect(Math.abs(got.trainLoss[EPOCHS - 1] - last.train_loss)).toBeLessThanOrEqual(1e-6)
    expect(Math.abs(got.testLoss[EPOCHS - 1] - last.test_loss)).toBeLessThanOrEqual(1e-6)
    expect(got.trainAcc[EPOCHS - 1]).toBe(last.train_acc)
    expect(got.testAcc[EPOCHS - 1]).toBe(last.test_acc)
  })
})
