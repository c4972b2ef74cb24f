/** The figures that runs end with: their means and standard deviations. Not here: ranking (ranking.ts). */

import { formatNumber } from '../report/text.js'
import { type Figure, figuresIn, type History, lastOf } from './history.js'

/** A figure's mean over runs, and its standard deviation (divided by n - 1; 0 of one run). */
export interface Spread {
  readonly mean: number
  readonly deviation: number
}

/** The spread of each figure that the runs have, at their last epoch, by name: `testLoss`, `test.f1`. */
export type Figures = Readonly<Record<string, Spread>>

export function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return { mean, deviation: values.length === 1 ? 0 : Math.sqrt(squares / (values.length - 1)) }
}

export function figuresOf(histories: readonly History[]): Figures {
  const spread = (figure: Figure) => spreadOf(histories.map(history => lastOf(history, figure)))
  return Object.fromEntries(figuresIn(histories[0]).map(figure => [figure, spread(figure)]))
}

/** `0.312 ± 0.004` */
export const spreadText = ({ mean, deviation }: Spread): string => `${formatNumber(mean)} ± ${formatNumber(deviation)}`
