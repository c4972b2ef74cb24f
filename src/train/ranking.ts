/** The runs of a sweep from best to worst, as a table and as one picture. Not here: running them (sweep.ts). */

import { type Chart, lineChart, type Row, textTable } from '../report/index.js'
import { formatNumber } from '../report/text.js'
import { directionOf, type Metric } from './history.js'
import type { SweepRun } from './sweep.js'

/** What `sweep` returns. */
export interface SweepResult<P> {
  /** Best first; runs whose metric is not a number come last. */
  readonly runs: readonly SweepRun<P>[]
  /** What they are ranked by, at the last epoch. */
  readonly rankedBy: Metric
  /** Settings and figures of the last epoch, a row per run, ready for `report`. */
  readonly rows: readonly Row[]
  /** The rows as text. */
  table(): string
  /** The curves of all runs in one picture, the best six by name. Default: of the metric they are ranked by. */
  chart(metric?: Metric): Promise<Chart>
}

/** How many curves a picture names. */
const NAMED = 6

const columns: [Metric, string][] = [
  ['trainLoss', 'train loss'],
  ['testLoss', 'test loss'],
  ['trainAcc', 'train acc'],
  ['testAcc', 'test acc'],
]

function lastOf<P>({ history }: SweepRun<P>, metric: Metric): number {
  return history[metric]?.at(-1) ?? Number.NaN
}

function valueText(value: unknown): string {
  return typeof value === 'number' ? formatNumber(value) : typeof value === 'string' ? value : JSON.stringify(value)
}

function rowOf<P>(run: SweepRun<P>, i: number): Row {
  const settings = Object.entries(run.params).map(([name, value]) => [
    name,
    typeof value === 'number' ? value : valueText(value),
  ])
  const figures = columns
    .filter(([metric]) => run.history[metric])
    .map(([metric, title]) => [title, lastOf(run, metric)])
  return { rank: i + 1, ...Object.fromEntries(settings), ...Object.fromEntries(figures) }
}

/** A run's name in the picture: the settings in which the runs differ. */
function namer<P>(runs: readonly SweepRun<P>[]): (run: SweepRun<P>) => string {
  const names = Object.keys(runs[0].params) as (keyof P & string)[]
  const differing = names.filter(name => new Set(runs.map(({ params }) => params[name])).size > 1)
  return ({ params }) => differing.map(name => `${name} ${valueText(params[name])}`).join(', ') || 'run'
}

/** Losses of the best runs; what lies far above them would leave them no room. */
function rangeOf(curves: readonly (readonly number[])[]): [number, number] | undefined {
  const values = curves.flat().filter(Number.isFinite)
  const [low, high] = [Math.min(...values), Math.max(...values)]
  if (!(low < high)) return undefined
  return [low - (high - low) / 20, high + (high - low) / 20]
}

const titles: Record<Metric, [title: string, axis: string]> = {
  trainLoss: ['Training loss', 'loss'],
  testLoss: ['Test loss', 'loss'],
  trainAcc: ['Training accuracy', 'accuracy'],
  testAcc: ['Test accuracy', 'accuracy'],
}

function draw<P>(runs: readonly SweepRun<P>[], metric: Metric): Promise<Chart> {
  const nameOf = namer(runs)
  const curve = (run: SweepRun<P>) => ({ name: nameOf(run), values: run.history[metric] ?? [] })
  const [title, yLabel] = titles[metric]
  const rest = runs.length - NAMED
  return lineChart({
    title: `${title} of ${runs.length === 1 ? 'one run' : `${runs.length} runs`}`,
    ...(rest > 0 && { subtitle: `The best ${NAMED} by name, the other ${rest} in grey` }),
    xLabel: 'epoch',
    yLabel,
    yDomain: rangeOf(runs.slice(0, NAMED).map(run => run.history[metric] ?? [])),
    series: runs.slice(0, NAMED).map(curve),
    background: runs.slice(NAMED).map(curve),
  })
}

/** Ranks runs by a metric's last value; equal ones stay in the order of the grid. */
export function rank<P>(runs: readonly SweepRun<P>[], metric: Metric): SweepResult<P> {
  const sign = directionOf(metric)
  const key = (run: SweepRun<P>) => {
    const value = sign * lastOf(run, metric)
    return Number.isNaN(value) ? Infinity : value
  }
  const ranked = [...runs].sort((a, b) => (key(a) === key(b) ? 0 : key(a) - key(b)))
  const rows = ranked.map(rowOf)
  return {
    runs: ranked,
    rankedBy: metric,
    rows,
    table: () => textTable(rows),
    chart: (shown = metric) => draw(ranked, shown),
  }
}
