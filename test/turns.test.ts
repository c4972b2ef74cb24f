/** Engines whose run switches to other weights for evaluation, as schedule-free optimizers do: the plan is the eager engine. */

import { describe, expect, it } from 'vitest'
import { driveSync } from '../src/base/drive.js'
import { eagerEngine } from '../src/engine/choose.js'
import type { Engine, EpochSums, Run } from '../src/engine/engine.js'
import { exclusively } from '../src/engine/exclusive.js'
import type { Model } from '../src/engine/options.js'
import { PlanEngine } from '../src/engine/plan_engine.js'
import { SGD } from '../src/optim/index.js'
import { manualSeed } from '../src/random/index.js'
import { type Job, makeJob, stateOf } from './helpers/training.js'

const sgd = (model: Model) => new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })

/** A run that evaluates with all weights halved. */
function halving(job: Job, seen: EpochSums[], turns: string[]): Run {
  const { model } = job
  return {
    beforeUpdate() {},
    afterUpdate() {},
    *afterChunk() {},
    snapshot: () => () => {},
    afterEpoch: (train, test) => void seen.push(train, test!),
    switchTo(mode) {
      const factor = mode === 'eval' ? 0.5 : turns.length > 0 ? 2 : 1
      turns.push(mode)
      for (const { data } of model.parameters()) for (let i = 0; i < data.length; i++) data[i] *= factor
    },
  }
}

function train(job: Job, makeEngine: () => Engine) {
  const [seen, turns]: [EpochSums[], string[]] = [[], []]
  const run = halving(job, seen, turns)
  manualSeed(4)
  const steps = function* () {
    const engine = makeEngine()
    yield* engine.epochs(run, 2)
    while (seen.length < 6) yield* engine.epochs(run, 1)
    engine.handBack()
    engine.close?.()
  }
  driveSync('test', exclusively('test', job.model, job, steps))
  return { seen, turns, state: stateOf(job) }
}

describe('a run that switches', () => {
  it('is given back everything before each pass, on the plan as on the eager engine', () => {
    const [one, other] = [makeJob({ optimizer: sgd }), makeJob({ optimizer: sgd })]
    const options = ({ train, test, loss, optimizer }: Job) => ({ train, test, loss, optimizer })
    const eager = train(one, () => eagerEngine(one.model, options(one), 'test'))
    const plan = train(other, () => new PlanEngine(other.model, options(other), 'here'))
    expect(plan.turns).toEqual(['train', 'eval', 'train', 'eval', 'train', 'eval'])
    expect(plan).toEqual(eager)
  })
})
