/** What a range test of the learning rate found: the loss against the rate, and the rates that it suggests. No training. */

import { type Chart, lineChart } from '../report/index.js'
import { formatNumber } from '../report/text.js'

/** Rates to start from, each read off the smoothed loss. */
export interface LrSuggestions {
  /** Where the loss falls fastest with the logarithm of the rate. */
  steepest: number
  /** Halfway down the longest valley, which is the longest run of ever lower losses, bumps passed over. */
  valley: number
  /** A tenth of the rate of the lowest loss. */
  minimum: number
}

/** The loss at each rate. */
export interface LrCurve {
  /** The rate of each update. */
  readonly lr: readonly number[]
  /** The loss of the batch at that rate. */
  readonly loss: readonly number[]
  /** Mean of the losses so far with exponential weights: `m ← s·m + (1-s)·loss`, then `m / (1 - s^n)`. */
  readonly smoothed: readonly number[]
  /** Whether it ended early, at a loss that was no longer finite or far above the lowest. */
  readonly diverged: boolean
  /** Rates to train with. */
  readonly suggestions: LrSuggestions
  /** The curve as a picture. Needs the optional packages of `report.lineChart`. */
  chart(): Promise<Chart>
}

/** The first tenth, whose means are of few losses, and the last losses of a curve that diverged say nothing. */
function trimmed(length: number): [number, number] {
  const [start, end] = [Math.floor(length / 10), length - 5]
  return end - start >= 5 ? [start, end] : [0, length]
}

function indexOfLowest(values: readonly number[]): number {
  return values.reduce((best, value, i) => (value < values[best] ? i : best), 0)
}

function steepest(lr: readonly number[], loss: readonly number[]): number {
  const slopes = loss.slice(1).map((value, i) => (value - loss[i]) / Math.log(lr[i + 1] / lr[i]))
  return lr[indexOfLowest(slopes)]
}

/** The longest falling subsequence, as first and last index of its span. */
function longestValley(loss: readonly number[]): [number, number] {
  const falls = loss.map(() => 1)
  for (let i = 1; i < loss.length; i++) {
    for (let j = 0; j < i; j++) if (loss[i] < loss[j] && falls[i] <= falls[j]) falls[i] = falls[j] + 1
  }
  const end = indexOfLowest(falls.map(length => -length))
  return [Math.max(0, end - falls[end]), end]
}

/** fastai's suggestions, on the part of the curve that says something. */
export function suggest(rates: readonly number[], smoothed: readonly number[]): LrSuggestions {
  const [from, to] = trimmed(rates.length)
  const [lr, loss] = [rates.slice(from, to), smoothed.slice(from, to)]
  const [start, end] = longestValley(loss)
  return {
    steepest: steepest(lr, loss),
    valley: lr[Math.floor((start + end) / 2)],
    minimum: lr[indexOfLowest(loss)] / 10,
  }
}

/** All losses, but of a smoothed curve that diverged not the end, beside which nothing else could be seen. */
function shownRange({ loss, smoothed, diverged }: Omit<LrCurve, 'chart'>): [number, number] {
  const level = diverged ? smoothed.slice(0, -5) : smoothed
  const [low, high] = [Math.min(...loss, ...smoothed), Math.max(smoothed[0], ...level)]
  const margin = (high - low || Math.abs(high) || 1) / 10
  return [low - margin, high + margin]
}

/** Loss and smoothed loss over the rate, the suggestions as points on the latter. */
export function drawLrCurve(curve: Omit<LrCurve, 'chart'>): Promise<Chart> {
  const { lr, loss, smoothed, suggestions } = curve
  const points = (values: readonly number[]) => values.map((value, i) => [lr[i], value] as const)
  const at = (rate: number) => smoothed[indexOfLowest(lr.map(other => Math.abs(Math.log(other / rate))))]
  return lineChart({
    title: 'Learning-rate range test',
    subtitle: 'Grey: the loss of each batch',
    xLabel: 'learning rate',
    yLabel: 'loss',
    xScale: 'log',
    yDomain: shownRange(curve),
    background: [{ name: 'loss', points: points(loss) }],
    series: [
      { name: 'smoothed loss', points: points(smoothed) },
      ...Object.entries(suggestions).map(([name, rate]) => ({
        name: `${name} ${formatNumber(Number(rate.toPrecision(2)))}`,
        points: [[rate, at(rate)] as const],
        scatter: true,
      })),
    ],
  })
}
