/** The metrics of `fit({ metrics })`: which there are by name, and their values per epoch. Not here: the metrics (metrics/). */

import { suggesting } from '../base/check.js'
import { rangeError, typeError } from '../base/errors.js'
import { isPlainObject } from '../base/kinds.js'
import { concatRows, gatherRows } from '../data/rows.js'
import { hasIgnoredLabels, labelsOf } from '../engine/accuracy.js'
import * as scores from '../metrics/index.js'
import type { Loss } from '../nn/index.js'
import { noGrad, Tensor } from '../tensor/index.js'

/** A metric of one's own: a number from all targets and the model's outputs for them, as they are. */
export type MetricFunction = (target: Tensor, prediction: Tensor) => number
/** Metrics by name: those of `metrics` that fit the loss, or functions of one's own. */
export type FitMetrics = readonly MetricName[] | Readonly<Record<string, MetricFunction>>

/** The names that they have in a history. */
export function metricNames(metrics: FitMetrics): readonly string[] {
  return Array.isArray(metrics) ? metrics : Object.keys(metrics)
}

/** What a metric needs of the outputs: the classes they mean, their probabilities, or the numbers. */
interface Named {
  readonly needs: 'classes' | 'probabilities' | 'numbers'
  /** `several`: whether there are more than two classes. */
  readonly of: (target: Tensor, prediction: Tensor, several: boolean) => number
}

const average = (several: boolean) => ({ average: several ? ('macro' as const) : ('binary' as const) })
const positives = (p: Tensor, several: boolean) => (several || p.shape.length === 1 ? p : columnOf(p, p.shape[1] - 1))

const named = {
  accuracy: { needs: 'classes', of: (y, p) => scores.accuracyScore(y, p) },
  balancedAccuracy: { needs: 'classes', of: (y, p) => scores.balancedAccuracyScore(y, p) },
  precision: { needs: 'classes', of: (y, p, several) => scores.precisionScore(y, p, average(several)) },
  recall: { needs: 'classes', of: (y, p, several) => scores.recallScore(y, p, average(several)) },
  f1: { needs: 'classes', of: (y, p, several) => scores.f1Score(y, p, average(several)) },
  rocAuc: {
    needs: 'probabilities',
    of: (y, p, several) =>
      scores.rocAucScore(y, positives(p, several), { multiClass: 'ovr', ...(several && { labels: classesOf(p) }) }),
  },
  averagePrecision: {
    needs: 'probabilities',
    of: (y, p, several) => scores.averagePrecisionScore(y, positives(p, several)),
  },
  logLoss: { needs: 'probabilities', of: (y, p) => scores.logLoss(y, p, { labels: classesOf(p) }) },
  r2: { needs: 'numbers', of: (y, p) => scores.r2Score(y, p) },
  meanSquaredError: { needs: 'numbers', of: (y, p) => scores.meanSquaredError(y, p) },
  meanAbsoluteError: { needs: 'numbers', of: (y, p) => scores.meanAbsoluteError(y, p) },
  rootMeanSquaredError: { needs: 'numbers', of: (y, p) => scores.rootMeanSquaredError(y, p) },
} as const satisfies Record<string, Named>

/** Metrics that `fit` and `sweep` know by name. */
export type MetricName = keyof typeof named

function columnOf({ shape: [rows, width], values: data }: Tensor, c: number): Tensor {
  return new Tensor(
    [rows],
    'float32',
    Float32Array.from({ length: rows }, (_, i) => data[i * width + c]),
  )
}

const classesOf = ({ shape }: Tensor) => Array.from({ length: Math.max(2, shape[1] ?? 1) }, (_, c) => c)

/** Throws TypeError or RangeError for metrics that are none, or that do not fit the loss. */
export function checkMetrics(where: string, metrics: unknown, { predicts }: Loss): void {
  if (!Array.isArray(metrics)) {
    if (!isPlainObject(metrics)) throw typeError(where, 'metrics to be names or functions by name', metrics)
    for (const [name, metric] of Object.entries(metrics))
      if (typeof metric !== 'function') throw typeError(where, `metrics.${name} to be a function`, metric)
    return
  }
  const known = Object.keys(named)
  for (const name of metrics) {
    if (!known.includes(name))
      throw suggesting(
        rangeError(where, `metrics to be among ${known.join(', ')}`, name),
        typeof name === 'string' ? name : '',
        known,
      )
    const numbers = named[name as MetricName].needs === 'numbers'
    if (numbers !== (predicts === 'numbers'))
      throw rangeError(where, `metrics to fit a loss that predicts ${predicts}`, name)
  }
}

/** The classes that outputs mean, by the loss they are made for. */
function toClasses({ predicts }: Loss, prediction: Tensor): Tensor {
  if (predicts === 'classes') return prediction.argmax(1)
  const threshold = predicts === 'logits' ? 0 : 0.5
  return new Tensor(
    prediction.shape,
    'int32',
    Int32Array.from(prediction.values, x => (x > threshold ? 1 : 0)),
  )
}

function toProbabilities({ predicts }: Loss, prediction: Tensor): Tensor {
  if (predicts === 'classes') return prediction.softmax(1)
  return predicts === 'logits' ? prediction.sigmoid() : prediction
}

/** A named metric as a function of targets and outputs; NaN of outputs that are not finite. */
function asFunction(loss: Loss, name: MetricName): MetricFunction {
  const { needs, of }: Named = named[name]
  return (target, prediction) => {
    if (!prediction.values.every(Number.isFinite)) return NaN
    const y = loss.predicts === 'classes' ? labelsOf(prediction, target) : target
    const p =
      needs === 'classes'
        ? toClasses(loss, prediction)
        : needs === 'numbers'
          ? prediction
          : toProbabilities(loss, prediction)
    return of(y, p, loss.predicts === 'classes' && prediction.shape[1] > 2)
  }
}

/** Batches side by side, until an epoch is over. */
class Gathered {
  #predictions: Tensor[] = []
  #targets: Tensor[] = []

  add(prediction: Tensor, target: Tensor): void {
    this.#predictions.push(prediction)
    this.#targets.push(target)
  }

  /** All targets and predictions since the last time; null of none. */
  take(): [target: Tensor, prediction: Tensor] | null {
    const [targets, predictions] = [this.#targets, this.#predictions]
    ;[this.#targets, this.#predictions] = [[], []]
    return targets.length === 0 ? null : [concatRows(targets), concatRows(predictions)]
  }
}

/** Values of an epoch by name. */
export type MetricValues = Record<string, { train: number; test?: number }>

/** Computes metrics of each epoch from its predictions. */
export class EpochMetrics {
  readonly names: readonly string[]
  readonly #functions: readonly MetricFunction[]
  readonly #gathered = { train: new Gathered(), test: new Gathered() }

  constructor(
    private readonly loss: Loss,
    metrics: FitMetrics,
  ) {
    const own = metrics as Readonly<Record<string, MetricFunction>>
    this.names = metricNames(metrics)
    this.#functions = this.names.map(name =>
      Array.isArray(metrics) ? asFunction(loss, name as MetricName) : own[name],
    )
  }

  /** Rows with the label that is ignored do not count. */
  add(trains: boolean, prediction: Tensor, target: Tensor): void {
    const { classifies, ignoreIndex } = this.loss
    const gathered = this.#gathered[trains ? 'train' : 'test']
    if (!classifies || !hasIgnoredLabels(target, ignoreIndex)) {
      gathered.add(prediction, target)
      return
    }
    const rows = Int32Array.from(target.values.keys()).filter(i => target.values[i] !== ignoreIndex)
    gathered.add(gatherRows('fit', prediction, rows), gatherRows('fit', target, rows))
  }

  /** The values of the epoch that is over. */
  take(): MetricValues {
    const [train, test] = [this.#gathered.train.take(), this.#gathered.test.take()]
    const value = (metric: MetricFunction, of: [Tensor, Tensor]) => noGrad(() => metric(...of)) as number
    return Object.fromEntries(
      this.names.map((name, i) => {
        const metric = this.#functions[i]
        return [name, { train: train ? value(metric, train) : NaN, ...(test && { test: value(metric, test) }) }]
      }),
    )
  }
}
