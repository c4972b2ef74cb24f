/** The example of models of one's own: on the plan, and bit for bit what the explicit loop gives. */

import { data, fit, nn, noGrad, optim, predict, random } from 'anneal'
import { describe, expect, it } from 'vitest'
import { MixtureOfExperts, regions, SetAttention, sets, TwoTower, tastes } from '../examples/lib/own_models.js'
import { runExample } from './helpers/run_example.js'

const models = [
  ['two towers', () => new TwoTower(), tastes, new nn.MSELoss()],
  ['a mixture of experts', () => new MixtureOfExperts(), regions, new nn.CrossEntropyLoss()],
  ['attention over a set', () => new SetAttention(), sets, new nn.CrossEntropyLoss()],
] as const

const epochs = 3

/** A model, its data and its optimizer, from the same seed; the last batch is a short one. */
function job(make: () => nn.Module, dataOf: (rows: number) => data.TensorDataset) {
  random.manualSeed(11)
  const model = make()
  const train = new data.DataLoader(dataOf(70), { batchSize: 16, shuffle: true })
  return { model, train, optimizer: new optim.AdamW(model.parameters(), { lr: 0.01 }) }
}

const values = (model: nn.Module) => [...model.parameters()].map(p => p.data.slice())

describe.each(models)('%s', (_, make, dataOf, loss) => {
  it('gives on the plan the bits of the explicit loop', () => {
    const planned = job(make, dataOf)
    const { model: onPlan, ...training } = planned
    const history = fit.sync(onPlan as never, { ...training, loss, epochs })
    expect(history.engine, history.engineReason ?? '').toBe('plan')

    const { model, train, optimizer } = job(make, dataOf)
    for (let epoch = 0; epoch < epochs; epoch++) {
      for (const batch of train) {
        optimizer.zeroGrad()
        loss.forward(model.forward(...(batch.slice(0, -1) as never[])), batch[batch.length - 1]).backward()
        optimizer.step()
      }
    }
    expect(values(onPlan)).toEqual(values(model))
    expect(history.trainLoss.at(-1)).toBeLessThan(history.trainLoss[0])
  })
})

it.each(models)('%s predicts what forward gives, for any number of rows', async (_, make, dataOf) => {
  random.manualSeed(2)
  const model = make()
  for (const rows of [1, 300, 301, 600]) {
    const inputs = dataOf(rows).tensors.slice(0, -1)
    const wanted = noGrad(() => (model as nn.Module).forward(...(inputs as never[])))
    expect((await predict(model as never, inputs)).data).toEqual(wanted.data)
  }
})

it('layers composed of ops predict on a plan what forward gives', async () => {
  const layers = [new nn.PReLU({ numParameters: 6 }), new nn.RMSNorm(6), new nn.GroupNorm(2, 6), new nn.Hardtanh()]
  const model = new nn.Sequential(new nn.Linear(4, 6), ...layers, new nn.Softsign(), new nn.Linear(6, 2))
  for (const rows of [300, 17, 500]) {
    const x = random.randn([rows, 4])
    expect((await predict(model, x)).data).toEqual(noGrad(() => model.forward(x)).data)
  }
})

it('examples/own-models.ts trains them', async () => {
  const { printed, remove } = await runExample('own-models', () => import('../examples/own-models.js'))
  await remove()
  const lines = printed.split('\n')
  expect(lines).toHaveLength(3)
  for (const line of lines) {
    const [, before, after] = /loss ([\d.]+) to ([\d.]+), engine plan/.exec(line)!.map(Number)
    expect(after, line).toBeLessThan(before / 2)
  }
}, 30_000)
