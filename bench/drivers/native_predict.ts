/** `predict.sync` as a user calls it. */
import { predict } from 'anneal'
import { timePredictions } from './predictions.js'

await timePredictions((model, threads) => x => predict.sync(model, x, { threads }).data)
