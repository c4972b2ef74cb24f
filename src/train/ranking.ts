/** The runs of a sweep from best to worst, as a table and as one picture. Not here: running them (sweep.ts). */

import { type Chart, lineChart, type Row, textTable } from '../report/index.js'
import { formatNumber } from '../report/text.js'
import { curveOf, directionOf, type Figure, figuresIn, lastOf, titleOf } from './history.js'
import { type Figures, figuresOf, spreadText } from './spread.js'
import type { SweepRun } from './sweep.js'

/** The runs of one setting: all that differ in nothing but their seed. */
export interface SweepSetting<P> {
  /** The values of the grid, without the seed. */
  readonly params: P
  /** One for each seed. */
  readonly runs: readonly SweepRun<P>[]
  /** Means and standard deviations of the last epochs' figures over the seeds. */
  readonly figures: Figures
}

/** What `sweep` returns. */
export interface SweepResult<P> {
  /** Best first; runs whose metric is not a number come last. */
  readonly runs: readonly SweepRun<P>[]
  /** What they are ranked by, at the last epoch. */
  readonly rankedBy: Figure
  /** Settings and figures of the last epoch, a row per run, ready for `report`. */
  readonly rows: readonly Row[]
  /** The settings, their runs over seeds together: best first by the mean of what they are ranked by. */
  readonly settings: readonly SweepSetting<P>[]
  /** The rows as text. */
  table(): string
  /** The settings as text: `0.312 ± 0.004` over their seeds. */
  settingsTable(): string
  /** The curves of all runs in one picture, the best six by name. Default: of the metric they are ranked by. */
  chart(metric?: Figure): Promise<Chart>
}

/** The order of the columns. */
const ROW_FIGURES: readonly Figure[] = ['trainLoss', 'testLoss', 'trainAcc', 'testAcc']

/** How many curves a picture names. */
const NAMED = 6

function valueText(value: unknown): string {
  return typeof value === 'number' ? formatNumber(value) : typeof value === 'string' ? value : JSON.stringify(value)
}

const cellsOf = (params: object) =>
  Object.entries(params).map(([name, value]) => [name, typeof value === 'number' ? value : valueText(value)])

function rowOf<P>({ params, history }: SweepRun<P>, i: number): Row {
  const figures = ROW_FIGURES.filter(figure => curveOf(history, figure))
  const others = figuresIn(history).filter(figure => !ROW_FIGURES.includes(figure))
  const cells = [...figures, ...others].map(figure => [titleOf(figure), lastOf(history, figure)])
  return { rank: i + 1, ...Object.fromEntries(cellsOf(params)), ...Object.fromEntries(cells) }
}

/** A run's name in the picture: the settings in which the runs differ. */
function namer<P>(runs: readonly SweepRun<P>[]): (run: SweepRun<P>) => string {
  const names = Object.keys(runs[0].params) as (keyof P & string)[]
  const differing = names.filter(name => new Set(runs.map(({ params }) => params[name])).size > 1)
  return ({ params }) => differing.map(name => `${name} ${valueText(params[name])}`).join(', ') || 'run'
}

/** Losses of the best runs; what is far above them would leave them no room. */
function rangeOf(curves: readonly (readonly number[])[]): [number, number] | undefined {
  const values = curves.flat().filter(Number.isFinite)
  const [low, high] = [Math.min(...values), Math.max(...values)]
  if (!(low < high)) return undefined
  return [low - (high - low) / 20, high + (high - low) / 20]
}

/** The title of a figure's picture, and of its axis. */
function titlesOf(figure: Figure): [title: string, axis: string] {
  const known: Record<string, string> = {
    trainLoss: 'Training loss',
    trainAcc: 'Training accuracy',
    testAcc: 'Test accuracy',
  }
  const words = known[figure] ?? `${titleOf(figure)[0].toUpperCase()}${titleOf(figure).slice(1)}`
  return [words, words.replace(/^\w+ /, '')]
}

function draw<P>(runs: readonly SweepRun<P>[], metric: Figure): Promise<Chart> {
  const nameOf = namer(runs)
  const curve = (run: SweepRun<P>) => ({ name: nameOf(run), values: [...(curveOf(run.history, metric) ?? [])] })
  const [title, yLabel] = titlesOf(metric)
  const rest = runs.length - NAMED
  return lineChart({
    title: `${title} of ${runs.length === 1 ? 'one run' : `${runs.length} runs`}`,
    ...(rest > 0 && { subtitle: `The best ${NAMED} by name, the other ${rest} in grey` }),
    xLabel: 'epoch',
    yLabel,
    yDomain: rangeOf(runs.slice(0, NAMED).map(run => [...(curveOf(run.history, metric) ?? [])])),
    series: runs.slice(0, NAMED).map(curve),
    background: runs.slice(NAMED).map(curve),
  })
}

/** To sort by: from best to worst, what is not a number last. */
function keyOf(figure: Figure, value: number): number {
  return Number.isNaN(value) ? Infinity : directionOf(figure) * value
}

/** Stable: equal ones stay in their order. */
function sorted<T>(items: readonly T[], key: (item: T) => number): T[] {
  return [...items].sort((a, b) => (key(a) === key(b) ? 0 : key(a) - key(b)))
}

/** Runs that differ in nothing but their seed together. */
function settingsOf<P>(runs: readonly SweepRun<P>[], figure: Figure): SweepSetting<P>[] {
  const groups = new Map<string, SweepRun<P>[]>()
  const values: unknown[] = []
  // Values of a grid may be objects: those are told apart by what they are, not by how they look.
  const numberOf = (value: unknown) => (values.includes(value) ? values.indexOf(value) : values.push(value) - 1)
  for (const run of runs) {
    const { seed: _, ...params } = run.params
    const key = Object.values(params).map(numberOf).join()
    groups.set(key, [...(groups.get(key) ?? []), run])
  }
  const settings = [...groups.values()].map((group): SweepSetting<P> => {
    const { seed: _, ...params } = group[0].params
    return { params: params as P, runs: group, figures: figuresOf(group.map(({ history }) => history)) }
  })
  return sorted(settings, ({ figures }) => keyOf(figure, figures[figure]?.mean ?? NaN))
}

function settingRow<P>({ params, runs, figures }: SweepSetting<P>, i: number): Row {
  const names = [...ROW_FIGURES.filter(figure => figures[figure]), ...Object.keys(figures)]
  const cells = [...new Set(names)].map(figure => [titleOf(figure as Figure), spreadText(figures[figure])])
  return {
    rank: i + 1,
    ...Object.fromEntries(cellsOf(params as object)),
    runs: runs.length,
    ...Object.fromEntries(cells),
  }
}

/** Ranks runs by a figure's last value; equal ones stay in the order of the grid. */
export function rank<P>(runs: readonly SweepRun<P>[], figure: Figure): SweepResult<P> {
  const ranked = sorted(runs, run => keyOf(figure, lastOf(run.history, figure)))
  const rows = ranked.map(rowOf)
  const settings = settingsOf(ranked, figure)
  return {
    runs: ranked,
    rankedBy: figure,
    rows,
    settings,
    table: () => textTable(rows),
    settingsTable: () => textTable(settings.map(settingRow)),
    chart: (shown = figure) => draw(ranked, shown),
  }
}
