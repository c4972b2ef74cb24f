/** The runs of a sweep from best to worst, as a table and as one picture. Not here: running them (sweep.ts). */

import { AnnealError } from '../base/errors.js'
import { type Chart, lineChart, type Row, textTable } from '../report/index.js'
import { cellOf, type Lists, settingOf, valueText } from './grid.js'
import { curveOf, directionOf, type Figure, figuresIn, lastOf, titleOf } from './history.js'
import { type Figures, figuresOf, spreadText } from './spread.js'
import type { RunOutcome, SweepRun } from './sweep_options.js'

/** The runs of one setting: all that differ in nothing but their seed. */
export interface SweepSetting<P, R = SweepRun<P>> {
  /** The values of the grid, without the seed. */
  readonly params: P
  /** One for each seed. */
  readonly runs: readonly R[]
  /** Means and standard deviations of the last epochs' figures over the seeds. */
  readonly figures: Figures
}

/** What `sweep` returns. */
export interface SweepResult<P, R = SweepRun<P>> {
  /** Best first; runs whose metric is not a number come last. */
  readonly runs: readonly R[]
  /**
   * Of a sweep with a `dir`: indices of the runs that other shards have not done yet. Where there are any, `runs` and all
   * else here are of this shard alone.
   */
  readonly missing: readonly number[]
  /** What they are ranked by, at the last epoch. */
  readonly rankedBy: Figure
  /** Settings and figures of the last epoch, a row per run, ready for `report`. */
  readonly rows: readonly Row[]
  /** The settings, their runs over seeds together: best first by the mean of what they are ranked by. */
  readonly settings: readonly SweepSetting<P, R>[]
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

const cellsOf = (params: object) => Object.entries(params).map(([name, value]) => [name, cellOf(value)])

function rowOf<P>({ params, history }: RunOutcome<P>, i: number): Row {
  const figures = ROW_FIGURES.filter(figure => curveOf(history, figure))
  const others = figuresIn(history).filter(figure => !ROW_FIGURES.includes(figure))
  const cells = [...figures, ...others].map(figure => [titleOf(figure), lastOf(history, figure)])
  return { rank: i + 1, ...Object.fromEntries(cellsOf(params)), ...Object.fromEntries(cells) }
}

/** A run's name in the picture: the settings in which the runs differ. */
function namer<P>(runs: readonly RunOutcome<P>[]): (run: RunOutcome<P>) => string {
  const names = Object.keys(runs[0].params) as (keyof P & string)[]
  const differing = names.filter(name => new Set(runs.map(({ params }) => cellOf(params[name]))).size > 1)
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

async function draw<P>(runs: readonly RunOutcome<P>[], metric: Figure): Promise<Chart> {
  if (runs.length === 0) throw new AnnealError('ERR_EMPTY', 'sweep: expected runs to draw but received none')
  const nameOf = namer(runs)
  const curve = (run: RunOutcome<P>) => ({ name: nameOf(run), values: [...(curveOf(run.history, metric) ?? [])] })
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
function settingsOf<P, R extends RunOutcome<P>>(
  runs: readonly R[],
  figure: Figure,
  lists: Lists,
): SweepSetting<P, R>[] {
  const groups = new Map<number, R[]>()
  for (const run of runs) {
    const setting = settingOf(lists, run.index)
    groups.set(setting, [...(groups.get(setting) ?? []), run])
  }
  const settings = [...groups.values()].map((group): SweepSetting<P, R> => {
    const { seed: _, ...params } = group[0].params
    return { params: params as P, runs: group, figures: figuresOf(group.map(({ history }) => history)) }
  })
  return sorted(settings, ({ figures }) => keyOf(figure, figures[figure]?.mean ?? NaN))
}

function settingRow<P, R>({ params, runs, figures }: SweepSetting<P, R>, i: number): Row {
  const names = [...ROW_FIGURES.filter(figure => figures[figure]), ...Object.keys(figures)]
  const cells = [...new Set(names)].map(figure => [titleOf(figure as Figure), spreadText(figures[figure])])
  return {
    rank: i + 1,
    ...Object.fromEntries(cellsOf(params as object)),
    runs: runs.length,
    ...Object.fromEntries(cells),
  }
}

/** Ranks runs of the grid `lists` by a figure's last value; equal ones stay in the order of the grid. */
export function rank<P, R extends RunOutcome<P>>(
  runs: readonly R[],
  figure: Figure,
  lists: Lists,
  missing: readonly number[],
): SweepResult<P, R> {
  const ranked = sorted(runs, run => keyOf(figure, lastOf(run.history, figure)))
  const rows = ranked.map(rowOf)
  const settings = settingsOf<P, R>(ranked, figure, lists)
  return {
    ...{ runs: ranked, missing, rankedBy: figure, rows, settings },
    table: () => textTable(rows),
    settingsTable: () => textTable(settings.map(settingRow)),
    chart: (shown = figure) => draw<P>(ranked, shown),
  }
}
