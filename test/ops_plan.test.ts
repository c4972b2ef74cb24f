/** Every op, and what is composed of ops, trained on the plan: bit for bit what the explicit loop gives. */

import { data, fit, nn, ops, optim, random, type Tensor, tensor } from 'anneal'
import { describe, expect, it } from 'vitest'
import * as registry from '../src/ops/index.js'
import type { OpSpec, Sample } from '../src/ops/spec.js'
import * as composed from '../src/tensor/composed/index.js'
import { asOne, floats, operands } from './helpers/samples.js'

type OpName = keyof typeof ops
const entries = Object.entries({ ...registry, ...composed }) as [OpName, Pick<OpSpec, 'samples'>][]

/** A model whose parameters are the operands of a sample, and whose output is the op's. */
class Op extends nn.Module {
  readonly shift = new nn.Parameter(tensor([0.5]))
  readonly compute: () => unknown

  constructor(name: OpName, sample: Sample) {
    super()
    const { args, inputs } = operands(sample, floats(7), Float32Array)
    Object.assign(this, Object.fromEntries(inputs.map((input, i) => [`input${i}`, input])))
    this.compute = () => (ops[name] as (...a: unknown[]) => unknown)(...args)
  }

  forward(x: Tensor): Tensor {
    const out = asOne(this.compute())
    const values = out.dtype === 'int32' ? ops.where(out, 1, 0) : out
    return values.square().mul(this.shift).sum().add(x.mean())
  }
}

/** What the model gives is what it minimises. */
class Output extends nn.Loss {
  override readonly needsTarget = false
  forward(prediction: Tensor): Tensor {
    return prediction
  }
}

const epochs = 2

/** A model, its data and its optimizer, from the same seed. */
function job(name: OpName, sample: Sample) {
  random.manualSeed(3)
  const model = new Op(name, sample)
  const rows = new data.TensorDataset(tensor([[1], [2], [3], [4]]))
  const train = new data.DataLoader(rows, { batchSize: 2 })
  return { model, train, loss: new Output(), optimizer: new optim.Adam(model.parameters(), { lr: 0.01 }) }
}

/** The weights as bits. */
function bits(model: nn.Module): number[][] {
  const arrays = [...model.parameters()].map(({ data: values }) => values.slice())
  return arrays.map(values => [...new Uint32Array(values.buffer)])
}

function byPlan(name: OpName, sample: Sample): number[][] {
  const { model, ...training } = job(name, sample)
  const { engine, engineReason } = fit.sync(model, { ...training, epochs })
  expect(engine, engineReason ?? '').toBe('plan')
  return bits(model)
}

function byLoop(name: OpName, sample: Sample): number[][] {
  const { model, train, loss, optimizer } = job(name, sample)
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const [x] of train) {
      optimizer.zeroGrad()
      loss.forward(model.forward(x)).backward()
      optimizer.step()
    }
  }
  return bits(model)
}

/** Bags that begin at offsets are as long as these numbers say: there the explicit loop is all there is. */
const readsValues = ({ args: [options] = [] }: Sample) => Boolean((options as { offsets?: unknown } | null)?.offsets)

describe.each(entries)('%s', (name, spec) => {
  it('gives on the plan the bits of the explicit loop', () => {
    for (const sample of spec.samples()) {
      if (readsValues(sample)) continue
      expect(byPlan(name, sample), JSON.stringify(sample)).toEqual(byLoop(name, sample))
    }
  })
})
