/** Which engine trains a model. */

import { Unplannable } from '../emitters/emitter.js'
import type { Dispatch } from './chunks.js'
import { dryRunLastBatch } from './dry_run.js'
import { EagerTrainer } from './eager_trainer.js'
import type { Engine } from './engine.js'
import { LoopEngine } from './loop_engine.js'
import type { Model, TrainingOptions } from './options.js'
import { PlanEngine } from './plan_engine.js'
import { dropGradients } from './state.js'

/** The explicit loop through the tape; `reason`: why not the plan. */
export function eagerEngine(model: Model, options: TrainingOptions, reason: string): Engine {
  return new LoopEngine('eager', model, options, new EagerTrainer(model, options), reason)
}

/** That of the backend asked for; else the plan where the model can be one, else the eager engine with the reason. */
export function chooseEngine(model: Model, options: TrainingOptions, dispatch: Dispatch): Engine {
  const chosen = options.backend?.engine(model, options)
  if (chosen) return chosen
  try {
    return new PlanEngine(model, options, dispatch)
  } catch (error) {
    if (!(error instanceof Unplannable)) throw error
    dropGradients(model, options.optimizer)
    dryRunLastBatch(model, options.train)
    return eagerEngine(model, options, error.message)
  }
}
