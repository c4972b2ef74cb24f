/** Which engine trains a model. */

import type { Steps } from '../base/drive.js'
import { AnnealError, phrase } from '../base/errors.js'
import type { World } from '../distributed/world.js'
import { Unplannable } from '../emitters/unplannable.js'
import type { Dispatch } from './chunks.js'
import { dryRunLastBatch } from './dry_run.js'
import { EagerTrainer } from './eager_trainer.js'
import type { Engine, Place, Run } from './engine.js'
import { NotFinite } from './finite.js'
import { LoopEngine } from './loop_engine.js'
import { type Model, sharedBy, type TrainingOptions } from './options.js'
import { PlanEngine } from './plan_engine.js'

/** The explicit loop through the tape; `reason`: why not the plan. */
export function eagerEngine(model: Model, options: TrainingOptions, reason: string): Engine {
  return new LoopEngine('eager', model, options, new EagerTrainer(model, options), reason)
}

/** The plan as long as the model can be one; where a callback makes something else of it, the explicit loop from there on. */
class PlanWhilePossible implements Engine {
  #engine: Engine
  readonly #plan: PlanEngine

  constructor(
    private readonly model: Model,
    private readonly options: TrainingOptions,
    dispatch: Dispatch,
  ) {
    this.#plan = new PlanEngine(model, options, dispatch)
    this.#engine = this.#plan
  }

  get name(): string {
    return this.#engine.name
  }

  get reason(): string | undefined {
    return this.#engine.reason
  }

  *epochs(run: Run, most: number): Steps<void> {
    try {
      yield* this.#engine.epochs(run, most)
      return
    } catch (error) {
      // Done again in the explicit loop, the step shows what was not finite first.
      if (!(error instanceof Unplannable || (error instanceof NotFinite && this.#engine === this.#plan))) throw error
      if (!this.#plan.canBeLeft) {
        const expected = 'fit: expected the model to stay one for the plan within an epoch'
        throw new AnnealError('ERR_STATE', `${expected} but ${error.message}`)
      }
      const world = sharedBy(this.options)
      if (world && error instanceof Unplannable) throw refusedWith(world, error)
      this.#leavePlan(error.message)
    }
    yield* this.#engine.epochs(run, 1)
  }

  #leavePlan(reason: string): void {
    const place = this.#plan.place()
    this.#plan.close()
    this.#engine = eagerEngine(this.model, this.options, reason)
    if (place) this.#engine.goTo(place)
  }

  handBack(toOthers?: boolean): void {
    this.#engine.handBack(toOthers)
  }

  show<T>(read: () => T): T {
    return this.#engine.show(read)
  }

  place(): Place | null {
    return this.#engine.place()
  }

  goTo(place: Place): void {
    this.#engine.goTo(place)
  }

  close(): void {
    this.#engine.close?.()
  }
}

/** The explicit loop is no work that ranks can share. */
function refusedWith({ size }: World, { message }: Unplannable): AnnealError {
  const received = `none (${message}): without world it trains in one process`
  return new AnnealError('ERR_STATE', phrase('fit', `a plan that ${size} ranks can share`, received))
}

/** That of the backend asked for; else the plan where the model can be one, else the eager engine with the reason. */
export function chooseEngine(model: Model, options: TrainingOptions, dispatch: Dispatch): Engine {
  const chosen = options.backend?.engine(model, options)
  if (chosen) return chosen
  const world = sharedBy(options)
  try {
    return new PlanWhilePossible(model, options, world ? 'away' : dispatch)
  } catch (error) {
    if (!(error instanceof Unplannable)) throw error
    if (world) throw refusedWith(world, error)
    dryRunLastBatch(model, options.loss, options.train)
    return eagerEngine(model, options, error.message)
  }
}
