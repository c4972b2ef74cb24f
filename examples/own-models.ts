/** Models of one's own, on the plan: two towers and a cosine, a mixture of experts, attention over a set of vectors. */
import { data, fit, nn, optim, random } from 'anneal'
import { MixtureOfExperts, regions, SetAttention, sets, TwoTower, tastes } from './lib/own_models.js'

random.manualSeed(0)
const rows = 600
const jobs = {
  'two towers': { model: new TwoTower(), set: tastes(rows), loss: new nn.MSELoss() },
  'mixture of experts': { model: new MixtureOfExperts(), set: regions(rows), loss: new nn.CrossEntropyLoss() },
  attention: { model: new SetAttention(), set: sets(rows), loss: new nn.CrossEntropyLoss() },
}
for (const [name, { model, set, loss }] of Object.entries(jobs)) {
  const train = new data.DataLoader(set, { batchSize: 32, shuffle: true })
  const optimizer = new optim.AdamW(model.parameters(), { lr: 0.005 })
  const { trainLoss, engine } = await fit(model, { train, loss, optimizer, epochs: 30 })
  console.log(`${name}: loss ${trainLoss[0].toFixed(3)} to ${trainLoss.at(-1)!.toFixed(3)}, engine ${engine}`)
}
