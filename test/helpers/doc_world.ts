/** What the examples in docstrings and docs take for granted, made anew for each of them. Not a test. */

import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { data, fit, io, lrScheduler, nn, optim, preprocessing, random, report, Tensor, tensor } from 'anneal'
import { expect } from 'vitest'
import { run } from '../../src/cli/program.js'

class Net extends nn.Module {
  fc1 = new nn.Linear(2, 8)
  fc2 = new nn.Linear(8, 3)
  override forward(x: Tensor): Tensor {
    return this.fc2.forward(this.fc1.forward(x).relu())
  }
}

/** A model of numbers beside codes. */
class Mixed extends nn.Module {
  codes = new nn.Embedding(3, 4)
  numbers = new nn.Linear(2, 4)
  head = new nn.Linear(4, 1)
  override forward(numbers: Tensor, codes: Tensor): Tensor {
    return this.head.forward(this.numbers.forward(numbers).add(this.codes.forward(codes)))
  }
}

const people = {
  age: [31, 42, 27, null],
  income: [2400, 3100, null, 2750],
  city: ['Berlin', 'Lyon', 'Berlin', 'Porto'],
  job: ['baker', 'nurse', 'nurse', 'baker'],
  label: [0, 1, 1, 0],
}

async function* arriving() {
  yield { age: 30, city: 'Oslo' }
}

/** The files that examples read, and a model that was saved, in the working folder. */
export async function writeFiles(): Promise<void> {
  writeFileSync('people.csv', 'age,income,city,zip\n31,2400,Berlin,01067\n42,3100.5,Lyon,69001\n27,,Berlin,10115\n')
  writeFileSync(
    'iris.csv',
    'a,b,c,d,species\n5.1,3.5,1.4,0.2,setosa\n4.9,3.1,1.5,0.1,setosa\n6.3,3.3,6,2.5,virginica\n',
  )
  writeFileSync('clicks.csv', 'age,hour,clicked\n31,5,0\n42,17,1\n27,22,1\n')
  await io.save('iris.safetensors', new nn.Sequential(new nn.Linear(4, 3)), {
    labels: ['setosa', 'versicolor', 'virginica'],
  })
  const iris = resolve(import.meta.dirname, '../../examples/data/iris.csv')
  await run(['train', iris, '--target', 'species', '--quiet'])
}

/** A small classification: data, loaders, a model, its optimizer and a schedule. */
export function world() {
  const { X, y } = data.qwerty()
  const dataset = new data.TensorDataset(X, y)
  const train = new data.DataLoader(dataset, { batchSize: 32, shuffle: true })
  const test = new data.DataLoader(dataset, { batchSize: 32 })
  const model = new Net()
  const loss = new nn.CrossEntropyLoss()
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 })
  const scheduler = new lrScheduler.StepLR(optimizer, { stepSize: 30 })
  const logits = random.randn([4, 3], { requiresGrad: true })
  const [XTrain, XTest] = data.trainTestSplit(X, y, { randomState: 0 })
  const scaler = new preprocessing.StandardScaler().fit(XTrain)
  return {
    ...{ X, y, x: X, dataset, train, test, loader: train, trainLoader: train, testLoader: test },
    ...{ Net, model, loss, optimizer, scheduler, options: { train, test, loss, optimizer, epochs: 2 } },
    ...{ logits, prediction: logits, labels: tensor([0, 2, 1, 1], { dtype: 'int32' }), target: random.rand([4, 3]) },
    ...{ XTrain, XTest, scaler, table: data.tableFrom(people) },
    ...{ numbers: X, categories: y, mixed: new Mixed(), rowsThatArriveOneByOne: arriving() },
    ...{ database: { prepare: (_sql: string) => ({ iterate: () => [{ age: 30, city: 'Oslo' }] }) } },
    ...{ bytes: new Uint8Array(100 * 784), digits: tensor(new Int32Array(100)), bits: new Uint16Array(100 * 8) },
    ...{ layer: new nn.Linear(16, 8), averaged: new optim.AveragedModel(model), testLoss: 0.5 },
  }
}

/** A run that has ended, and pictures of it. */
export async function pictures() {
  const { model, options } = world()
  const history = await fit(model, options)
  const chartOf = (values: number[]) =>
    report.lineChart({ title: 'A run', xLabel: 'epoch', yLabel: 'loss', series: [{ name: 'training', values }] })
  const losses = await chartOf(history.trainLoss)
  return { history, losses, chart: losses, rates: losses }
}

function plain(value: unknown): unknown {
  if (value instanceof Tensor) return [...value.shape]
  return ArrayBuffer.isView(value) ? [...(value as Float64Array)] : value
}

/** Compares a value with what the comment beside it says: of a tensor its shape; numbers to the digits that it gives. */
export function shown(value: unknown, wanted: unknown): void {
  const rounded = (_: string, part: unknown) => (typeof part === 'number' ? Number(part.toPrecision(6)) : part)
  expect(JSON.parse(JSON.stringify(plain(value)), rounded)).toEqual(JSON.parse(JSON.stringify(wanted), rounded))
}
