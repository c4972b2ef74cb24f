/** What `fit` asks of an engine, and what an engine may ask of the run it works for. */

import type { DataLoader } from '../data/index.js'
import type { Loss } from '../nn/index.js'
import type { Steps } from './drive.js'
import type { FitOptions, Model } from './options.js'

/** Sums over the batches of one epoch. */
export interface EpochSums {
  /** Batch losses added up in float64, in order. */
  loss: number
  batches: number
  rows: number
  /** Rows whose label was the largest logit. */
  correct: number
}

/** The run an engine works for: it is told of every update. */
export interface Run {
  readonly options: FitOptions
  /** Notes the rates of the update that follows. */
  beforeUpdate(): void
  /** Steps the schedule. */
  afterUpdate(): void
  /** Reports progress; throws where the run was aborted. Called when the updates so far have really been done. */
  afterChunk(sums: EpochSums): void
  /** Remembers rates and schedule; the function returned puts them back. */
  snapshot(): () => void
}

export interface Engine {
  /** `plan`, `eager`, or the name of the backend that was chosen. */
  readonly name: string
  /** Why the plan could not be used. */
  readonly reason?: string
  trainEpoch(run: Run): Steps<EpochSums>
  evaluate(loader: DataLoader, loss: Loss): Steps<EpochSums>
  /** Makes the model and the optimizer those of the last update: before callbacks, and at the end. */
  handBack(): void
  /** Frees what it holds outside of JavaScript's memory; the last call. */
  close?(): void
}

/** What `fit({ backend })` takes: it brings an engine of its own, or null for the usual ones. */
export interface TrainingBackend {
  readonly name: string
  engine(model: Model, options: FitOptions): Engine | null
}
