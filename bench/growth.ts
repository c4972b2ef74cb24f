/** Growth curves: time per sample over rows, batch, width and depth, against the floor of the same run, drawn from published figures. */

import { report } from 'anneal'
import type { PublishedRun } from './readme.js'
import { type GrowthTrial, trials } from './trials.js'

/** What each curve's trials have in common, and what grows. */
const curves: Record<GrowthTrial['curve'], { title: string; xLabel: string }> = {
  rows: { title: '64-32-10, batch 64: rows of the set', xLabel: 'rows' },
  batch: { title: '784-128-10: rows of a batch', xLabel: 'batch' },
  width: { title: '64-n-n-10, batch 128: width of the hidden layers', xLabel: 'width' },
  depth: { title: '64-128-…-128-10, batch 128: hidden layers', xLabel: 'hidden layers' },
}

/** The curves of a picture, by the driver that they are of; the floor is arithmetic at the peak. */
const drawn: readonly (readonly [name: string, driver: string])[] = [
  ['anneal', 'native-fit'],
  ['JAX', 'jax-scan'],
  ['PyTorch', 'torch-eager'],
  ['floor: arithmetic at the peak', 'floor'],
]

async function picture(curve: GrowthTrial['curve'], run: PublishedRun): Promise<string> {
  const points = trials.flatMap(trial => {
    const times = trial.kind === 'growth' && trial.curve === curve && run.trials[trial.name]
    return times ? [{ value: trial.value, batch: trial.step.batch, times }] : []
  })
  const measured = drawn.filter(([, driver]) => points.some(({ times }) => driver in times))
  const series = measured.map(([name, driver]) => ({
    name,
    dashed: driver === 'floor',
    points: points.map(({ value, batch, times }) => [value, (times[driver] ?? Number.NaN) / batch] as const),
  }))
  const { title, xLabel } = curves[curve]
  const chart = await report.lineChart({
    title,
    subtitle: `${run.machine.cpu}, ${run.settings.threads} thread(s)`,
    xLabel,
    yLabel: 'time per sample (µs)',
    series,
    xScale: 'log',
    yScale: 'log',
  })
  return chart.svg
}

/** A picture per curve, by its file's name. */
export async function growthPictures(run: PublishedRun): Promise<Map<string, string>> {
  const pictures = new Map<string, string>()
  for (const curve of Object.keys(curves) as GrowthTrial['curve'][])
    pictures.set(`${curve}.svg`, await picture(curve, run))
  return pictures
}
