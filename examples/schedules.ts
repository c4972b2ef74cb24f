/**
 * Schedules on top of adaptive optimizers: the lecture's QwertyNet under Adam and RMSprop, with six schedules each. All
 * twelve runs are one `sweep`, each on a random stream of its own. Every schedule starts from, or rises to, the same rate.
 *
 * node build/js/examples/schedules.js [--out DIR]     writes into out/schedules unless told otherwise
 */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { data, lrScheduler, nn, optim, report, sweep, type Tensor } from 'anneal'
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
const train = new data.DataLoader(new data.TensorDataset(XTrain, yTrain), { batchSize: 32, shuffle: true })
const test = new data.DataLoader(new data.TensorDataset(XTest, yTest), { batchSize: 32 })

const epochs = 20
const totalSteps = epochs * train.length // 460
const lr = 0.01

const optimizers = {
  Adam: (model: QwertyNet) => new optim.Adam(model.parameters(), { lr }),
  RMSprop: (model: QwertyNet) => new optim.RMSprop(model.parameters(), { lr }),
}

type Schedule = (optimizer: optim.Optimizer) => lrScheduler.LRScheduler

const schedules = {
  exponential: o => new lrScheduler.ExponentialLR(o, { gamma: 0.99 }),
  'multi-step': o => new lrScheduler.MultiStepLR(o, { milestones: [totalSteps / 2, (3 * totalSteps) / 4], gamma: 0.1 }),
  plateau: o => new lrScheduler.ReduceLROnPlateau(o, { factor: 0.5, patience: 1 }), // told the test loss after each epoch
  cosine: o => new lrScheduler.CosineAnnealingLR(o, { tMax: totalSteps }),
  'one-cycle': o => new lrScheduler.OneCycleLR(o, { maxLr: lr, totalSteps, cycleMomentum: false, hold: true }),
  'warm-up, stable, decay': o =>
    new lrScheduler.WarmupStableDecayLR(o, { totalSteps, warmupSteps: totalSteps / 10, decaySteps: totalSteps / 5 }),
} satisfies Record<string, Schedule>

type Names<T> = (keyof T & string)[]

const result = await sweep({
  makeModel: () => new QwertyNet(),
  makeOptimizer: (model, { optimizer }) => optimizers[optimizer](model as QwertyNet),
  makeScheduler: (optimizer, { schedule }) => schedules[schedule](optimizer as optim.Optimizer),
  grid: {
    optimizer: Object.keys(optimizers) as Names<typeof optimizers>,
    schedule: Object.keys(schedules) as Names<typeof schedules>,
  },
  ...{ train, test, loss: new nn.CrossEntropyLoss(), epochs },
})
console.log(result.table())

/** Rates and test losses under one optimizer, a curve per schedule in the order of the table above. */
function charts(optimizer: keyof typeof optimizers): Promise<report.Chart>[] {
  const runs = Object.keys(schedules).map(name => {
    const run = result.runs.find(({ params }) => params.optimizer === optimizer && params.schedule === name)!
    return { name, history: run.history }
  })
  const size = { width: 640, height: 400 }
  return [
    report.lineChart({
      ...{ title: `Learning rate under ${optimizer}`, xLabel: 'update', yLabel: 'learning rate', ...size },
      series: runs.map(({ name, history }) => ({ name, values: history.lr as number[], step: true })),
    }),
    report.lineChart({
      ...{ title: `Test loss under ${optimizer}`, xLabel: 'epoch', yLabel: 'cross-entropy (nats)', ...size },
      series: runs.map(({ name, history }) => ({ name, values: history.testLoss! })),
      yScale: 'log',
    }),
  ]
}

const folder = outFolder('out/schedules')
const picture = report.chartGrid(await Promise.all([...charts('Adam'), ...charts('RMSprop')]))
await mkdir(folder, { recursive: true })
await writeFile(join(folder, 'schedules.svg'), picture.svg)
await writeFile(join(folder, 'schedules.png'), await picture.png(1.5))
const histories = result.runs.map(({ params, history }) => ({ ...params, ...history }))
await writeFile(join(folder, 'history.json'), JSON.stringify(histories))
