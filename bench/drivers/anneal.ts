/** What the drivers of this package share: a trial's model, optimizer, schedule and loaders, through the public names. */
import { data, lrScheduler, nn, optim, random, type Tensor, tensor } from 'anneal'
import type { HiddenSpec, LectureTrial, OptimizerSpec, ScheduleSpec, StepTrial } from '../trials.js'
import { dataset, layers } from './data.js'

export type Optimizer = optim.Optimizer

const norms = { layer: nn.LayerNorm, batch: nn.BatchNorm1d }
const activations = { relu: nn.ReLU, gelu: nn.GELU, silu: nn.SiLU, tanh: nn.Tanh }

/** x + inner(x). */
class Residual extends nn.Module {
  constructor(readonly inner: nn.Sequential) {
    super()
  }

  forward(x: Tensor): Tensor {
    return x.add(this.inner.forward(x))
  }
}

/** A hidden layer: the Linear and what follows it. */
function hiddenLayers(linear: nn.Linear, { norm, activation, dropout, residual }: HiddenSpec): nn.Module[] {
  const layers = [
    linear,
    ...(norm ? [new norms[norm](linear.outFeatures)] : []),
    new activations[activation](),
    ...(dropout ? [new nn.Dropout({ p: dropout })] : []),
  ]
  return residual && linear.inFeatures === linear.outFeatures ? [new Residual(new nn.Sequential(...layers))] : layers
}

/** The trial's net with its starting weights. */
export function modelOf({ widths, hidden }: Pick<StepTrial, 'widths' | 'hidden'>): nn.Sequential {
  const linears = layers({ widths }).map(({ fanIn, fanOut, weight, bias }) => {
    const linear = new nn.Linear(fanIn, fanOut)
    linear.loadStateDict({ weight: tensor(weight, { shape: [fanOut, fanIn] }), bias: tensor(bias) })
    return linear
  })
  const last = linears.length - 1
  return new nn.Sequential(...linears.flatMap((linear, i) => (i === last ? [linear] : hiddenLayers(linear, hidden))))
}

export function lossOf({ loss }: Pick<StepTrial, 'loss'>): nn.Loss {
  if (loss.name === 'mse') return new nn.MSELoss()
  if (loss.name === 'bce') return new nn.BCEWithLogitsLoss()
  return new nn.CrossEntropyLoss({ labelSmoothing: loss.labelSmoothing })
}

const optimizers = { sgd: optim.SGD, adam: optim.Adam, adamw: optim.AdamW }

export function optimizerOf(parameters: Tensor[], { name, ...options }: OptimizerSpec): Optimizer {
  return new optimizers[name](parameters, options)
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
    const ys = tensor(n === rows ? y : y.slice(0, n))
    const set = new data.TensorDataset(xs, trial.loss.name === 'crossEntropy' ? ys : ys.reshape([n, 1]))
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
