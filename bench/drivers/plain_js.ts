/**
 * What a careful programmer writes without a library: typed arrays and loops, all memory allocated once, contiguous inner
 * loops. No SIMD, which JavaScript does not have. A baseline, not a peer.
 */
import type { StepTrial } from '../trials.js'
import { dataset, type Layer, layers } from './data.js'
import { microseconds, readRequest, runsPerBlock, timed, warmUp, writeAnswer } from './driver.js'

interface State extends Layer {
  /** [batch, fanOut]: outputs, then their gradient. */
  out: Float32Array
  grad: Float32Array
  /** [fanIn]: the gradient of one unit's weights. */
  dw: Float32Array
  weightVelocity: Float32Array
  biasVelocity: Float32Array
}

/** y[m,n] = x wᵀ + b, negative values cut where `relu`. */
function forward({ fanIn, fanOut, weight, bias, out }: State, x: Float32Array, batch: number, relu: boolean): void {
  for (let row = 0; row < batch; row++) {
    for (let unit = 0; unit < fanOut; unit++) {
      let sum = 0
      const w = unit * fanIn
      const v = row * fanIn
      for (let i = 0; i < fanIn; i++) sum += x[v + i] * weight[w + i]
      sum += bias[unit]
      out[row * fanOut + unit] = relu && sum < 0 ? 0 : sum
    }
  }
}

/** Mean cross-entropy of `logits`; their gradient into `grad`. */
export function crossEntropy(logits: Float32Array, labels: Int32Array, classes: number, grad: Float32Array): number {
  const batch = labels.length
  let loss = 0
  for (let row = 0; row < batch; row++) {
    const at = row * classes
    let max = -Infinity
    for (let i = at; i < at + classes; i++) max = Math.max(max, logits[i])
    let sum = 0
    for (let i = at; i < at + classes; i++) {
      grad[i] = Math.exp(logits[i] - max)
      sum += grad[i]
    }
    loss += max + Math.log(sum) - logits[at + labels[row]]
    for (let i = at; i < at + classes; i++) grad[i] /= sum * batch
    grad[at + labels[row]] -= 1 / batch
  }
  return loss / batch
}

/** dx[m,k] = dy w, zero where the input x was cut by its ReLU. */
function backwardInput(layer: State, x: Float32Array, dx: Float32Array, batch: number): void {
  const { fanIn, fanOut, weight, grad } = layer
  for (let i = 0; i < batch * fanIn; i++) dx[i] = 0
  for (let row = 0; row < batch; row++) {
    const v = row * fanIn
    for (let unit = 0; unit < fanOut; unit++) {
      const g = grad[row * fanOut + unit]
      const w = unit * fanIn
      for (let i = 0; i < fanIn; i++) dx[v + i] += g * weight[w + i]
    }
    for (let i = v; i < v + fanIn; i++) if (x[i] <= 0) dx[i] = 0
  }
}

/** dw = dyᵀ x and db = sum of dy's rows, one unit at a time each followed by its update. */
function backwardWeight(layer: State, x: Float32Array, batch: number, lr: number, momentum: number): void {
  const { fanIn, fanOut, weight, bias, grad, dw, weightVelocity, biasVelocity } = layer
  for (let unit = 0; unit < fanOut; unit++) {
    let db = 0
    for (let i = 0; i < fanIn; i++) dw[i] = 0
    for (let row = 0; row < batch; row++) {
      const g = grad[row * fanOut + unit]
      const v = row * fanIn
      for (let i = 0; i < fanIn; i++) dw[i] += g * x[v + i]
      db += g
    }
    const w = unit * fanIn
    for (let i = 0; i < fanIn; i++) {
      weightVelocity[w + i] = momentum * weightVelocity[w + i] + dw[i]
      weight[w + i] -= lr * weightVelocity[w + i]
    }
    biasVelocity[unit] = momentum * biasVelocity[unit] + db
    bias[unit] -= lr * biasVelocity[unit]
  }
}

/** step(rows, start, lr): gathers a batch, trains on it and returns its loss. */
export function makeStep(trial: StepTrial) {
  const { batch, widths, optimizer } = trial
  if (optimizer.name !== 'sgd') throw new RangeError(`plain_js: expected sgd but received ${optimizer.name}`)
  const momentum = optimizer.momentum ?? 0
  const { x, y } = dataset(trial)
  const states: State[] = layers(trial).map(layer => ({
    ...layer,
    out: new Float32Array(batch * layer.fanOut),
    grad: new Float32Array(batch * layer.fanOut),
    dw: new Float32Array(layer.fanIn),
    weightVelocity: new Float32Array(layer.weight.length),
    biasVelocity: new Float32Array(layer.bias.length),
  }))
  const features = widths[0]
  const xb = new Float32Array(batch * features)
  const yb = new Int32Array(batch)
  const last = states[states.length - 1]

  return (rows: Int32Array, start: number, lr: number): number => {
    for (let i = 0; i < batch; i++) {
      const from = rows[start + i] * features
      for (let j = 0; j < features; j++) xb[i * features + j] = x[from + j]
      yb[i] = y[rows[start + i]]
    }
    states.forEach((layer, i) => {
      forward(layer, i ? states[i - 1].out : xb, batch, layer !== last)
    })
    const loss = crossEntropy(last.out, yb, last.fanOut, last.grad)
    for (let i = states.length - 1; i >= 0; i--) {
      const input = i ? states[i - 1].out : xb
      if (i) backwardInput(states[i], input, states[i - 1].grad, batch)
      backwardWeight(states[i], input, batch, lr, momentum)
    }
    return loss
  }
}

/** The rows of one epoch, shuffled (Fisher and Yates) where the trial wants it. */
function shuffle(rows: Int32Array): void {
  for (let i = rows.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    const kept = rows[i]
    rows[i] = rows[j]
    rows[j] = kept
  }
}

async function main(): Promise<void> {
  const { trial, seconds } = readRequest<StepTrial>()
  const { batch, optimizer, schedule } = trial
  const step = makeStep(trial)
  const rows = Int32Array.from({ length: trial.rows }, (_, i) => i)
  const perEpoch = Math.floor(trial.rows / batch)
  let steps = 0
  const lr = () => optimizer.lr * (schedule ? schedule.gamma ** Math.floor(steps++ / schedule.stepSize) : 1)
  let check = 0
  const coldMs = (await microseconds(() => (check = step(rows, 0, lr())))) / 1000
  for (let i = 1; i < trial.checkSteps; i++) check += step(rows, (i % perEpoch) * batch, lr())

  let next = 0
  const run = (count: number) => {
    for (let i = 0; i < count; i++) {
      if (next === 0 && trial.shuffle) shuffle(rows)
      step(rows, next * batch, lr())
      next = (next + 1) % perEpoch
    }
  }
  const block = Math.max(2, runsPerBlock(seconds, await warmUp(run)))
  const version = `node ${process.versions.node}, V8 ${process.versions.v8}`
  writeAnswer({
    version,
    unit: 'us',
    ...(await timed(() => run(block), block)),
    check: check / trial.checkSteps,
    coldMs,
  })
}

if (process.argv[1] === import.meta.filename) await main()
