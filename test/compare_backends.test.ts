/** The backends behind one interface: what they report, how they fail, and whole fits on them. */

import { execFileSync } from 'node:child_process'
import { AnnealError, backends, callbacks, evaluate, fit, lrScheduler, nn, optim, tensor } from 'anneal'
import { describe, expect, test } from 'vitest'
import { loadTf } from '../src/compare/tfjs/load.js'
import { allBackends, tfjsBackends } from './helpers/backends.js'
import { makeJob as makeJobWithModel } from './helpers/training.js'

const others = allBackends.filter(backend => backend !== backends.native)

describe('every backend', () => {
  test.each(allBackends)('$name reports what it is and what it runs on', backend => {
    const { name, version, device, threads, isa } = backend
    for (const text of [name, version, device, isa]) expect(text).toMatch(/\S/)
    expect(threads).toBeGreaterThanOrEqual(1)
    if (name === 'node-gpu') expect(version).toMatch(/^tfjs-node 4\.22\.0, TensorFlow 2\./)
  })

  test.each(allBackends)('$name readies a call, runs it and reads its result', backend => {
    const y = new Float32Array(2)
    const [x, w, b] = [Float32Array.of(1, 2), Float32Array.of(1, 1, -1, -1), Float32Array.of(0.5, 0.5)]
    const call = backend.prepare('linear_relu_fwd', { x, w, b, y, m: 1, k: 2, n: 2 })
    call.run()
    call.run()
    call.read()
    call.dispose()
    expect([...y]).toEqual([3.5, 0])
  })

  test.each(allBackends)('$name has no kernel of another name', backend => {
    expect(() => backend.prepare('no_such', {})).toThrow(/expected .*kernel.* but received "?no_such/)
  })
})

test('loading says what was expected', async () => {
  const odd = backends.tfjs('webgl' as never)
  await expect(odd).rejects.toThrow(/^backends.tfjs: expected kind to be 'node-gpu' .* but received "webgl"$/)
  await expect(backends.tfjs('cpu')).resolves.toBe(await backends.tfjs('cpu'))
})

/** A model, and options of `fit` for it. */
function makeJob(options: Parameters<typeof makeJobWithModel>[0]) {
  const { model, ...job } = makeJobWithModel(options)
  return { model, job }
}

test.runIf(tfjsBackends.some(({ name }) => name === 'node-gpu'))(
  'node-gpu loads where Node has dropped a function it calls',
  () => {
    const program = `
    const util = require('node:util')
    delete util.isNullOrUndefined
    import('anneal').then(async ({ backends, tensor, optim }) => {
      const p = tensor([1, 2], { requiresGrad: true })
      p.grad = tensor([1, 1])
      const updater = (await backends.tfjs('node-gpu')).updater(new optim.SGD([p], { lr: 1 }))
      updater.load(); updater.step(); updater.read()
      console.log(p.data.join(), typeof util.isNullOrUndefined)
    })`
    expect(execFileSync(process.execPath, ['-e', program], { encoding: 'utf8' })).toBe('0,1 function\n')
  },
)

const sgd = (model: nn.Module) => new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })
const adam = (model: nn.Module) => new optim.Adam(model.parameters(), { lr: 0.01 })

describe.each(others)('fit({ backend }) on $name', backend => {
  test.each([
    ['SGD with momentum', sgd],
    ['Adam', adam],
  ])('%s: the curves, rates and weights of native', async (_, optimizer) => {
    const scheduler = (o: optim.Optimizer) => new lrScheduler.StepLR(o, { stepSize: 3, gamma: 0.5 })
    const ours = makeJob({ optimizer, scheduler })
    const want = await fit(ours.model, { ...ours.job, epochs: 3 })
    const theirs = makeJob({ optimizer, scheduler })
    const got = await fit(theirs.model, { ...theirs.job, epochs: 3, backend })
    expect(got.engine).toBe(backend.name)
    expect(got.lr).toEqual(want.lr)
    expect([got.trainAcc, got.testAcc]).toEqual([want.trainAcc, want.testAcc])
    for (const curve of ['trainLoss', 'testLoss'] as const)
      want[curve]!.forEach((loss, i) => {
        expect(Math.abs(got[curve]![i] - loss) / loss).toBeLessThan(1e-4)
      })
    const weights = ours.model.parameters().map(p => [...p.data])
    theirs.model.parameters().forEach((p, k) => {
      p.data.forEach((value, i) => {
        expect(value).toBeCloseTo(weights[k][i], 4)
      })
    })
  })

  test('sync is the same', () => {
    const a = makeJob({ optimizer: sgd })
    const want = fit.sync(a.model, { ...a.job, epochs: 2 })
    const b = makeJob({ optimizer: sgd })
    const got = fit.sync(b.model, { ...b.job, epochs: 2, backend })
    expect(got.trainLoss[1]).toBeCloseTo(want.trainLoss[1], 4)
  })

  test('a callback sees the weights and may change them', () => {
    const { model, job } = makeJob({
      optimizer: model => new optim.SGD(model.parameters(), { lr: 0 }),
      withTest: false,
    })
    const [weight] = model.parameters()
    const seen: number[] = []
    const onEpochEnd = () => {
      seen.push(weight.data[0])
      for (const p of model.parameters()) p.data.fill(0)
    }
    const { trainLoss } = fit.sync(model, { ...job, epochs: 2, backend, onEpochEnd })
    expect(seen[0]).not.toBe(0)
    expect(seen[1]).toBe(0)
    expect(trainLoss[1]).toBeCloseTo(Math.log(3), 5)
    expect(weight.data[0]).toBe(0)
  })

  test('a callback may change the weights before the first epoch', () => {
    const { model, job } = makeJob({ optimizer: model => new optim.SGD(model.parameters(), { lr: 0 }) })
    const start = { onStart: () => model.parameters().forEach(p => void p.data.fill(0)) }
    const { trainLoss } = fit.sync(model, { ...job, epochs: 1, backend, callbacks: [start] })
    expect(trainLoss[0]).toBeCloseTo(Math.log(3), 5)
  })

  test('an abort gives the history so far', async () => {
    const { model, job } = makeJob({ optimizer: sgd })
    const stop = new AbortController()
    const failing = fit(model, { ...job, epochs: 50, backend, signal: stop.signal, onEpochEnd: () => stop.abort() })
    await expect(failing).rejects.toMatchObject({ code: 'ERR_ABORTED', history: { trainLoss: [expect.any(Number)] } })
  })

  test('early stopping restores the best weights', async () => {
    const { model, job } = makeJob({ optimizer: model => new optim.SGD(model.parameters(), { lr: 5 }) })
    const stopping = callbacks.earlyStopping({ monitor: 'testLoss', patience: 1, restoreBest: true })
    const { testLoss = [] } = await fit(model, { ...job, epochs: 8, backend, callbacks: [stopping] })
    const best = Math.min(...testLoss)
    expect(best).toBeLessThan(testLoss[testLoss.length - 1])
    expect(evaluate.sync(model, job.test!, job.loss).loss).toBeCloseTo(best, 4)
  })

  test('accumulates gradients as the native one does', () => {
    const own = makeJob({ optimizer: sgd })
    const want = fit.sync(own.model, { ...own.job, epochs: 2, accumulate: 2 })
    const { model, job } = makeJob({ optimizer: sgd })
    const got = fit.sync(model, { ...job, epochs: 2, accumulate: 2, backend })
    expect(got.trainLoss[1]).toBeCloseTo(want.trainLoss[1], 4)
    expect(got.lr).toEqual(want.lr)
  })

  test('clips gradients as the native one does, or says that it cannot', () => {
    const own = makeJob({ optimizer: sgd })
    const want = fit.sync(own.model, { ...own.job, epochs: 2, clipGradNorm: 0.1 })
    const { model, job } = makeJob({ optimizer: sgd })
    const clipping = () => fit.sync(model, { ...job, epochs: 2, clipGradNorm: 0.1, backend })
    if (backend === backends.reference) expect(clipping().trainLoss[1]).toBeCloseTo(want.trainLoss[1], 4)
    else expect(clipping).toThrow('tfjs: expected no clipGradNorm, which it has not')
  })
})

test('fit({ backend: backends.native }) is fit', () => {
  const a = makeJob({ optimizer: adam })
  const want = fit.sync(a.model, { ...a.job, epochs: 2 })
  const b = makeJob({ optimizer: adam })
  expect(fit.sync(b.model, { ...b.job, epochs: 2, backend: backends.native })).toEqual(want)
  expect(want.engine).toBe('plan')
})

test('fit refuses what is no backend', () => {
  const { model, job } = makeJob({ optimizer: sgd })
  for (const backend of ['wasm', {}, null] as never[])
    expect(() => fit.sync(model, { ...job, epochs: 1, backend })).toThrow(/fit: expected backend to be one of/)
})

describe.each(tfjsBackends)('$name refuses what it would compute differently', backend => {
  const loss = new nn.CrossEntropyLoss()
  const parameter = () => tensor([1, 2], { requiresGrad: true })

  test('options', () => {
    const decay = new optim.SGD([parameter()], { lr: 0.1, weightDecay: 0.1 })
    expect(() => backend.updater(decay)).toThrow("tfjs: expected SGD's weightDecay to be 0 but received 0.1")
    expect(() => backend.updater(new optim.AdamW([parameter()]))).toThrow(
      /tfjs: expected an optimizer that it has \(SGD, Adam.*\) but received AdamW/,
    )
    const groups = new optim.SGD([{ params: [parameter()] }, { params: [parameter()] }], { lr: 0.1 })
    expect(() => backend.updater(groups)).toThrow('tfjs: expected one group of parameters but received 2')
  })

  test('an optimizer that has made updates', () => {
    const p = parameter()
    const optimizer = new optim.Adam([p])
    p.grad = tensor([1, 1])
    optimizer.step()
    expect(() => backend.updater(optimizer)).toThrow('tfjs: expected an optimizer without state')
  })

  test('parameters that are not trained, and ops that are not here', () => {
    const model = new nn.Sequential(new nn.Linear(2, 3), new nn.Linear(3, 2))
    const some = new optim.SGD([model.parameters()[0]], { lr: 0.1 })
    expect(() => backend.trainer(model, { loss, optimizer: some })).toThrow(AnnealError)
    class Odd extends nn.Module {
      fc = new nn.Linear(2, 2)
      override forward(x: ReturnType<typeof tensor>) {
        return this.fc.forward(x).softmax(1)
      }
    }
    const odd = new Odd()
    const trainer = backend.trainer(odd, { loss, optimizer: new optim.SGD(odd.parameters(), { lr: 0.1 }) })
    const x = tensor([[1, 2]])
    expect(() => trainer.gradients({ inputs: [x], target: tensor(Int32Array.of(1)) })).toThrow(
      'tfjs: expected kernels it has here but received softmax_fwd',
    )
    trainer.dispose()
  })

  test('class weights together with label smoothing', () => {
    const args = { logits: Float32Array.of(1, 2), labels: Int32Array.of(1), weight: Float32Array.of(1, 2), m: 1, n: 2 }
    const outputs = { each: new Float32Array(1), loss: new Float32Array(1), dlogits: new Float32Array(2) }
    const scalars = { reduction: 1, ignore_index: -100, label_smoothing: 0.5 }
    expect(() => backend.kernels.softmax_xent_fwd_bwd({ ...args, ...outputs, ...scalars })).toThrow(
      'tfjs: expected class weights or label smoothing but received both',
    )
  })
})

test.each(tfjsBackends)('$name frees every tensor of a fit', async backend => {
  const { tf } = await loadTf(backend.name as 'cpu')
  const run = () => {
    const { model, job } = makeJob({ optimizer: adam })
    fit.sync(model, { ...job, epochs: 2, backend })
  }
  run()
  const before = tf.memory().numTensors
  run()
  expect(tf.memory().numTensors).toBe(before)
})
