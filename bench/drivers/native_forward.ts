/** An explicit forward without gradients, which packs the weights each time. */
import { noGrad } from 'anneal'
import { timePredictions } from './predictions.js'

await timePredictions(model => {
  model.eval()
  return x => noGrad(() => model.forward(x)).data
})
