/** How good predictions are, in the figures that the task has. Not here: the figures (metrics). */

import { type data, metrics, type Tensor } from '../../index.js'
import { formatNumber } from '../../report/index.js'
import { codesOf, numbersOf } from './task.js'

/** Figures by name, and of classes the counts of which was taken for which. */
export interface Scores {
  readonly rows: number
  readonly figures: Readonly<Record<string, number>>
  readonly confusionMatrix?: readonly (readonly number[])[]
}

/** Of logits [rows, classes] and codes. The area under the ROC curve needs every class among the rows. */
function classScores(codes: Tensor, logits: Tensor): Scores {
  const classes = logits.shape[1]
  const labels = Array.from({ length: classes }, (_, code) => code)
  const [predicted, probabilities] = [logits.argmax(1), logits.softmax(1)]
  const all = new Set(codes.data).size === classes
  const positives = Float64Array.from({ length: codes.data.length }, (_, row) => probabilities.data[row * classes + 1])
  const area = () =>
    classes === 2
      ? metrics.rocAucScore(codes, positives)
      : metrics.rocAucScore(codes, probabilities, { multiClass: 'ovr', labels })
  return {
    rows: codes.data.length,
    figures: {
      accuracy: metrics.accuracyScore(codes, predicted),
      balancedAccuracy: metrics.balancedAccuracyScore(codes, predicted),
      macroF1: metrics.f1Score(codes, predicted, { average: 'macro', labels }),
      logLoss: metrics.logLoss(codes, probabilities, { labels }),
      ...(all && { rocAuc: area() }),
    },
    confusionMatrix: metrics.confusionMatrix(codes, predicted, { labels }),
  }
}

/** Of numbers in the target's unit. */
function numberScores(target: Float64Array, predicted: ArrayLike<number>): Scores {
  return {
    rows: target.length,
    figures: {
      r2: metrics.r2Score(target, predicted),
      rootMeanSquaredError: metrics.rootMeanSquaredError(target, predicted),
      meanAbsoluteError: metrics.meanAbsoluteError(target, predicted),
    },
  }
}

/** How good a model's outputs are for a table's rows, by the target in it. */
export function scoresFor(
  table: data.Table,
  target: string,
  labels: readonly string[] | null,
  outputs: Tensor,
): Scores {
  const values = table.column(target)
  return labels
    ? classScores(codesOf(values, labels, target), outputs)
    : numberScores(numbersOf(values, target), outputs.data)
}

/** `accuracy 0.967, log loss 0.1`. */
export function scoresText({ figures }: Scores): string {
  const words = (name: string) => name.replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`)
  return Object.entries(figures)
    .map(([name, value]) => `${words(name)} ${formatNumber(Number(value.toPrecision(4)))}`)
    .join(', ')
}
