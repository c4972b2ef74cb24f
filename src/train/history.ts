/** What a training run leaves behind, and the events it sends on the way. */

import { AnnealError } from '../base/errors.js'

/** Curves of a training run; one entry per epoch unless said otherwise. */
export interface History {
  /** Unweighted mean of the batch losses. */
  trainLoss: number[]
  /** The same on the test loader; absent without one. */
  testLoss?: number[]
  /**
   * Share of rows whose label was the largest score, counted while training; absent for regression. Of a distribution
   * as target, the likeliest class is the label.
   */
  trainAcc?: number[]
  testAcc?: number[]
  /** The learning rate used for each update; an array per update where the optimizer has several groups. */
  lr: (number | number[])[]
  /** What trained: `plan` (compiled), `eager`, or the name of the backend that was chosen. */
  engine: string
  /** Why it was not the plan. */
  engineReason?: string
}

/** The curves of a history that can be watched or ranked: losses fall, accuracies rise. */
export const metrics = ['testLoss', 'trainLoss', 'testAcc', 'trainAcc'] as const
export type Metric = (typeof metrics)[number]

/** 1 where less is better, -1 where more is. */
export function directionOf(metric: Metric): 1 | -1 {
  return metric.endsWith('Acc') ? -1 : 1
}

/** Sent to `onEpochEnd` after each epoch; `epoch` counts from 1. */
export interface EpochEvent {
  epoch: number
  trainLoss: number
  testLoss?: number
  trainAcc?: number
  testAcc?: number
  /** The rate of the epoch's last update. */
  lr: number | number[]
  /** Since the start of the epoch. */
  seconds: number
}

/** Sent to `onProgress`: a few times a second at the most, and once at the end. */
export interface ProgressEvent {
  /** Updates done, and in all. */
  step: number
  steps: number
  /** The current epoch, from 1. */
  epoch: number
  epochs: number
  /** Mean batch loss of the epoch so far. */
  loss: number
  lr: number | number[]
  stepsPerSecond: number
}

/** A run that was aborted: `history` holds the epochs that were completed. */
export class AbortedError extends AnnealError {
  readonly history: History

  constructor(reason: unknown, history: History) {
    super('ERR_ABORTED', `fit: aborted after ${history.trainLoss.length} epochs`, { cause: reason })
    this.history = history
  }
}
