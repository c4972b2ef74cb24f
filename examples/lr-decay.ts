/**
 * The learning-rate-decay lecture: QwertyNet on three overlapping clouds of points, trained with a rate that is halved
 * every five epochs ("dynamic") and with a fixed one ("static"), in the lecture's explicit loop; then the same at a rate
 * that is too large to settle, and the lecture's other schedules. Not the fast way to train (`fit` is), but the readable one.
 *
 * npm start [-- --out DIR]     writes into out/lr-decay unless told otherwise
 */

import { data, lrScheduler, nn, noGrad, optim, random, report, type Tensor } from 'anneal'
import { type History, type Study, writeStudies } from './lib/lr_decay_report.js'
import { outFolder } from './lib/out_folder.js'

class QwertyNet extends nn.Module {
  fc1 = new nn.Linear(2, 8)
  fc2 = new nn.Linear(8, 3)
  forward(x: Tensor) {
    return this.fc2.forward(this.fc1.forward(x).relu())
  }
}

const { X, y } = data.qwerty()
const [XTrain, XTest, yTrain, yTest] = data.trainTestSplit(X, y, { testSize: 0.2, randomState: 42 })
const trainLoader = new data.DataLoader(new data.TensorDataset(XTrain, yTrain), { batchSize: 32, shuffle: true })
const testLoader = new data.DataLoader(new data.TensorDataset(XTest, yTest), { batchSize: 32 })

const epochs = 20
const stepSize = 5 * trainLoader.length // five epochs' worth of updates: 115

interface Setting {
  lr: number
  schedule?: (optimizer: optim.SGD) => lrScheduler.LRScheduler
  seed?: number
}

/** Train a new QwertyNet: the loop of the lecture. */
function train({ lr, schedule, seed = 0 }: Setting, onEpoch?: (figures: report.EpochFigures) => void): History {
  random.manualSeed(seed)
  const model = new QwertyNet()
  const criterion = new nn.CrossEntropyLoss()
  const optimizer = new optim.SGD(model.parameters(), { lr })
  const scheduler = schedule?.(optimizer)
  const history: History = { trainLoss: [], testLoss: [], trainAcc: [], testAcc: [], lr: [] }

  for (let epoch = 1; epoch <= epochs; epoch++) {
    model.train()
    let lossSum = 0
    let correct = 0
    for (const [x, labels] of trainLoader) {
      optimizer.zeroGrad()
      const logits = model.forward(x)
      const loss = criterion.forward(logits, labels)
      loss.backward()
      optimizer.step()
      if (scheduler && !(scheduler instanceof lrScheduler.ReduceLROnPlateau)) scheduler.step()
      history.lr.push(optimizer.paramGroups[0].lr) // read after the scheduler's step, as in the lecture
      lossSum += loss.item()
      correct += countCorrect(logits, labels)
    }
    const test = evaluate(model, criterion)
    if (scheduler instanceof lrScheduler.ReduceLROnPlateau) scheduler.step(test.loss)

    history.trainLoss.push(lossSum / trainLoader.length) // the mean over batches, whatever their sizes
    history.trainAcc.push(correct / XTrain.shape[0])
    history.testLoss.push(test.loss)
    history.testAcc.push(test.accuracy)
    onEpoch?.({
      epoch,
      loss: lossSum / trainLoader.length,
      accuracy: correct / XTrain.shape[0],
      lr: history.lr.at(-1)!,
    })
  }
  return history
}

function evaluate(model: QwertyNet, criterion: nn.CrossEntropyLoss) {
  model.eval()
  let lossSum = 0
  let correct = 0
  noGrad(() => {
    for (const [x, labels] of testLoader) {
      const logits = model.forward(x)
      lossSum += criterion.forward(logits, labels).item()
      correct += countCorrect(logits, labels)
    }
  })
  return { loss: lossSum / testLoader.length, accuracy: correct / XTest.shape[0] }
}

function countCorrect(logits: Tensor, labels: Tensor): number {
  const predicted = logits.argmax(1).data
  let correct = 0
  for (let row = 0; row < predicted.length; row++) if (predicted[row] === labels.data[row]) correct++
  return correct
}

const halving: Setting['schedule'] = optimizer => new lrScheduler.StepLR(optimizer, { stepSize, gamma: 0.5 })

/** The lecture's own two runs, watched. */
async function watched(label: string, setting: Setting): Promise<History> {
  const progress = await report.trainingProgress({ label, epochs })
  const history = train(setting, figures => progress.update(figures))
  progress.stop()
  return history
}

const lecture = {
  dynamic: await watched('dynamic', { lr: 0.01, schedule: halving }),
  static: await watched('static ', { lr: 0.01 }),
}

// One seed proves little: the same two runs from ten initial states, at the lecture's rate and at one that is too large.
const seeds = Array.from({ length: 10 }, (_, seed) => seed)
const overSeeds = (setting: Setting) => seeds.map(seed => train({ ...setting, seed }))
const compare = (lr: number): Study => ({
  lr,
  dynamic: overSeeds({ lr, schedule: halving }),
  static: overSeeds({ lr }),
})
const small = compare(0.01)
const large = compare(2)

// The other schedules of the lecture, at the rate where a schedule matters.
const schedules: Record<string, History[]> = {
  static: large.static,
  'StepLR: ×0.5 every 115': large.dynamic,
  'ExponentialLR: ×0.994': overSeeds({ lr: 2, schedule: o => new lrScheduler.ExponentialLR(o, { gamma: 0.994 }) }),
  'MultiStepLR: ×0.1 at 230, 345': overSeeds({
    lr: 2,
    schedule: o => new lrScheduler.MultiStepLR(o, { milestones: [2 * stepSize, 3 * stepSize], gamma: 0.1 }),
  }),
  'ReduceLROnPlateau: ×0.5': overSeeds({
    lr: 2,
    schedule: o => new lrScheduler.ReduceLROnPlateau(o, { factor: 0.5, patience: 1 }),
  }),
}

const folder = outFolder('out/lr-decay')
await writeStudies(folder, { lecture, small, large, schedules })
