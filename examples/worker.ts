/**
 * `fit` in a worker thread: the weights go there and come back by postMessage, as plain data. Only what a thread of its own
 * is for: `fit` alone leaves the event loop free, and needs no worker for that.
 *
 * node build/js/examples/worker.js
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { data, evaluate, fit, metrics, nn, optim, predict, preprocessing, random } from 'anneal'

const table = await data.readTable('examples/data/iris.csv')
const X = new preprocessing.StandardScaler().fitTransform(table.drop(['species']))
const y = new preprocessing.LabelEncoder().fitTransform(table.column('species'))
const model = new nn.Sequential(new nn.Linear(4, 16), new nn.ReLU(), new nn.Linear(16, 3))

/** Trains from the weights that came with the worker, and sends them back with the optimizer's state. */
async function train(port: NonNullable<typeof parentPort>) {
  model.loadStateDict(workerData.weights)
  const optimizer = new optim.AdamW(model.parameters(), { lr: 0.01 })
  const train = new data.DataLoader(new data.TensorDataset(X, y), { batchSize: 16, shuffle: true })
  const progress = { watchOnly: true, onProgress: (event: object) => port.postMessage({ progress: event }) }
  const loss = new nn.CrossEntropyLoss()
  const { trainLoss } = await fit(model, { train, loss, optimizer, epochs: 40, callbacks: [progress] })
  const { accuracy } = await evaluate(model, train, loss)
  port.postMessage({ weights: model.stateDict(), optimizer: optimizer.stateDict(), accuracy, trainLoss })
}

/** The worker's last message; how many told of progress before it. */
async function trainedElsewhere() {
  const worker = new Worker(new URL(import.meta.url), { workerData: { weights: model.stateDict() } })
  let told = 0
  return new Promise<{ weights: nn.StateDict; optimizer: never; accuracy: number; told: number }>((resolve, reject) => {
    worker.on('error', reject)
    worker.on('message', message => (message.progress ? told++ : resolve({ ...message, told })))
  })
}

if (!isMainThread && parentPort) {
  await train(parentPort)
} else {
  random.manualSeed(0)
  const before = metrics.accuracyScore(y, (await predict(model, X)).argmax(1))
  const trained = await trainedElsewhere()
  model.loadStateDict(trained.weights)
  const optimizer = new optim.AdamW(model.parameters(), { lr: 0.01 })
  optimizer.loadStateDict(trained.optimizer)
  const after = metrics.accuracyScore(y, (await predict(model, X)).argmax(1))
  console.log(`accuracy ${before.toFixed(4)} before, ${after.toFixed(4)} with the worker's weights`)
  console.log(`in the worker ${trained.accuracy.toFixed(4)}, ${trained.told} messages of progress`)
  const file = JSON.parse(JSON.stringify(model.stateDict())) // the same in JSON: values in base64
  model.loadStateDict(file)
  console.log(`accuracy ${metrics.accuracyScore(y, (await predict(model, X)).argmax(1)).toFixed(4)} through JSON`)
}
