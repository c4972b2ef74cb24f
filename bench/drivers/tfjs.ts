/**
 * TensorFlow.js the two ways its documentation trains a model: `optimizer.minimize` on variables, and the layers API with
 * `model.fit`. No handicap: everything warmed up, tensors tidied, data resident, batches gathered from shuffled rows as
 * `model.fit` does, no cost returned that nobody reads, no yielding to the event loop, every block fenced by a read.
 */
import type * as Tfjs from '@tensorflow/tfjs'
import type { TfjsSettings } from '../contenders.js'
import type { OptimizerSpec, StepTrial } from '../trials.js'
import { dataset, layers } from './data.js'
import { microseconds, readRequest, runsPerBlock, timed, warmUp, writeAnswer } from './driver.js'
import { internal } from './internal.js'

const { trial, seconds } = readRequest<StepTrial>()
const { kind, api, tfThreads }: TfjsSettings = JSON.parse(process.argv[3])
// TensorFlow reads them when it loads.
if (tfThreads)
  for (const name of ['TF_NUM_INTRAOP_THREADS', 'TF_NUM_INTEROP_THREADS']) process.env[name] = String(tfThreads)

interface Load {
  loadTf(kind: string): Promise<{ tf: typeof Tfjs; version: string; device: string }>
}
const { loadTf } = await internal<Load>('compare/tfjs/load.js')
const { tf, version, device } = await loadTf(kind)

const { batch, widths, schedule, shuffle, checkSteps } = trial
const perEpoch = Math.floor(trial.rows / batch)
const [features, classes] = [widths[0], widths[widths.length - 1]]

/** x: [rows, features], y: [rows, classes] one-hot; rows past the last whole batch are dropped. */
const set = tf.tidy(() => {
  const { x, y } = dataset(trial)
  const n = perEpoch * batch
  return {
    x: tf.tensor2d(x.subarray(0, n * features), [n, features]),
    y: tf.oneHot(tf.tensor1d(y.subarray(0, n), 'int32'), classes).toFloat() as Tfjs.Tensor2D,
  }
})

type Batch = [x: Tfjs.Tensor2D, y: Tfjs.Tensor2D]

/** `count` rows from row `start`. */
const rowsFrom = (start: number, count: number): Batch => [
  set.x.slice([start, 0], [count, features]),
  set.y.slice([start, 0], [count, classes]),
]

function optimizerOf({ name, lr, ...options }: OptimizerSpec): Tfjs.Optimizer {
  const { momentum, betas, eps } = options as { momentum?: number; betas?: [number, number]; eps?: number }
  if (name === 'adam') return tf.train.adam(lr, betas?.[0], betas?.[1], eps ?? 1e-8)
  return momentum ? tf.train.momentum(lr, momentum) : tf.train.sgd(lr)
}

const optimizer = optimizerOf(trial.optimizer)
let steps = 0

/** StepLR: TensorFlow.js has no schedules, only a rate that can be set. */
function advance(): void {
  if (!schedule || ++steps % schedule.stepSize !== 0) return
  const lr = trial.optimizer.lr * schedule.gamma ** (steps / schedule.stepSize)
  const settable = optimizer as unknown as { setLearningRate?(lr: number): void; learningRate: number }
  if (settable.setLearningRate) settable.setLearningRate(lr)
  else settable.learningRate = lr
}

interface Way {
  /** One update on a batch; its loss. */
  step(...batch: Batch): Promise<number>
  /** Many updates, awaited to the last number. */
  run(steps: number): Promise<void>
  /** The nearest number of steps that `run` does. */
  whole(steps: number): number
}

/** Starting weights as TensorFlow.js keeps them, [in, out]. */
const weights = layers(trial).map(({ fanIn, fanOut, weight, bias }) => ({
  w: tf.tidy(() => tf.tensor2d(weight, [fanOut, fanIn]).transpose()),
  b: tf.tensor1d(bias),
}))

function minimize(): Way {
  const variables = weights.map(({ w, b }) => ({ w: tf.variable(w), b: tf.variable(b) }))
  const last = variables.length - 1
  const logits = (x: Tfjs.Tensor2D) =>
    variables.reduce<Tfjs.Tensor>((a, { w, b }, i) => {
      const z = a.matMul(w).add(b)
      return i === last ? z : z.relu()
    }, x)
  const update = ([x, y]: Batch, returnCost: boolean) => {
    const cost = optimizer.minimize(() => tf.losses.softmaxCrossEntropy(y, logits(x)), returnCost)
    advance()
    return cost
  }
  const inOrder = shuffle ? [] : Array.from({ length: perEpoch }, (_, i) => tf.tidy(() => rowsFrom(i * batch, batch)))
  let next = 0
  let order = new Int32Array()
  const nextBatch = (): Batch => {
    if (!shuffle) return inOrder[next]
    if (next === 0) order = Int32Array.from(tf.util.createShuffledIndices(perEpoch * batch))
    const rows = tf.tensor1d(order.subarray(next * batch, (next + 1) * batch), 'int32')
    return [set.x.gather(rows), set.y.gather(rows)]
  }
  return {
    step: async (...pair) => tf.tidy(() => update(pair, true)!.dataSync()[0]),
    async run(count) {
      for (let i = 0; i < count; i++) {
        tf.tidy(() => void update(nextBatch(), false))
        next = (next + 1) % perEpoch
      }
      await variables[last].b.data()
    },
    whole: count => count,
  }
}

function fitLayers(): Way {
  const model = tf.sequential()
  weights.forEach(({ w, b }, i) => {
    const activation = i === weights.length - 1 ? undefined : 'relu'
    const layer = tf.layers.dense({ units: widths[i + 1], activation, inputShape: i ? undefined : [features] })
    model.add(layer)
    layer.setWeights([w, b])
  })
  // The loss on logits: one fused op, faster and more exact than a softmax layer and categoricalCrossentropy.
  model.compile({ optimizer, loss: (y, logits) => tf.losses.softmaxCrossEntropy(y, logits).asScalar() })
  const parts = new Map<number, Batch>()
  const firstBatches = (count: number): Batch => {
    if (count >= perEpoch) return [set.x, set.y]
    const known = parts.get(count) ?? tf.tidy(() => rowsFrom(0, count * batch))
    parts.set(count, known)
    return known
  }
  const callbacks = schedule && { onBatchEnd: async () => advance() }
  return {
    async step(x, y) {
      const loss = (await model.trainOnBatch(x, y)) as number
      advance()
      return loss
    },
    async run(count) {
      const [x, y] = firstBatches(count)
      const epochs = Math.max(1, Math.round(count / perEpoch))
      await model.fit(x, y, { batchSize: batch, epochs, shuffle, callbacks, verbose: 0, yieldEvery: 'never' })
      await model.layers[model.layers.length - 1].getWeights()[1].data()
    },
    whole: count => (count < perEpoch ? count : Math.round(count / perEpoch) * perEpoch),
  }
}

const way = { minimize, layers: fitLayers }[api]()
let check = 0
const checkStep = async (i: number) => {
  const pair = tf.tidy(() => rowsFrom((i % perEpoch) * batch, batch))
  check += await way.step(...pair)
  tf.dispose(pair)
}
const coldMs = (await microseconds(() => checkStep(0))) / 1000
for (let i = 1; i < checkSteps; i++) await checkStep(i)

const us = await warmUp(count => way.run(count))
const block = way.whole(Math.max(2, runsPerBlock(seconds, us)))
await way.run(block)
const figures = await timed(() => way.run(block), block)
const settings = { kind, api, device, tfThreads: tfThreads ?? 'default' }
writeAnswer({ version, unit: 'us', ...figures, check: check / checkSteps, coldMs, settings })
