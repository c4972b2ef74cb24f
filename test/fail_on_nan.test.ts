/** `failOnNaN`: the step and the place of the first value that is not finite, and everything as it was before that step. */

import { callbacks, data, fit, lrScheduler, nn, optim, random, type Tensor, tensor } from 'anneal'
import { describe, expect, it } from 'vitest'
import { chunkSettings } from '../src/engine/chunks.js'
import { blobs, type Job, stateOf } from './helpers/training.js'

/** Its output of layer `odd` overflows once the rows say so. */
class Net extends nn.Module {
  fc1 = new nn.Linear(4, 6)
  drop = new nn.Dropout({ p: 0.2 })
  norm = new nn.BatchNorm1d(6)
  odd = new (class Odd extends nn.Module {
    override forward(x: Tensor) {
      return x
    }
  })()
  fc2 = new nn.Linear(6, 3)

  override forward(x: Tensor): Tensor {
    return this.fc2.forward(this.odd.forward(this.norm.forward(this.drop.forward(this.fc1.forward(x)).relu())))
  }
}

interface Options {
  eager?: boolean
  withTest?: boolean
  accumulate?: number
  lr?: (t: number) => number
  momentum?: number
}

function jobOf({ eager, withTest, lr = () => 0.1, momentum = 0.9 }: Options): Job {
  random.manualSeed(4)
  const model = new Net()
  const set = blobs(40, 4, 3)
  const dataset = eager ? { length: 40, get: (i: number) => set.get(i) } : set
  const optimizer = new optim.SGD(model.parameters(), { lr: 1, momentum })
  const scheduler = new lrScheduler.LambdaLR(optimizer, { lrLambda: lr })
  const train = new data.DataLoader(dataset, { batchSize: 8, shuffle: true })
  const test = withTest ? new data.DataLoader(set, { batchSize: 16 }) : undefined
  return { model, optimizer, scheduler, train, test, loss: new nn.CrossEntropyLoss() }
}

/** The state before each step of the explicit loop, up to the first that makes a value that is not finite. */
function loop(options: Options) {
  const job = jobOf(options)
  const { model, optimizer, scheduler, train, loss } = job
  const { accumulate = 1 } = options
  for (let step = 1, done = 0; ; ) {
    let before = stateOf(job)
    let left = train.length
    let parts = 0
    for (const [x, y] of train) {
      if (done === 0) {
        before = stateOf(job)
        parts = Math.min(accumulate, left)
      }
      const value = loss.forward(model.forward(x), y)
      value.backward(parts === 1 ? undefined : tensor(1 / parts))
      left--
      if (!Number.isFinite(value.item())) return { step, before }
      if (++done < parts) continue
      done = 0
      optimizer.step()
      optimizer.zeroGrad()
      scheduler!.step()
      if (!model.parameters().every(p => p.data.every(Number.isFinite))) return { step, before }
      step++
    }
    job.test?.[Symbol.iterator]() // draws its base seed
  }
}

async function failure(job: Job, options: Options, epochs = 30) {
  const { model, ...rest } = job
  const given = { ...rest, accumulate: options.accumulate ?? 1, epochs, callbacks: [callbacks.failOnNaN()] }
  const error = await fit(model, given as never).catch(e => e)
  return error as Error & { code: string; history: { trainLoss: number[]; lr: number[]; engine: string } }
}

const stepOf = ({ message }: Error) => Number(/ in step (\d+)/.exec(message)?.[1])

const kinds: [string, Options][] = [
  ['the plan', {}],
  ['the plan, with a test loader', { withTest: true }],
  ['the plan, several batches per update', { accumulate: 3 }],
  ['the explicit loop', { eager: true }],
  ['the explicit loop, several batches per update', { eager: true, accumulate: 2 }],
]

describe.each(kinds)('on %s', (_name, options) => {
  it.each([
    ['the rate explodes', (t: number) => (t < 13 ? 0.1 : 1e38)],
    ['the rate explodes at once', () => 1e38],
    ['the rate is not finite any more', (t: number) => (t < 17 ? 0.05 : 3e38)],
  ])('%s: the step is that of the loop, and so are weights and state', async (_what, lr) => {
    for (const steps of [null, 3]) {
      chunkSettings.steps = steps
      try {
        const expected = loop({ ...options, lr })
        const job = jobOf({ ...options, lr })
        const error = await failure(job, options)
        expect(error).toMatchObject({ code: 'ERR_NONFINITE' })
        expect(error.message).toMatch(/^failOnNaN: expected finite values but received -?(NaN|Infinity) in /)
        expect(stepOf(error)).toBe(expected.step)
        expect(stateOf(job)).toEqual(expected.before)
        expect(error.history.lr).toHaveLength(expected.step - 1)
        expect(job.scheduler!.lastEpoch).toBe(expected.step - 1)
      } finally {
        chunkSettings.steps = null
      }
    }
  })
})

describe('names', () => {
  it('the layer whose output it was first', async () => {
    const job = jobOf({})
    const { odd } = job.model as never as Net
    odd.forward = x => x.log()
    expect((await failure(job, {})).message).toBe(
      'failOnNaN: expected finite values but received NaN in the output of odd (Odd) in step 1',
    )
  })

  it('the gradient, where the loss is finite', async () => {
    const job = jobOf({ momentum: 0 })
    const { odd } = job.model as never as Net
    // sqrt has an infinite slope at 0, and 0 of it reaches the loss
    odd.forward = x => x.mul(0).sqrt()
    expect((await failure(job, {})).message).toMatch(
      /received (NaN|-?Infinity) in the gradient of norm\.bias in step 1$/,
    )
  })

  it('the tensor after the update, where everything before was finite', async () => {
    const error = await failure(jobOf({ lr: t => (t < 4 ? 0.1 : 1e300), momentum: 0 }), {})
    expect(error.message).toMatch(/received .*Infinity in (fc\d|norm)\.\w+ after the update in step 5$/)
  })

  it('nothing where batches have no loss, and costs the plan nothing else', async () => {
    const labels = Int32Array.from({ length: 16 }, (_, i) => (i < 8 ? -100 : i % 3))
    const [x] = blobs(16, 4, 3).tensors
    const train = new data.DataLoader(new data.TensorDataset(x, tensor(labels)), { batchSize: 8 })
    for (const guards of [[], [callbacks.failOnNaN()]]) {
      const { model, optimizer, loss } = jobOf({})
      const history = await fit(model, { train, loss, optimizer, epochs: 3, callbacks: guards })
      expect(history.engine).toBe('plan')
      expect(history.trainLoss.every(Number.isFinite)).toBe(true)
    }
  })

  it('and leaves the bits as they are where nothing comes up', async () => {
    const [plain, guarded] = [jobOf({ withTest: true }), jobOf({ withTest: true })]
    random.manualSeed(1)
    const { model: a, ...first } = plain
    const { trainLoss } = await fit(a, { ...first, epochs: 5 })
    random.manualSeed(1)
    const { model: b, ...second } = guarded
    const history = await fit(b, { ...second, epochs: 5, callbacks: [callbacks.failOnNaN()] })
    expect(history).toMatchObject({ trainLoss, engine: 'plan' })
    expect(stateOf(guarded)).toEqual(stateOf(plain))
  })
})
