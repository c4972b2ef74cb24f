/** What the drivers of this package share: a trial's model, optimizer, schedule and loaders, through the public names. */
import { data, lrScheduler, nn, optim, random, type Tensor, tensor } from 'anneal'
import type { LectureTrial, OptimizerSpec, ScheduleSpec, StepTrial } from '../trials.js'
import { dataset, layers } from './data.js'

export type Optimizer = optim.Optimizer

/** Linear, ReLU, ..., Linear with the trial's starting weights. */
export function modelOf(trial: Pick<StepTrial, 'widths'>): nn.Sequential {
  const start = layers(trial)
  const linears = start.map(({ fanIn, fanOut }) => new nn.Linear(fanIn, fanOut))
  linears.forEach((linear, i) => {
    const { fanIn, fanOut, weight, bias } = start[i]
    linear.loadStateDict({ weight: tensor(weight, { shape: [fanOut, fanIn] }), bias: tensor(bias) })
  })
  return new nn.Sequential(...linears.flatMap((linear, i) => (i === 0 ? [linear] : [new nn.ReLU(), linear])))
}

export function optimizerOf(parameters: Tensor[], { name, ...options }: OptimizerSpec): Optimizer {
  return name === 'adam' ? new optim.Adam(parameters, options) : new optim.SGD(parameters, options)
}

export function schedulerOf(optimizer: Optimizer, schedule?: ScheduleSpec): lrScheduler.StepLR | undefined {
  return schedule && new lrScheduler.StepLR(optimizer, schedule)
}

export interface Sets {
  /** Shuffled epochs of the whole set, the incomplete last batch dropped. */
  train: data.DataLoader
  /** The first `checkSteps` batches in order. */
  check: data.DataLoader
}

export function setsOf(trial: StepTrial): Sets {
  random.manualSeed(0)
  const { x, y } = dataset(trial)
  const { batch, checkSteps, shuffle, rows, widths } = trial
  const loader = (n: number, shuffled: boolean) => {
    const xs = tensor(n === rows ? x : x.slice(0, n * widths[0]), { shape: [n, widths[0]] })
    const set = new data.TensorDataset(xs, tensor(n === rows ? y : y.slice(0, n)))
    return new data.DataLoader(set, { batchSize: batch, shuffle: shuffled, dropLast: true })
  }
  return { train: loader(rows, shuffle), check: loader(Math.min(rows, checkSteps * batch), false) }
}

/** The mean loss of the first steps is a mean over this many epochs of the check loader. */
export function checkEpochs({ rows, batch, checkSteps }: StepTrial): number {
  return Math.max(1, Math.round((checkSteps * batch) / rows))
}

/** The lecture's net. */
export class QwertyNet extends nn.Module {
  fc1 = new nn.Linear(2, 8)
  fc2 = new nn.Linear(8, 3)

  forward(x: Tensor): Tensor {
    return this.fc2.forward(this.fc1.forward(x).relu())
  }
}

/** The lecture's loaders: 720 rows to train on, 180 to evaluate. */
export function lectureLoaders({ batch }: LectureTrial): { train: data.DataLoader; test: data.DataLoader } {
  const { X, y } = data.qwerty()
  const [xTrain, xTest, yTrain, yTest] = data.trainTestSplit(X, y, { testSize: 0.2, randomState: 42 })
  return {
    train: new data.DataLoader(new data.TensorDataset(xTrain, yTrain), { batchSize: batch, shuffle: true }),
    test: new data.DataLoader(new data.TensorDataset(xTest, yTest), { batchSize: batch }),
  }
}

export const version = `anneal, node ${process.versions.node}`
