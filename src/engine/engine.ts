/** What a run asks of an engine, and what an engine may ask of the run it works for. */

import type { Steps } from '../base/drive.js'
import type { DataLoader } from '../data/index.js'
import type { StreamOffset } from '../data/table_offset.js'
import type { Tensor } from '../tensor/index.js'
import type { Model, TrainingOptions } from './options.js'

/** Sums over the batches of one epoch. */
export interface EpochSums {
  /** Batch losses added up in float64, in order. */
  loss: number
  batches: number
  /** Those of them that have no loss: their samples weigh nothing, or all labels are ignored. */
  weightless: number
  /** Updates made: of evaluation none. */
  updates: number
  /** Labels, where a row may have several. */
  rows: number
  /** Those of them that were the largest score. */
  correct: number
}

export function emptySums(): EpochSums {
  return { loss: 0, batches: 0, weightless: 0, updates: 0, rows: 0, correct: 0 }
}

/** The unweighted mean of the batch losses. */
export function meanLoss({ loss, batches, weightless }: EpochSums): number {
  return loss / (batches - weightless)
}

/** Where a run is in the middle of a training pass, between two updates. */
export interface Place {
  /** The states of the loader's streams when the pass began: its order is drawn from there again. */
  readonly streams: readonly Uint8Array[]
  /** What the pass has given so far; its batches say how far it has come. */
  readonly sums: EpochSums
  /** Of a stream, where its source is read on from. */
  readonly offset?: StreamOffset
}

/** The place after the batches of some sums, in a pass that began with the streams in these states. */
export function placeIn(loader: DataLoader, streams: readonly Uint8Array[], sums: EpochSums): Place {
  const offset = loader.offsetOf(sums.batches)
  return { streams, sums: { ...sums }, ...(offset && { offset }) }
}

/** The run an engine works for: it is told of every update. */
export interface Run {
  /** Notes the rates of the update that follows. */
  beforeUpdate(): void
  /** Steps the schedule. */
  afterUpdate(): void
  /**
   * Skips up to `most` more updates with the rates just noted, as long as the schedule leaves every option as it is.
   * Returns how many; left out by those who look at every update.
   */
  skipUpdates?(most: number): number
  /**
   * Puts the weights to train with, or to evaluate with, in the place of the others. Called with everything handed back,
   * before each pass over a loader; left out where they are the same.
   */
  switchTo?(mode: 'train' | 'eval'): void
  /** Takes the loss of a batch that was really trained on; left out by those who need the sums only. */
  afterLoss?(loss: number): void
  /** Takes the predictions of one batch or several and their targets, where the options ask for metrics. */
  afterPredictions?(trains: boolean, prediction: Tensor, target: Tensor | undefined): void
  /** Whether the run ends with NotFinite at the first value that is not, everything being as before that step. */
  readonly checksFinite?: boolean
  /** Takes the sums of an epoch; `test` is undefined, or empty, where nothing is evaluated. */
  afterEpoch(train: EpochSums, test: EpochSums | undefined): void
  /** Reports progress; throws where the run is over. Called when the updates so far have really been done. */
  afterChunk(sums: EpochSums): Steps<void>
  /** The steps of the next chunk, and what comes of it, as rank 0 has it; left out where there is no other. */
  agree?(steps: number): Steps<number>
  /** Updates that may still be done, where there is a limit besides the epochs. */
  updatesLeft?(): number
  /** Remembers rates and schedule; the function returned puts them back. */
  snapshot(): () => void
}

export interface Engine {
  /** `plan`, `eager`, or the name of the backend that was chosen. */
  readonly name: string
  /** Why the plan could not be used. */
  readonly reason?: string
  /** Trains and evaluates one epoch, and up to `most` where it goes faster, and tells the run of each. */
  epochs(run: Run, most: number): Steps<void>
  /**
   * Makes the model and the optimizer those of the last update: before callbacks, and at the end. Until the next epoch
   * they may be changed; data too, where they are handed `toOthers`, as to callbacks.
   */
  handBack(toOthers?: boolean): void
  /**
   * Runs `read` while the model and the optimizer are those of the last update, to be read and not changed: the engine
   * goes on with its own.
   */
  show<T>(read: () => T): T
  /** Where the training pass is; null between two passes, and in that of evaluation. */
  place(): Place | null
  /** Goes on from there, with streams, weights and state as they were. Before the first epoch. */
  goTo(place: Place): void
  /** Frees what it holds outside of JavaScript's memory; the last call. */
  close?(): void
}

/** What `fit({ backend })` takes: it brings an engine of its own, or null for the usual ones. */
export interface TrainingBackend {
  readonly name: string
  engine(model: Model, options: TrainingOptions): Engine | null
}
