/**
 * A server that predicts digits while it learns them anew: a fit on a copy of the model leaves the event loop free, writes
 * checkpoints, and its model takes the place of the one that answered meanwhile. A process that is killed goes on from the
 * last checkpoint when it starts again.
 *
 * node build/js/examples/server.js [PORT]
 *   curl -X POST localhost:3000/predict -H 'content-type: application/json' -d '{"pixels":[0,0,5,…64 numbers]}'
 *   curl -X POST localhost:3000/retrain
 */
import { existsSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { callbacks, data, evaluate, fit, io, nn, optim, predict, preprocessing, random, tensor } from 'anneal'
import fastify from 'fastify'

/** What answers: replaced as a whole, never changed. */
interface Served {
  readonly model: nn.Module & { forward: nn.Sequential['forward'] }
  readonly scaler: preprocessing.Transformer
  readonly version: number
  readonly accuracy: number | null
}

const newModel = () => new nn.Sequential(new nn.Linear(64, 64), new nn.ReLU(), new nn.Linear(64, 10))

/** Rows to learn from and rows to test with, as tensors; reading and parsing would hold the event loop during requests. */
async function readRows() {
  const table = await data.readTable('examples/data/digits.csv')
  const y = tensor(Int32Array.from(table.column('digit') as ArrayLike<number>))
  const X = table.drop(['digit']).toTensor()
  const [XTrain, XTest, yTrain, yTest] = data.trainTestSplit(X, y, { testSize: 0.2, stratify: y, randomState: 0 })
  const scaler = new preprocessing.StandardScaler().fit(XTrain)
  const train = new data.TensorDataset(scaler.transform(XTrain), yTrain)
  return { scaler, train, test: new data.TensorDataset(scaler.transform(XTest), yTest) }
}

type Rows = Awaited<ReturnType<typeof readRows>>

/** The model as the last process left it, else a new one. */
async function firstServed(file: string, { scaler }: Rows): Promise<Served> {
  if (!existsSync(file)) return { model: newModel().eval(), scaler, version: 0, accuracy: null }
  const { model, preprocessing: saved } = await io.load<nn.Sequential>(file)
  return { model: model.eval(), scaler: saved!, version: 0, accuracy: null }
}

/** A copy of what is served, trained further. With checkpoints in `dir` it goes on from there. */
async function retrained({ model, version }: Served, rows: Rows, dir: string, epochs: number): Promise<Served> {
  const next = model.clone()
  const loss = new nn.CrossEntropyLoss()
  const generator = new random.Generator(version)
  const history = await fit(next, {
    train: new data.DataLoader(rows.train, { batchSize: 32, shuffle: true, generator }),
    loss,
    optimizer: new optim.AdamW(next.parameters(), { lr: 0.003 }),
    epochs,
    threads: 1,
    callbacks: [callbacks.checkpoint({ dir, everyEpochs: 5 })],
    resume: dir,
  })
  if (!history.trainLoss.every(Number.isFinite)) throw new Error('the training diverged: the old model stays')
  const { accuracy } = await evaluate(next, new data.DataLoader(rows.test, { batchSize: 256 }), loss)
  return { model: next.eval(), scaler: rows.scaler, version: version + 1, accuracy: accuracy! }
}

const pixels = { type: 'array', items: { type: 'number', minimum: 0, maximum: 16 }, minItems: 64, maxItems: 64 }

/** The server; files go to `dir`. */
export async function buildServer({ dir, epochs = 20 }: { dir: string; epochs?: number }) {
  const [file, checkpoints] = [join(dir, 'digits.safetensors'), join(dir, 'checkpoints')]
  await mkdir(checkpoints, { recursive: true })
  const rows = await readRows()
  let served = await firstServed(file, rows)
  let training: Promise<void> | null = null

  async function retrain() {
    const next = await retrained(served, rows, checkpoints, epochs)
    await io.save(file, next.model, { preprocessing: next.scaler })
    await rm(checkpoints, { recursive: true })
    await mkdir(checkpoints)
    served = next
  }

  const server = fastify()

  function startTraining() {
    training ??= retrain()
      .catch(error => console.error(error))
      .finally(() => {
        training = null
      })
  }

  server.post<{ Body: { pixels: number[] } }>(
    '/predict',
    { schema: { body: { type: 'object', required: ['pixels'], properties: { pixels } } } },
    ({ body }) => {
      const { model, scaler, version } = served
      const scores = predict.sync(model, scaler.transform([body.pixels]))
      return { digit: scores.argmax(1).item(), version }
    },
  )
  server.post('/retrain', (_request, reply) => {
    startTraining()
    return reply.code(202).send({ training: true })
  })
  server.get('/model', () => ({ version: served.version, accuracy: served.accuracy, training: training !== null }))
  server.addHook('onClose', async () => void (await training))

  if ((await readdir(checkpoints)).length > 0) startTraining() // a training that was cut off
  return server
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = await buildServer({ dir: 'out/server' })
  console.log(await server.listen({ port: Number(process.argv[2] ?? 3000) }))
}
