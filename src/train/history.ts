/** What a training run leaves behind, and the events it sends on the way. */

import { checkOneOf } from '../base/check.js'
import { AnnealError, describe, phrase } from '../base/errors.js'

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
  /** The same on the test loader; absent without one. */
  testAcc?: number[]
  /** Those of `fit({ metrics })` by name; `test` is absent without a test loader. */
  metrics?: Record<string, { train: number[]; test?: number[] }>
  /** The learning rate used for each update; an array per update where the optimizer has several groups. */
  lr: (number | number[])[]
  /** What trained: `plan` (compiled), `eager`, or the name of the backend that was chosen. */
  engine: string
  /** Why it was not the plan. */
  engineReason?: string
}

/** The figures of an epoch that every run may have. */
export const figures = ['testLoss', 'trainLoss', 'testAcc', 'trainAcc'] as const
/** A figure that can be watched or ranked by: one of those, or that of a metric: `test.f1`. */
export type Figure = (typeof figures)[number] | `${'train' | 'test'}.${string}`

const isPlain = (figure: Figure): figure is (typeof figures)[number] => (figures as readonly string[]).includes(figure)

/** Whether this is the name of a figure. */
export function isFigure(name: unknown): name is Figure {
  return typeof name === 'string' && (isPlain(name as Figure) || /^(train|test)\../.test(name))
}

/** The name of the figure `name`, if it is one. */
export function checkFigure(where: string, option: string, name: unknown): Figure {
  if (isFigure(name)) return name
  return checkOneOf(where, option, name, [...figures, 'test.NAME' as never])
}

/** A figure's curve; undefined where the run has none. */
export function curveOf(history: History, figure: Figure): readonly number[] | undefined {
  if (isPlain(figure)) return history[figure]
  const [side, name] = split(figure)
  return history.metrics?.[name]?.[side]
}

/** A figure's value in an epoch; undefined where the run has none. */
export function figureOf(event: EpochEvent, figure: Figure): number | undefined {
  if (isPlain(figure)) return event[figure]
  const [side, name] = split(figure)
  return event.metrics?.[name]?.[side]
}

/** A figure's last value, or NaN. */
export const lastOf = (history: History, figure: Figure): number => curveOf(history, figure)?.at(-1) ?? Number.NaN

function split(figure: Figure): ['train' | 'test', string] {
  const dot = figure.indexOf('.')
  return [figure.slice(0, dot) as 'train' | 'test', figure.slice(dot + 1)]
}

/** All figures that a run has: losses and accuracies, then metrics by name. */
export function figuresIn(history: History): Figure[] {
  const names = Object.keys(history.metrics ?? {})
  const all = [...figures, ...names.flatMap((name): Figure[] => [`test.${name}`, `train.${name}`])]
  return all.filter(figure => curveOf(history, figure) !== undefined)
}

/** What a table's column or a picture's axis calls a figure: `test loss`, `test f1`. */
export function titleOf(figure: Figure): string {
  return isPlain(figure) ? figure.replace(/[A-Z]/, letter => ` ${letter.toLowerCase()}`) : split(figure).join(' ')
}

/** Metrics by name of which less is better. */
const errors = ['logLoss', 'meanSquaredError', 'meanAbsoluteError', 'rootMeanSquaredError']

/** 1 where less is better, as of losses and errors, -1 where more is, as of accuracies and other metrics. */
export function directionOf(figure: Figure): 1 | -1 {
  if (isPlain(figure)) return figure.endsWith('Acc') ? -1 : 1
  return errors.includes(split(figure)[1]) ? 1 : -1
}

/** Sent to `onEpochEnd` after each epoch; `epoch` counts from 1. */
export interface EpochEvent {
  /** The epoch that has ended, from 1. */
  epoch: number
  /** As in `History`. */
  trainLoss: number
  /** Absent without a test loader. */
  testLoss?: number
  /** Absent for regression. */
  trainAcc?: number
  /** Absent for regression, and without a test loader. */
  testAcc?: number
  /** Those of `fit({ metrics })` by name. */
  metrics?: Record<string, { train: number; test?: number }>
  /** The rate of the epoch's last update. */
  lr: number | number[]
  /** Since the start of the epoch. */
  seconds: number
}

/** Sent to `onProgress`: a few times a second at the most, and once at the end. */
export interface ProgressEvent {
  /** Updates done, and in all. */
  step: number
  /** Updates in all. */
  steps: number
  /** The current epoch, from 1. */
  epoch: number
  /** Epochs in all. */
  epochs: number
  /** Mean batch loss of the epoch so far. */
  loss: number
  /** The rate of the last update. */
  lr: number | number[]
  /** Since the start of the run. */
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

/** What a run failed with, `history` so far among its properties; what is no Error becomes the cause of one. */
export function withHistory(error: unknown, history: History): Error {
  if (error instanceof AbortedError) return error
  const own =
    error instanceof Error && Object.isExtensible(error)
      ? error
      : new AnnealError('ERR_CALLBACK', phrase('fit', 'whatever fails to throw an Error', describe(error)), {
          cause: error,
        })
  return Object.defineProperty(own, 'history', { value: history, configurable: true, writable: true })
}
