/** Pictures of a run and the page that shows them all. Not here: drawing (report/). */

import { writeFile } from 'node:fs/promises'
import { AnnealError } from '../../base/errors.js'
import { report } from '../../index.js'
import { filesOf, type PictureName } from './model_folder.js'
import { scoresText } from './scores.js'
import { numbersOf } from './task.js'
import type { TableRun, TrainedTable } from './train_table.js'

/** Rates that a picture shows at most. */
const MOST_RATES = 2000

interface Drawn {
  readonly name: PictureName
  readonly heading: string
  readonly chart: report.Chart
}

function lossChart({ prepared }: TableRun, { history }: TrainedTable): Promise<report.Chart> {
  const yLabel = prepared.labels ? 'cross-entropy (nats)' : 'squared error of the scaled target'
  const test = history.testLoss && [{ name: 'validation', run: 'run', values: history.testLoss, dashed: true }]
  const series = [{ name: 'training', run: 'run', values: history.trainLoss }, ...(test ?? [])]
  return report.lineChart({ title: 'Loss', xLabel: 'epoch', yLabel, series })
}

function accuracyChart({ history }: TrainedTable): Promise<report.Chart> {
  const test = history.testAcc && [{ name: 'validation', run: 'run', values: history.testAcc, dashed: true }]
  const series = [{ name: 'training', run: 'run', values: history.trainAcc! }, ...(test ?? [])]
  return report.lineChart({ title: 'Accuracy', xLabel: 'epoch', yLabel: 'share of rows', series })
}

function rateChart({ history }: TrainedTable): Promise<report.Chart> {
  const every = Math.ceil(history.lr.length / MOST_RATES)
  const points = history.lr.map((lr, i) => [i + 1, lr as number] as const).filter((_, i) => i % every === 0)
  const series = [{ name: 'learning rate', points, step: true }]
  return report.lineChart({ title: 'Learning rate', xLabel: 'update', yLabel: 'learning rate', series })
}

/** What of the validation rows was taken for what, or how far off the numbers are. */
function errorChart({ prepared, settings }: TableRun, { scores, outputs }: TrainedTable): Promise<report.Chart> {
  const { labels, rows } = prepared
  if (labels) return report.confusionMatrixChart({ matrix: scores!.confusionMatrix!, labels })
  const yTrue = numbersOf(rows.test!.column(settings.target), settings.target)
  return report.residualChart({ yTrue, yPred: outputs! })
}

async function drawAll(run: TableRun, trained: TrainedTable): Promise<Drawn[]> {
  const drawn: Drawn[] = [{ name: 'loss', heading: 'Loss', chart: await lossChart(run, trained) }]
  if (trained.history.trainAcc)
    drawn.push({ name: 'accuracy', heading: 'Accuracy', chart: await accuracyChart(trained) })
  if (trained.scores) drawn.push({ name: 'errors', heading: 'Errors', chart: await errorChart(run, trained) })
  return [...drawn, { name: 'lr', heading: 'Learning rate', chart: await rateChart(trained) }]
}

/** Writes the pictures and report.html; null, and nothing written, where the packages that draw are not installed. */
export async function writePictures(run: TableRun, trained: TrainedTable): Promise<string[] | null> {
  const files = filesOf(run.folder)
  let drawn: Drawn[]
  try {
    drawn = await drawAll(run, trained)
  } catch (error) {
    if (error instanceof AnnealError && error.code === 'ERR_MISSING_PACKAGE') return null
    throw error
  }
  for (const { name, chart } of drawn) await writeFile(files.picture(name), chart.svg)
  const settings = Object.entries(run.settings).map(([setting, value]) => ({ setting, value: JSON.stringify(value) }))
  const text = trained.scores ? `Validation: ${scoresText(trained.scores)}.` : 'No rows were left to validate on.'
  const sections = drawn.map(({ heading, chart }) => ({ heading, svg: chart.svg }))
  const page = report.htmlReport({
    title: `${run.settings.target} from ${run.data.file}`,
    sections: [{ heading: 'Result', text }, ...sections, { heading: 'Settings', table: settings }],
  })
  await writeFile(files.report, page)
  return [files.report, ...drawn.map(({ name }) => files.picture(name))]
}
