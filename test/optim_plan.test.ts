/** Updates inside a plan: where their operands lie and what they are fused with. Not here: their numbers (fit.test.ts). */

import { expect, it } from 'vitest'
import { backends } from '../src/compare/index.js'
import { DataLoader } from '../src/data/index.js'
import { recordTraining } from '../src/engine/record_step.js'
import { columnsBehind } from '../src/engine/resident.js'
import { UpdateScalars } from '../src/engine/update_scalars.js'
import { addon } from '../src/native/addon.js'
import { CrossEntropyLoss } from '../src/nn/index.js'
import { Adam, LBFGS, type Optimizer } from '../src/optim/index.js'
import { fuse } from '../src/plan/fuse.js'
import { LayoutPass } from '../src/plan/layout.js'
import { Memory } from '../src/plan/program.js'
import { fit } from '../src/train/fit.js'
import { variants } from './helpers/optimizers.js'
import { blobs, makeJob, mlp } from './helpers/training.js'

const widths = [33, 20, 5]

/** The kernels of a training step as they will run, with their dims. */
function stepOf(make: (model: ReturnType<typeof mlp>) => Optimizer) {
  const model = mlp(widths)
  const optimizer = make(model)
  const train = new DataLoader(blobs(16, widths[0], 5), { batchSize: 16 })
  const options = { train, loss: new CrossEntropyLoss(), optimizer, epochs: 1 }
  const { calls } = recordTraining(
    model,
    options,
    columnsBehind(train),
    [16],
    new UpdateScalars(optimizer),
    new Memory(),
  )
  const placed = new LayoutPass(new Map()).run(fuse(calls))
  return placed.map(call => ({ kernel: call.kernel, dims: call.kind === 'kernel' ? Object.values(call.dims) : [] }))
}

const elementwise = variants.filter(({ make }) => !make([mlp([2, 2]).parameters()[0]]).rule.emit)

it.each(elementwise)('$title is one call per parameter, in the layout of the gradient', ({ make, parametersOf }) => {
  const calls = stepOf(model => make(parametersOf(model)))
  const [fused, updates] = [/_weight_bwd_\w+_update$/, /^(?!linear_)\w+_update$/].map(name =>
    calls.filter(({ kernel }) => name.test(kernel)),
  )
  expect(updates.length + 2 * fused.length).toBe(4)
  if (fused.length === 0) expect(updates.map(({ dims }) => dims[0]).sort()).toEqual([32 * 33, 16 * 20, 32, 16].sort())
  expect(calls.filter(({ kernel }) => /pack/.test(kernel))).toEqual([])
})

it('Adam is in the epilogue of the weight gradient', () => {
  const kernels = stepOf(model => new Adam(model.parameters())).map(({ kernel }) => kernel)
  expect(kernels.filter(kernel => kernel === 'linear_panel_weight_bwd_adam_update').length).toBe(2)
  expect(kernels).not.toContain('adam_update')
})

it('every kernel of a rule is in the addon', () => {
  for (const { make } of elementwise) {
    expect(Object.keys(addon.kernels)).toContain(make([mlp([2, 2]).parameters()[0]]).rule.kernel)
  }
})

it.each(variants)('$title trains on its float64 twins too', async ({ make, parametersOf }) => {
  const train = async (backend?: typeof backends.reference) => {
    const { model, ...options } = makeJob({ rows: 40, optimizer: m => make(parametersOf(m)) })
    return fit(model, { ...options, epochs: 2, backend })
  }
  const [native, reference] = [await train(), await train(backends.reference)]
  expect([native.engine, reference.engine]).toEqual(['plan', 'reference'])
  for (const key of ['trainLoss', 'testLoss'] as const) {
    reference[key]!.forEach((loss, i) => {
      expect(native[key]![i]).toBeCloseTo(loss, 4)
    })
  }
})

it('LBFGS is trained by a backend that takes a closure, and refused by one that does not', async () => {
  const job = () => makeJob({ optimizer: m => new LBFGS(m.parameters(), { lr: 0.05, maxIter: 2 }) })
  const run = async (backend?: typeof backends.reference) => {
    const { model, ...options } = job()
    return fit(model, { ...options, epochs: 2, backend })
  }
  const [own, reference] = [await run(), await run(backends.reference)]
  expect(own.engine).toBe('eager')
  expect(reference.trainLoss[1]).toBeCloseTo(own.trainLoss[1], 3)
  await expect(run(await backends.tfjs('cpu'))).rejects.toThrow('tfjs: expected an optimizer that it has')
})
